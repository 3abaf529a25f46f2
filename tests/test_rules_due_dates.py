"""Section 2 of the rules: when a document is due, in PCC's view and in the right one. Not here: what follows from it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from test_rules_base import Book, Seen

NONE = {"data_scadenza": None}


def _book() -> Book:
    book = Book()
    book.both("ERP_FIRST", erp={"data_scadenza": "2025-03-01"}, pcc={"data_scadenza": "2025-03-05"})
    book.both("THEN_PCC", erp=NONE, pcc={"data_scadenza": "2025-03-05"})
    book.both("PCC_BEFORE_SDI", erp=NONE, pcc={"data_scadenza": "2025-03-05"})
    book.sdi("PCC_BEFORE_SDI", data_scadenza="2025-04-30")
    book.both("THEN_SDI", data_scadenza=None)
    book.sdi("THEN_SDI", data_scadenza="2025-04-30")
    book.both("THEN_TERM", data_scadenza=None, erp={"data_ricezione": "2025-01-20"})
    book.both(
        "ERP_RECEPTION",
        data_scadenza=None,
        erp={"data_ricezione": "2025-01-20"},
        pcc={"data_ricezione": None},
    )
    book.both("ISSUE_DATE", data_scadenza=None, data_ricezione=None)
    book.erp("ERP_ALONE", data_scadenza=None)
    book.pcc("PCC_ALONE", data_scadenza=None)
    return book


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = _book()
    # The latest instalment falls after D: the document is not wholly due.
    book.both("INSTALMENTS", data_scadenza=None)
    book.sdi("INSTALMENTS", data_scadenza="2026-01-31")
    for document, end in (
        ("ENDED", "2025-03-01"),
        ("ENDS_AFTER_O", "2026-02-01"),
        ("CS_AFTER", "2025-03-01"),
    ):
        book.both(document, pcc={"stato_documento": "CONTABILIZZATO", "importo_liquidato": 1220})
        book.moved(document, "CO", "2025-02-01", 1220, stato_debito="SOSP", causale="CONT")
        book.moved(document, "CO", end, 1220, stato_debito="LIQdaSOSP")
    book.moved("CS_AFTER", "CS", "2025-03-02", data_scadenza="2025-02-14")
    book.both("TWICE", pcc={"stato_documento": "CONTABILIZZATO", "importo_liquidato": 1220})
    for day, movement in (
        ("2025-02-01", "SOSP"),
        ("2025-02-11", "LIQdaSOSP"),
        ("2025-03-01", "SOSPdaLIQ"),
        ("2025-03-06", "LIQdaSOSP"),
    ):
        book.moved("TWICE", "CO", day, 1220, stato_debito=movement)
    return book.reconciled(tmp_path_factory.mktemp("due_dates"))


@pytest.mark.parametrize(
    ("document", "pcc", "right"),
    [
        ("ERP_FIRST", "2025-03-05", "2025-03-01"),
        ("THEN_PCC", "2025-03-05", "2025-03-05"),
        ("PCC_BEFORE_SDI", "2025-03-05", "2025-03-05"),
        ("THEN_SDI", "2025-02-14", "2025-04-30"),
        ("THEN_TERM", "2025-02-14", "2025-02-14"),  # PCC's reception 15/1 + 30 days on both
        ("ERP_RECEPTION", "2025-02-09", "2025-02-19"),  # PCC only knows the issue date 10/1
        ("ISSUE_DATE", "2025-02-09", "2025-02-09"),
        ("INSTALMENTS", "2025-02-14", "2026-01-31"),
        ("ENDED", "2025-02-14", "2025-03-14"),  # 28 days
        ("ENDS_AFTER_O", "2025-02-14", "2025-02-14"),
        ("CS_AFTER", "2025-02-14", "2025-02-14"),  # PCC was told the date after the end
        ("TWICE", "2025-02-14", "2025-03-01"),  # 10 + 5 days
    ],
)
def test_due_date(seen: Seen, document: str, pcc: str, right: str) -> None:
    assert (seen.due("pcc", document), seen.due("right", document)) == (pcc, right)


def test_a_document_on_one_side_takes_that_side_s_reception(seen: Seen) -> None:
    assert seen.due("right", "ERP_ALONE") == "2025-02-14"
    assert seen.due("pcc", "PPCC_ALONE") == seen.due("right", "PPCC_ALONE") == "2025-02-14"


def test_with_an_instalment_after_d_it_is_debt_and_not_stock(seen: Seen) -> None:
    assert seen.stock("right", "INSTALMENTS") == 0
    assert seen.position("right", "INSTALMENTS")["open_amount"] == 1220
    assert seen.codes("INSTALMENTS") == {"DUE_DATE_SHIFTS_STOCK": 1220}


@pytest.mark.parametrize(
    ("document", "pcc", "right"),
    [
        ("THEN_TERM", "2025-03-16", "2025-03-16"),  # 15/1 + 60 days
        ("ERP_RECEPTION", "2025-03-11", "2025-03-21"),
        ("ISSUE_DATE", "2025-03-11", "2025-03-11"),
        ("ERP_FIRST", "2025-03-05", "2025-03-01"),
        ("THEN_SDI", "2025-03-16", "2025-04-30"),
    ],
)
def test_due_date_of_a_health_body(healthy: Seen, document: str, pcc: str, right: str) -> None:
    assert (healthy.due("pcc", document), healthy.due("right", document)) == (pcc, right)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return _book().reconciled(tmp_path_factory.mktemp("health"), tipo="SANITARIO")


@pytest.mark.parametrize(
    ("paid", "buckets"),
    [
        (0, {"0-30": 720, "61-90": 500}),
        (300, {"0-30": 720, "61-90": 200}),
        (700, {"0-30": 520}),
    ],
)
def test_each_instalment_stands_in_its_own_bucket_once_all_are_due(tmp_path: Path, paid: int, buckets: dict[str, int]) -> None:
    book = Book()
    book.both("PARTS", data_scadenza="2025-12-20")
    parts = [
        {"data_scadenza": date(2025, 10, 20), "importo": Decimal(500)},
        {"data_scadenza": date(2025, 12, 20), "importo": Decimal(720)},
    ]
    book.sdi("PARTS", data_scadenza="2025-12-20", pagamenti=parts)
    if paid:
        book.paid("PARTS", paid)
    book.both("WHOLE", data_scadenza="2025-12-25")
    found = book.reconciled(tmp_path).found.rows("stock_by_due_date", "bucket", "amount", where="view = 'right'")
    assert dict(found) == {bucket: amount + (1220 if bucket == "0-30" else 0) for bucket, amount in buckets.items()}
