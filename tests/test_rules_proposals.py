"""Section 6 of the rules, tier fuzzy: what is proposed to a person, and that it is never applied by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_rules_base import Book, Seen


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    book.both("SWAPPED", erp={"numero": "1234"}, pcc={"numero_documento": "1243", "data_emissione": "2025-01-12"})
    book.both("DIGIT", erp={"numero": "77512"}, pcc={"numero_documento": "77612", "data_emissione": "2025-01-11"})
    book.both("SUFFIX", erp={"numero": "88/PA"}, pcc={"numero_documento": "88", "data_emissione": "2025-01-13"})
    book.both("CENTS", pcc={"data_emissione": "2025-01-12", "importo_totale": "1220.40"})
    book.both(
        "DAY_MONTH",
        erp={"numero": "601", "data_emissione": "2025-02-10"},
        pcc={"numero_documento": "610", "data_emissione": "2025-10-02"},
    )
    book.both("TOO_DEAR", erp={"numero": "301"}, pcc={"numero_documento": "310", "importo_totale": 1300})
    book.both("OTHER_SIGN", pcc={"tipo_documento": "TD04"})
    book.both("OTHER_SUPPLIER", pcc={"id_fiscale_iva": "99999999991"})
    book.both(
        "REFUSED", erp={"numero": "401", "stato": "RIFIUTATA"}, pcc={"numero_documento": "410", "data_emissione": "2025-01-11"}
    )
    book.both("DENIED", erp={"numero": "501"}, pcc={"numero_documento": "510", "data_emissione": "2025-01-11"})
    book.both("PAIRED")
    # Two bills alike, of different months: neither is the other.
    book.both(
        "MONTHLY",
        erp={"numero": "9"},
        pcc={"numero_documento": "10", "data_emissione": "2025-06-10", "data_scadenza": "2025-07-10"},
    )
    decided = [{"verdict": "split", "id_documento": "DENIED", "progressivo_registrazione": "PDENIED"}]
    return book.reconciled(tmp_path_factory.mktemp("proposals"), decided={"decided_match_decisions": decided})


def proposal(seen: Seen, document: str, *columns: str) -> tuple[Any, ...] | None:
    found = seen.found.rows("match_proposals", *columns, where=f"id_documento = '{document}'")
    return found[0] if found else None


@pytest.mark.parametrize(
    ("document", "number", "date", "amount"),
    [
        ("SWAPPED", "swapped", "near", "only"),
        ("DIGIT", "one_edit", "near", "only"),
        ("SUFFIX", "part", "near", "only"),
        ("CENTS", "same", "near", "near"),
        ("DAY_MONTH", "swapped", "swapped", "only"),
    ],
)
def test_what_people_write_wrong_is_proposed_with_its_evidence(
    seen: Seen, document: str, number: str, date: str, amount: str
) -> None:
    columns = ("progressivo_registrazione", "number_evidence", "date_evidence", "amount_evidence", "rank", "alternatives")
    assert proposal(seen, document, *columns) == (f"P{document}", number, date, amount, 1, 0)


def test_a_proposal_is_never_applied_alone(seen: Seen) -> None:
    assert seen.tier("SWAPPED") is None
    assert "MISSING_ON_PCC" in seen.codes("SWAPPED")


@pytest.mark.parametrize("document", ["TOO_DEAR", "OTHER_SIGN", "OTHER_SUPPLIER", "REFUSED", "DENIED", "PAIRED", "MONTHLY"])
def test_what_is_not_near_or_was_denied_is_not_proposed(seen: Seen, document: str) -> None:
    assert proposal(seen, document, "score") is None


def test_a_proposal_explains_itself_field_by_field(seen: Seen) -> None:
    assert proposal(seen, "SWAPPED", "score", "explanation") == (
        100,
        "numero 1234 / 1243: due cifre scambiate (+38); data 10/01/2025 / 12/01/2025: pochi giorni di distanza (+30); "
        "importo 1220.00 / 1220.00: stesso importo, che nessun altro documento aperto del fornitore ha (+40); "
        "stessa scadenza (+10)",
    )


def test_of_many_alike_each_has_its_nearest_first(tmp_path: Path) -> None:
    book = Book()
    supplier = book.supplier("RENT")
    for number in range(60):
        day = f"2025-{number % 12 + 1:02d}-{number // 12 * 5 + 1:02d}"
        near = f"2025-{number % 12 + 1:02d}-{number // 12 * 5 + 2:02d}"
        book.erp(
            f"RENT{number}", piva_fornitore=supplier, numero=f"{4000 + 37 * number}", data_emissione=day, data_scadenza=day
        )
        book.pcc(
            f"RENT{number}",
            id_fiscale_iva=supplier,
            numero_documento=f"{4000 + 37 * number}7",
            data_emissione=near,
            data_scadenza=day,
        )
    found = book.reconciled(tmp_path).found.rows(
        "match_proposals", "id_documento", "progressivo_registrazione", where="rank = 1"
    )
    assert found == sorted((f"RENT{n}", f"PRENT{n}") for n in range(60))
