"""Section 6 of the rules: a person's word on a pair comes before every tier. Who said it when is in test_decisions."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_rules_base import Book, Seen


def _word(verdict: str, ours: str, theirs: str) -> dict[str, Any]:
    return {"verdict": verdict, "id_documento": ours, "progressivo_registrazione": theirs}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    # Nothing alike but a person's word; and each has a lookalike that a tier would have taken.
    book.both("HAND", pcc={"progressivo_registrazione": "PLOOKALIKE"})
    book.pcc("TOLD", progressivo_registrazione="PTOLD", importo_totale=5000)
    book.both("SPLIT")
    # A tier finds two, one of which is split: the other is unique.
    book.both("ONE_LEFT")
    book.pcc("ONE_LEFT", progressivo_registrazione="PONE_LEFT_2")
    # Two and two, one pair split: still contested.
    for number in "12":
        ours = {"id_documento": f"FOUR_{number}", "importo_totale": f"122{number}"}
        book.both("FOUR", erp=ours, pcc={"progressivo_registrazione": f"PFOUR_{number}", "importo_totale": 1500})
    # Split, and yet another tier would take it: by number and amount.
    book.both("EVERY_TIER", lotto_sdi="77", erp={"id_pcc": "PEVERY_TIER"})
    book.both("GONE")
    book.both("BYSTANDER")
    decided = [
        _word("pair", "HAND", "PTOLD"),
        _word("split", "SPLIT", "PSPLIT"),
        _word("split", "ONE_LEFT", "PONE_LEFT"),
        _word("split", "FOUR_1", "PFOUR_1"),
        _word("split", "EVERY_TIER", "PEVERY_TIER"),
        _word("pair", "GONE", "PNOWHERE"),
    ]
    home = tmp_path_factory.mktemp("decisions")
    return book.reconciled(home, decided={"decided_match_decisions": decided})


def test_a_pair_by_hand_is_the_first_tier(seen: Seen) -> None:
    assert seen.tier("HAND") == ("PTOLD", "manual")
    assert "MISSING_IN_ERP" in seen.codes("PLOOKALIKE")


@pytest.mark.parametrize("document", ["SPLIT", "EVERY_TIER"])
def test_no_tier_takes_a_split_pair(seen: Seen, document: str) -> None:
    assert seen.tier(document) is None
    assert "MISSING_ON_PCC" in seen.codes(document)
    assert "MISSING_IN_ERP" in seen.codes(f"P{document}")


def test_what_a_split_leaves_unique_is_taken(seen: Seen) -> None:
    assert seen.tier("ONE_LEFT") == ("PONE_LEFT_2", "exact")


def test_two_and_two_with_one_pair_split_stay_ambiguous(seen: Seen) -> None:
    # FOUR_1 could only be PFOUR_2, which FOUR_2 could be as well: a tier takes only what is unique on both sides.
    assert seen.tier("FOUR_1") is None
    assert seen.tier("FOUR_2") is None
    assert "AMBIGUOUS_MATCH" in seen.codes("FOUR_1")


def test_a_word_on_documents_that_are_gone_changes_nothing(seen: Seen) -> None:
    assert seen.tier("GONE") == ("PGONE", "exact")
    assert seen.tier("BYSTANDER") == ("PBYSTANDER", "exact")


def test_without_decisions_the_models_run_as_ever(tmp_path: Path) -> None:
    book = Book()
    book.both("A")
    assert book.reconciled(tmp_path).tier("A") == ("PA", "exact")


def _operations(seen: Seen, document: str) -> list[tuple[Any, ...]]:
    return seen.found.rows("operations", "step", "operation_id", "azione", "importo", where=f"id_documento = '{document}'")


def _projected(seen: Seen, document: str) -> Any:
    return seen.stock("projected", document)


def test_a_refused_booking_is_left_out_of_the_projection_with_the_payment_it_needs(tmp_path: Path) -> None:
    book = Book()
    book.both("PAID", erp={"stato": "LIQUIDATA"})
    book.paid("PAID", 1220)
    first = book.reconciled(tmp_path / "first")
    (_, booking, *_), (_, payment, *_) = _operations(first, "PAID")
    assert _projected(first, "PAID") == 0

    def again(name: str, *decided: dict[str, Any]) -> Seen:
        rows = [{"approvals": 0, "approvals_needed": 1, **row} for row in decided]
        return book.reconciled(tmp_path / name, decided={"decided_operation_decisions": rows})

    refused = again("refused", {"operation_id": booking, "state": "refused"})
    assert [row[1] for row in _operations(refused, "PAID")] == [booking, payment]
    assert _projected(refused, "PAID") == 1220
    ((question, remaining),) = refused.found.rows("questions", "question", "remaining", where="id_documento = 'PAID'")
    assert remaining == 1220
    assert "sono state rifiutate" in question
    without = again("without", {"operation_id": payment, "state": "refused"})
    assert _projected(without, "PAID") == 1220
    less = again("less", {"operation_id": payment, "state": "proposed", "changed_importo": Decimal("1000.00")})
    assert _projected(less, "PAID") == 220
