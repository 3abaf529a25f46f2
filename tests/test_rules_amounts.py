"""Section 1 of the rules: what amount of a document is commercial debt. Not here: what is left of it (test_rules_stock)."""

from __future__ import annotations

import pytest
from test_rules_base import Book, Seen


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    book.both("PLAIN")
    book.both("SPLIT", split_payment=True)
    book.both("SPLIT_BY_TAXABLE", split_payment=True, erp={"iva": None}, pcc={"totale_imposta": None})
    book.both("SPLIT_SAID_BY_SDI", split_payment=None)
    book.sdi("SPLIT_SAID_BY_SDI", split_payment=True)
    book.both("NOT_SPLIT_SAYS_ERP", split_payment=False)
    book.sdi("NOT_SPLIT_SAYS_ERP", split_payment=True)
    # Reverse charge: the accounting system adds the VAT, the invoice has none.
    book.both("REVERSE", pcc={"importo_totale": 1000, "importo_imponibile": 1000, "totale_imposta": 0})
    book.sdi("REVERSE", importo_totale=1000, reverse_charge=True)
    book.both("NOTE", tipo_documento="TD04")
    book.both("SIMPLIFIED_NOTE", tipo_documento="TD08", split_payment=True)
    book.both("NOT_COMMERCIAL", erp={"commerciale": False})
    book.both("REJECTED", erp={"stato": "RIFIUTATA"}, pcc={"stato_documento": "RIFIUTATO"})
    book.both("ANNULLED", erp={"stato": "ANNULLATA"})
    return book.reconciled(tmp_path_factory.mktemp("amounts"))


@pytest.mark.parametrize(
    ("document", "pcc", "right"),
    [
        ("PLAIN", 1220, 1220),
        ("SPLIT", 1000, 1000),
        ("SPLIT_BY_TAXABLE", 1000, 1000),
        ("SPLIT_SAID_BY_SDI", 1220, 1000),
        ("NOT_SPLIT_SAYS_ERP", 1220, 1220),
        ("REVERSE", 1000, 1000),
        ("NOTE", -1220, -1220),
        ("SIMPLIFIED_NOTE", -1000, -1000),
        ("NOT_COMMERCIAL", 1220, 0),
        ("REJECTED", 0, 0),
        ("ANNULLED", 1220, 0),
    ],
)
def test_commercial_amount_in_the_stock(seen: Seen, document: str, pcc: int, right: int) -> None:
    assert (seen.stock("pcc", document), seen.stock("right", document)) == (pcc, right)


def test_the_stocks_are_the_sums_of_their_documents(seen: Seen) -> None:
    # 1220 + 1000 + 1000 + 1220 + 1220 + 1000 - 1220 - 1000 + 1220 + 0 + 1220
    assert seen.found.stock("pcc") == 6880
    # 1220 + 1000 + 1000 + 1000 + 1220 + 1000 - 1220 - 1000
    assert seen.found.stock("right") == 4220
    assert sum(amount for _, _, _, amount, _ in seen.anomalies) == 6880 - 4220


def test_what_counts_nowhere_stays_visible(seen: Seen) -> None:
    assert seen.position("right", "NOT_COMMERCIAL")["reason"] == "NON_COMMERCIAL"
    assert seen.position("right", "REJECTED")["reason"] == "REJECTED"
    assert seen.position("right", "ANNULLED")["reason"] == "REJECTED"


@pytest.mark.parametrize("document", ["PLAIN", "SPLIT", "SPLIT_BY_TAXABLE", "REVERSE", "NOTE", "REJECTED"])
def test_same_amount_on_both_sides_is_no_anomaly(seen: Seen, document: str) -> None:
    assert seen.codes(document) == {}


def test_vat_to_the_treasury_open_on_pcc_is_named(seen: Seen) -> None:
    assert seen.codes("SPLIT_SAID_BY_SDI") == {"SPLIT_VAT_OPEN": 220}
