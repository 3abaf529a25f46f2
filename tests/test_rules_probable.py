"""Section 6 of the rules: what is asked before it is told (probable pairs), dead documents, lots with one document, copies.

The tiers themselves: test_rules_matching. Self-invoices: test_rules_self_invoices. Each kind stands beside an innocent neighbour.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import oracle
import pytest
from test_rules_base import Book, Seen

PERSON, STRANGER = "BNCLRA70A41H501X", "99999999991"
DEAD = {"stato": "RIFIUTATA"}


def _probable(book: Book) -> None:
    book.both("OTHER_KIND", erp={"piva_fornitore": None, "cf_fornitore": PERSON})
    book.both("ONE_DIGIT", erp={"piva_fornitore": "30000000507"}, pcc={"id_fiscale_iva": "30000000517"})
    book.both("STRANGER", pcc={"id_fiscale_iva": STRANGER})
    book.both("OTHER_KIND_OTHER_DATE", erp={"piva_fornitore": None, "cf_fornitore": PERSON, "data_emissione": "2025-01-11"})
    # Two alike: which one is not said.
    book.both("TWO_ALIKE", erp={"piva_fornitore": None, "cf_fornitore": PERSON, "numero": "31"}, pcc={"numero_documento": "31"})
    book.pcc("TWO_ALIKE", progressivo_registrazione="PTWO_ALIKE_2", numero_documento="31", id_fiscale_iva="30000000999")
    # A factor that a special case names only from tomorrow: related, not yet the creditor.
    book.both("FACTOR", pcc={"id_fiscale_iva": "30000000600"})
    book.case("CESSIONE", book.supplier("FACTOR"), "2026-06-01", nuovo_creditore_piva="30000000600")
    # Two documents in one lot, told apart by the amount.
    for number, total in (("1", 700), ("2", 800)):
        amounts = {"importo_totale": total, "piva_fornitore": book.supplier("IN_LOT")}
        book.erp(f"IN_LOT_{number}", numero=f"9{number}", lotto_sdi="61", data_emissione="2025-01-12", **amounts)
        book.pcc(
            f"IN_LOT_{number}",
            id_fiscale_iva=book.supplier("IN_LOT"),
            numero_documento=f"7{number}",
            lotto_sdi="61",
            importo_totale=total,
        )


def _tiers(book: Book) -> None:
    book.both(
        "LOT_ALONE", lotto_sdi="62", erp={"numero": "12"}, pcc={"numero_documento": "0012/PA", "data_emissione": "2025-01-09"}
    )
    book.both(
        "LOT_OTHER_AMOUNT", lotto_sdi="63", erp={"numero": "45"},
        pcc={"numero_documento": "88", "data_emissione": "2025-01-20", "importo_totale": 1500},
    )  # fmt: skip
    book.both("IN_92_DAYS", data_scadenza="2025-06-14", pcc={"data_emissione": "2025-04-12"})
    book.both("IN_93_DAYS", data_scadenza="2025-06-14", pcc={"data_emissione": "2025-04-13"})
    # The successor or factor as supplier on one side, though a special case tells who it is.
    book.both("BY_CASE", erp={"piva_fornitore": "30000000700"})
    book.case("CESSIONE", book.supplier("BY_CASE"), "2025-01-20", nuovo_creditore_piva="30000000700")
    # Dead beside living, on either side.
    book.erp("DEAD_HERE", id_documento="DEAD_HERE_0", stato="ANNULLATA")
    book.both("DEAD_HERE")
    book.pcc("DEAD_THERE", progressivo_registrazione="PDEAD_THERE_0", stato_documento="RIFIUTATO")
    book.both("DEAD_THERE")
    book.both("DEAD_ALONE", erp=DEAD)
    book.erp("BOTH_DEAD", id_documento="BOTH_DEAD_0", **DEAD)
    book.pcc("BOTH_DEAD", progressivo_registrazione="PBOTH_DEAD_0", stato_documento="RIFIUTATO")
    book.both("BOTH_DEAD")
    # The first, refused, is on both sides; the second not yet on PCC.
    book.both("SENT_AGAIN", erp={"id_documento": "SENT_AGAIN_0", **DEAD}, pcc={"stato_documento": "RIFIUTATO"})
    book.erp("SENT_AGAIN")


def _twice(book: Book) -> None:
    book.both("COPY_BY_HAND", lotto_sdi="71")
    book.pcc("COPY_BY_HAND", progressivo_registrazione="PCOPY_BY_HAND_2")
    book.both("OWN_LOTS", lotto_sdi="72")
    book.pcc("OWN_LOTS", progressivo_registrazione="POWN_LOTS_2", lotto_sdi="73")
    book.both("OTHER_AMOUNT", lotto_sdi="74")
    book.pcc("OTHER_AMOUNT", progressivo_registrazione="POTHER_AMOUNT_2", importo_totale=500)
    book.both("FACTORED", lotto_sdi="75")
    book.pcc("FACTORED", progressivo_registrazione="PFACTORED_2", id_fiscale_iva="30000000800")
    book.case("CESSIONE", book.supplier("FACTORED"), "2025-01-20", nuovo_creditore_piva="30000000800")
    # In the accounting system: by identity, by lot, and one that only looks like it.
    book.both("ERP_TWICE", erp={"stato": "PAGATA"})
    book.erp("ERP_TWICE", id_documento="ERP_TWICE_2")
    book.paid("ERP_TWICE", 500)
    book.paid(
        "ERP_TWICE", 720, id_documento="ERP_TWICE_2", numero_mandato="M-OTHER", cf_beneficiario=book.supplier("ERP_TWICE")
    )
    book.both("SAME_LOT", lotto_sdi="76")
    book.erp("SAME_LOT", id_documento="SAME_LOT_2", lotto_sdi="76", data_emissione="2025-01-11")
    book.both("ERP_OTHER_AMOUNT")
    book.erp("ERP_OTHER_AMOUNT", id_documento="ERP_OTHER_AMOUNT_2", importo_totale=1000)


@pytest.fixture(scope="module")
def book() -> Book:
    book = Book()
    for written in (_probable, _tiers, _twice):
        written(book)
    return book


@pytest.fixture(scope="module")
def seen(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return book.reconciled(tmp_path_factory.mktemp("probable"))


@pytest.mark.parametrize("document", ["OTHER_KIND", "ONE_DIGIT", "FACTOR", "IN_LOT_1", "IN_LOT_2"])
def test_a_probable_pair_is_asked_and_our_word_counts_once(seen: Seen, document: str) -> None:
    assert seen.tier(document) is None
    assert set(seen.codes(document)) == set(seen.codes(f"P{document}")) == {"PROBABLE_MATCH"}
    ours = seen.stock("right", document)
    assert ours > 0
    assert seen.stock("right", f"P{document}") == 0
    assert (
        seen.found.rows(
            "operations", "azione", where=f"id_documento = '{document}' or progressivo_registrazione = 'P{document}'"
        )
        == []
    )


def test_probable_pairs_are_among_the_proposals_that_a_person_accepts(seen: Seen) -> None:
    proposed = seen.found.rows("match_proposals", "id_documento", "progressivo_registrazione", "explanation")
    pairs = {(ours, theirs): words for ours, theirs, words in proposed}
    for document in ("OTHER_KIND", "ONE_DIGIT", "FACTOR", "IN_LOT_1", "IN_LOT_2"):
        assert (document, f"P{document}") in pairs
    assert "fornitore scritto in modo diverso" in pairs["OTHER_KIND", "POTHER_KIND"]


@pytest.mark.parametrize(("verdict", "tier", "codes"), [("pair", ("PK", "manual"), set()), ("split", None, {"MISSING_ON_PCC"})])
def test_an_answer_settles_a_probable_pair(tmp_path: Path, verdict: str, tier: tuple[str, str] | None, codes: set[str]) -> None:
    book = Book()
    book.both("K", erp={"piva_fornitore": None, "cf_fornitore": PERSON})
    answer = {"verdict": verdict, "id_documento": "K", "progressivo_registrazione": "PK"}
    seen = book.reconciled(tmp_path, decided={"decided_match_decisions": [answer]})
    assert seen.tier("K") == tier
    assert set(seen.codes("K")) == codes


@pytest.mark.parametrize("document", ["STRANGER", "OTHER_KIND_OTHER_DATE", "TWO_ALIKE"])
def test_what_does_not_agree_or_is_not_unique_is_not_probable(seen: Seen, document: str) -> None:
    assert set(seen.codes(document)) == {"MISSING_ON_PCC"}
    assert set(seen.codes(f"P{document}")) == {"MISSING_IN_ERP"}


def test_two_that_may_be_the_same_are_not_sent_to_pcc_either(seen: Seen) -> None:
    sent = {document for (document,) in seen.found.rows("operations", "id_documento", where="model = '002'")}
    assert "STRANGER" in sent
    assert not sent & {"TWO_ALIKE", "OTHER_KIND", "IN_93_DAYS", "LOT_OTHER_AMOUNT"}


def test_the_question_names_what_it_may_be(seen: Seen) -> None:
    asked = dict(seen.found.rows("questions", "id_documento", "question", where="id_documento is not null"))
    for document in ("OTHER_KIND", "IN_93_DAYS", "LOT_OTHER_AMOUNT"):
        assert f"PCC P{document}" in asked[document]
    assert "gestionale ERP_TWICE" in asked["ERP_TWICE_2"]


@pytest.mark.parametrize(
    ("document", "paired", "tier"),
    [
        ("LOT_ALONE", "PLOT_ALONE", "sdi_lot"),
        ("IN_92_DAYS", "PIN_92_DAYS", "number_amount"),
        ("BY_CASE", "PBY_CASE", "exact"),
        ("DEAD_HERE", "PDEAD_HERE", "exact"),
        ("DEAD_THERE", "PDEAD_THERE", "exact"),
        ("DEAD_ALONE", "PDEAD_ALONE", "exact"),
        ("BOTH_DEAD", "PBOTH_DEAD", "exact"),
        ("BOTH_DEAD_0", "PBOTH_DEAD_0", "exact"),
        ("SENT_AGAIN_0", "PSENT_AGAIN", "exact"),
        ("ERP_TWICE", "PERP_TWICE", "exact"),
        ("SAME_LOT", "PSAME_LOT", "sdi_lot"),
        ("ERP_OTHER_AMOUNT", "PERP_OTHER_AMOUNT", "number_amount"),
    ],
)
def test_tier_of_a_pair(seen: Seen, document: str, paired: str, tier: str) -> None:
    assert seen.tier(document) == (paired, tier)


@pytest.mark.parametrize("document", ["LOT_OTHER_AMOUNT", "IN_93_DAYS", "DEAD_HERE_0", "SENT_AGAIN"])
def test_no_tier_pairs(seen: Seen, document: str) -> None:
    assert seen.tier(document) is None


def test_a_difference_of_number_within_a_lot_is_noted(seen: Seen) -> None:
    assert "number" in seen.found.rows("matches", "differed", where="id_documento = 'LOT_ALONE'")[0][0].split(",")


@pytest.mark.parametrize(
    ("copy", "codes", "manual"),
    [
        ("PCOPY_BY_HAND_2", {"DUPLICATE_ON_PCC": 1220}, False),
        ("POWN_LOTS_2", {"DUPLICATE_ON_PCC": 1220}, True),
        ("PFACTORED_2", {"DUPLICATE_ON_PCC": 1220}, True),
        ("POTHER_AMOUNT_2", {"MISSING_IN_ERP": 0}, True),
        ("ERP_TWICE_2", {"DUPLICATE_IN_ERP": 0}, True),
        ("SAME_LOT_2", {"DUPLICATE_IN_ERP": 0}, True),
        ("ERP_OTHER_AMOUNT_2", {"MISSING_ON_PCC": -1000}, False),
        ("PDEAD_THERE_0", {}, None),
    ],
)
def test_what_stands_there_twice(seen: Seen, copy: str, codes: dict[str, Decimal], manual: bool | None) -> None:
    assert seen.codes(copy) == codes
    assert {asked for _, own, theirs, _, asked in seen.anomalies if copy in (own, theirs)} == ({manual} if codes else set())


def test_the_payments_of_both_copies_are_payments_of_the_one_that_counts(seen: Seen) -> None:
    assert seen.stock("right", "ERP_TWICE") == seen.stock("right", "ERP_TWICE_2") == 0
    told = seen.found.rows("operations", "importo", where="id_documento = 'ERP_TWICE' and azione = 'CP'")
    assert sum(amount for (amount,) in told) == 1220


def test_the_oracle_says_the_same(book: Book, seen: Seen) -> None:
    expected = oracle.reconcile(book.feeds, reference_date=date(2025, 12, 31), observed_at=date(2026, 1, 20))
    assert set(seen.found.rows("matches", "id_documento", "progressivo_registrazione", "tier")) == expected.matches
    ours = {(code, own or "", theirs or "", amount) for code, own, theirs, amount, _ in seen.anomalies}
    assert ours == set(expected.anomalies)
    assert seen.found.stock("right") == expected.stock["right"]
