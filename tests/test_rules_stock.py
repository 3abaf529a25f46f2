"""Section 4 of the rules: what of a document stands in the stock at D (31/12/2025), seen at O (20/1/2026), and in which bucket."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from test_rules_base import Book, Row, Seen

PAID = {"stato_documento": "PAGATO", "importo_pagato": 1220}
BUCKETS = {
    -1: "not_due",
    0: "0-30",
    30: "0-30",
    31: "31-60",
    60: "31-60",
    61: "61-90",
    90: "61-90",
    91: "91-180",
    180: "91-180",
    181: "181-365",
    365: "181-365",
    366: "over_365",
}


def _paid(book: Book, document: str, amount: int, day: str) -> None:
    """A payment that both sides know."""
    book.paid(document, amount, day)
    book.moved(document, "CP", day, amount, data_pagamento=day)


def _suspended(book: Book, document: str, ours: str, theirs: str, amount: int = 1220) -> None:
    erp: Row = {"stato": "SOSPESA", "causale": ours, "importo_sospeso": amount}
    book.both(document, erp=erp, pcc={"importo_sospeso": amount, "causale_sospensione": theirs})


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    book.both("OPEN")
    for document, day in (
        ("PAID_ON_D", "2025-12-31"),
        ("PAID_AFTER_D", "2026-01-01"),
        ("PAID_ON_O", "2026-01-20"),
    ):
        book.both(document, pcc=PAID)
        _paid(book, document, 1220, day)
    book.both("PAID_AFTER_O", pcc=PAID)
    _paid(book, "PAID_AFTER_O", 1220, "2026-01-21")
    book.both("PAID_IN_PARTS", pcc=PAID)
    _paid(book, "PAID_IN_PARTS", 500, "2025-06-01")
    _paid(book, "PAID_IN_PARTS", 720, "2026-01-15")
    book.both("REVERSED_AFTER_D")
    _paid(book, "REVERSED_AFTER_D", 1220, "2025-06-01")
    book.paid("REVERSED_AFTER_D", 1220, "2026-01-10", storno=True)
    book.moved("REVERSED_AFTER_D", "CP", "2026-01-10", -1220, data_pagamento="2026-01-10")
    _suspended(book, "CONTESTED", "CONTESTATO", "CONT")
    _suspended(book, "LITIGATED", "CONTENZIOSO", "CONTENZIOSO")
    _suspended(book, "CHECKED", "ADEMPIMENTI", "ADEMPIMENTI_NORMATIVI")
    _suspended(book, "AWAITS_NOTE", "ATTESA_NC", "ATTNC")
    _suspended(book, "OTHERWISE", "ALTRO", "ALTRO")
    _suspended(book, "CONTESTED_IN_PART", "CONTESTATO", "CONT", 300)
    dead = {"stato": "NON_LIQUIDABILE", "importo_non_liquidabile": 200}
    book.both("NOT_PAYABLE_IN_PART", erp=dead, pcc={"importo_non_liquidabile": 200})
    book.both("NOTE_PARTLY_USED", tipo_documento="TD04", pcc={"importo_pagato": 220})
    _paid(book, "NOTE_PARTLY_USED", 220, "2025-06-01")
    book.both("ISSUED_AFTER_D", data_emissione="2026-01-01", data_scadenza="2026-01-31")
    for days in BUCKETS:
        book.both(
            f"DUE_{days}",
            data_emissione="2024-11-01",
            data_ricezione="2024-11-02",
            data_scadenza=str(date(2025, 12, 31) - timedelta(days=days)),
        )
    return book.reconciled(tmp_path_factory.mktemp("stock"))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("OPEN", 1220),
        ("PAID_ON_D", 0),
        ("PAID_AFTER_D", 1220),  # pagato(O) 1220 - pagato(D) 0
        ("PAID_ON_O", 1220),
        ("PAID_AFTER_O", 1220),
        ("PAID_IN_PARTS", 720),
        ("REVERSED_AFTER_D", 0),  # liquidato 1220 + pagato(O) 0 - pagato(D) 1220
        ("CONTESTED", 0),
        ("LITIGATED", 0),
        ("CHECKED", 0),
        ("AWAITS_NOTE", 1220),
        ("OTHERWISE", 1220),
        ("CONTESTED_IN_PART", 920),
        ("NOT_PAYABLE_IN_PART", 1020),
        ("NOTE_PARTLY_USED", -1000),
        ("ISSUED_AFTER_D", 0),
        ("DUE_-1", 0),
        ("DUE_0", 1220),
    ],
)
def test_stock_of_a_document(seen: Seen, document: str, expected: int) -> None:
    assert (seen.stock("pcc", document), seen.stock("right", document)) == (expected, expected)


def test_nothing_differs_where_both_sides_say_the_same(seen: Seen) -> None:
    assert seen.anomalies == []


@pytest.mark.parametrize("days", BUCKETS)
def test_bucket_of_a_document(seen: Seen, days: int) -> None:
    assert seen.position("right", f"DUE_{days}")["bucket"] == BUCKETS[days]


def test_what_is_not_due_is_debt_and_stands_beside(seen: Seen) -> None:
    position = seen.position("right", "DUE_-1")
    assert (position["stock"], position["open_amount"], position["reason"]) == (0, 1220, "NOT_DUE")


def test_parts_sum_to_the_whole(seen: Seen) -> None:
    # Of the list above: 1220 x 6 + 720 + 920 + 1020 - 1000; of the buckets, eleven documents due.
    whole = 7320 + 1660 + 11 * 1220
    assert seen.found.stock("right") == seen.found.stock("pcc") == whole
    in_view = "view = 'right' and "
    for table, column, where in (
        ("stock_by_due_date", "amount", in_view + "bucket <> 'not_due'"),
        ("stock_by_creditor", "amount", in_view + "true"),
        ("stock_by_issue_year", "amount", in_view + "true"),
    ):
        assert sum(amount for (amount,) in seen.found.rows(table, column, where=where)) == whole
    assert seen.found.rows("stock_by_due_date", "amount", where=in_view + "bucket = 'not_due'") == [(1220,)]
    years = seen.found.rows("stock_by_issue_year", "issue_year", "amount", where=in_view + "true")
    assert years == [(2024, 11 * 1220), (2025, 8980)]
