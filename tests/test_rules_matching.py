"""Section 6 of the rules: which documents of the two sides are the same. Not here: who is the same creditor."""

from __future__ import annotations

import pytest
from test_rules_base import Book, Seen

OTHER = "99999999990"

#: Two writings of a number on documents issued in 2025, and whether they are one number.
NUMBERS = [
    ("FT 0012/2025", "12", True),
    ("12-2025", "2025/12", True),
    ("2025/12", "12", True),
    ("FT 0012/2025", "12-2025", True),
    ("1/23", "12/3", False),
    ("12/2024", "12", False),
    ("25/12", "12", False),
    ("FATTURA N. 7", "7", True),
    ("Num. 5/a", "5-A", True),
    ("Fatt12", "12", True),
    ("12B", "12/B", True),
    ("12/A", "12/B", False),
    ("0010", "10", True),
    ("10", "1", False),
    ("FT 2025", "2025", True),
    ("2025/2025", "2025", True),
    ("A/2025", "A", False),
    ("2025/12/2025", "2025-12", False),
    ("FT", "ft.", True),
]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    for position, (ours, theirs, _) in enumerate(NUMBERS):
        # The totals differ, so that only the number can pair them.
        book.both(f"N{position}", erp={"numero": ours}, pcc={"numero_documento": theirs, "importo_totale": 1500})
    stranger = {"id_fiscale_iva": OTHER, "data_emissione": "2025-01-20", "importo_totale": 1500}
    book.both("ID", erp={"id_pcc": "PID"}, pcc=stranger | {"numero_documento": "88"})
    book.both("LOT", lotto_sdi="1", pcc=stranger)
    book.both("LOT_OTHER_NUMBER", lotto_sdi="2", pcc=stranger | {"numero_documento": "88"})
    book.both("EXACT", pcc={"importo_totale": 1500})
    book.both("NUMBER_AMOUNT", pcc={"data_emissione": "2025-01-20"})
    book.both("DATE_AMOUNT", pcc={"numero_documento": "88"})
    book.both("ONLY_NUMBER", pcc={"data_emissione": "2025-01-20", "importo_totale": 1221})
    book.both("ONLY_DATE", pcc={"numero_documento": "88", "importo_totale": 1221})
    book.both("OTHER_CREDITOR", pcc={"id_fiscale_iva": "99999999991"})
    book.both("OTHER_SIGN", pcc={"tipo_documento": "TD04"})
    # The better tier first: the progressivo names one, the number and date another.
    book.both("PRIORITY", erp={"id_pcc": "PNAMED"})
    book.pcc("PRIORITY", progressivo_registrazione="PNAMED", numero_documento="88", data_emissione="2025-01-20")
    # Two claim one progressivo: the next tiers tell whose it is.
    book.both("CLAIMS", erp={"id_pcc": "PCLAIMS"})
    book.erp("CLAIMS_TOO", id_pcc="PCLAIMS")
    # One lot and number on two PCC documents: the supplier tells.
    book.both("SHARED_LOT", lotto_sdi="3")
    book.pcc("SHARED_LOT", progressivo_registrazione="PSTRANGER", lotto_sdi="3", id_fiscale_iva="99999999992")
    # Same identity on PCC twice: the amount tells.
    book.both("BY_AMOUNT")
    book.pcc("BY_AMOUNT", progressivo_registrazione="PTHE_OTHER", importo_totale=100)
    book.both("TWO_HERE")
    book.erp("TWO_HERE", id_documento="TWO_HERE_2")
    book.both("TWO_THERE")
    book.pcc("TWO_THERE", progressivo_registrazione="PTWO_THERE_2")
    for number in "12":
        book.both(
            "TWO_AND_TWO",
            erp={"id_documento": f"TWO_AND_TWO_{number}"},
            pcc={"progressivo_registrazione": f"PTWO_AND_TWO_{number}"},
        )
    return book.reconciled(tmp_path_factory.mktemp("matching"))


@pytest.mark.parametrize(("position", "ours", "theirs", "same"), [(n, *row) for n, row in enumerate(NUMBERS)])
def test_normalised_number(seen: Seen, position: int, ours: str, theirs: str, same: bool) -> None:
    assert seen.tier(f"N{position}") == ((f"PN{position}", "exact") if same else None)


@pytest.mark.parametrize(
    ("document", "paired", "tier"),
    [
        ("ID", "PID", "pcc_id"),
        ("LOT", "PLOT", "sdi_lot"),
        ("EXACT", "PEXACT", "exact"),
        ("NUMBER_AMOUNT", "PNUMBER_AMOUNT", "number_amount"),
        ("DATE_AMOUNT", "PDATE_AMOUNT", "date_amount"),
        ("PRIORITY", "PNAMED", "pcc_id"),
        ("CLAIMS", "PCLAIMS", "exact"),
        ("SHARED_LOT", "PSHARED_LOT", "exact"),
        ("BY_AMOUNT", "PBY_AMOUNT", "number_amount"),
    ],
)
def test_tier_of_a_pair(seen: Seen, document: str, paired: str, tier: str) -> None:
    assert seen.tier(document) == (paired, tier)


@pytest.mark.parametrize(
    "document", ["LOT_OTHER_NUMBER", "ONLY_NUMBER", "ONLY_DATE", "OTHER_CREDITOR", "OTHER_SIGN", "CLAIMS_TOO"]
)
def test_no_tier_pairs(seen: Seen, document: str) -> None:
    assert seen.tier(document) is None
    assert "MISSING_ON_PCC" in seen.codes(document)


def test_candidates_that_a_later_tier_left_are_not_ambiguous(seen: Seen) -> None:
    assert seen.codes("PSTRANGER") == {"MISSING_IN_ERP": 0}
    # Another amount is another document, no duplicate.
    assert seen.codes("PTHE_OTHER") == {"MISSING_IN_ERP": 0}
    assert seen.codes("BY_AMOUNT") == {}


@pytest.mark.parametrize("document", ["TWO_THERE", "TWO_AND_TWO_1"])
def test_several_candidates_none_taken_and_our_word_counts(seen: Seen, document: str) -> None:
    assert seen.tier(document) is None
    assert seen.codes(document) == {"AMBIGUOUS_MATCH": -1220}
    assert seen.stock("right", document) == 1220


@pytest.mark.parametrize(("document", "paired"), [("TWO_HERE", "PTWO_HERE"), ("TWO_AND_TWO_1", None)])
def test_what_our_system_has_twice_counts_once_and_pairs_as_one(seen: Seen, document: str, paired: str | None) -> None:
    assert seen.tier(document) == (paired and (paired, "exact"))
    copy = {"TWO_HERE": "TWO_HERE_2", "TWO_AND_TWO_1": "TWO_AND_TWO_2"}[document]
    assert seen.codes(copy) == {"DUPLICATE_IN_ERP": 0}
    assert (seen.stock("right", document), seen.stock("right", copy)) == (1220, 0)


@pytest.mark.parametrize("document", ["PTWO_THERE", "PTWO_THERE_2", "PTWO_AND_TWO_1", "PTWO_AND_TWO_2"])
def test_candidates_count_nothing_on_the_right(seen: Seen, document: str) -> None:
    assert seen.codes(document) == {"AMBIGUOUS_MATCH": 1220}
    assert seen.stock("right", document) == 0


def test_pairs_are_one_to_one(seen: Seen) -> None:
    pairs = seen.found.rows("matches", "id_documento", "progressivo_registrazione")
    assert len({own for own, _ in pairs}) == len({theirs for _, theirs in pairs}) == len(pairs)


def test_a_match_keeps_what_agreed_and_what_differed(seen: Seen) -> None:
    assert seen.found.rows("matches", "agreed", "differed", where="id_documento = 'NUMBER_AMOUNT'") == [
        ("creditor,number,total,due_date", "issue_date")
    ]
