"""Which delivered row corrects which (docs/rules.md#rule-12): payments, movements, e-invoices, messages."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import pytest
from test_rules_base import Book

Payment = dict[str, Any]


def _paid(tmp_path: Path, *deliveries: list[Payment]) -> list[tuple[str, Decimal]]:
    """The payments of document X that stand, as (order, amount), after those deliveries."""
    book, delivered = Book(), list[tuple[str, list[dict[str, Any]]]]()
    book.both("X")
    delivered.extend(book.feeds.items())
    for payments in deliveries:
        book.feeds = {}
        for payment in payments:
            book.paid("X", **payment)
        delivered.extend(book.feeds.items())
    return models.reconcile(tmp_path, delivered).rows("stg_erp_payments", "numero_mandato", "importo")


def pay(number: str, amount: int, day: str = "2025-03-10", **values: Any) -> Payment:
    return {"numero_mandato": number, "amount": amount, "day": day, **values}


@pytest.mark.parametrize(
    ("deliveries", "standing"),
    [
        pytest.param([[pay("15", 400)], [pay("15", 500)]], [("15", 500)], id="corrected"),
        pytest.param([[pay("15", 400)], [pay("15", 600, "2025-04-10")]], [("15", 400), ("15", 600)], id="second quietanza"),
        pytest.param(
            [[pay("15", 400, data_mandato="2024-12-30")], [pay("15", 600, data_mandato="2025-03-10")]],
            [("15", 400), ("15", 600)],
            id="same number of another year, paid on one day",
        ),
        pytest.param(
            [[pay("15", 400)], [pay("15", 400, data_mandato="2024-12-30")]], [("15", 400)], id="date of the order added"
        ),
        pytest.param([[pay("15", 400, cf_beneficiario=None)], [pay("15", 400)]], [("15", 400)], id="beneficiary added"),
        pytest.param(
            [[pay("15", 400)], [pay("15", 100, cf_beneficiario="12345678903")]],
            [("15", 100), ("15", 400)],
            id="another beneficiary",
        ),
        pytest.param([[pay("15", 400)], [pay("16", 400)]], [("16", 400)], id="corrected number"),
        pytest.param([[pay("15", 400)], [pay("15", 400), pay("16", 400)]], [("15", 400), ("16", 400)], id="both numbers"),
        pytest.param(
            [[pay("15", 400), pay("16", 400)], [pay("16", 400)]],
            [("15", 400), ("16", 400)],
            id="a number known before corrects none",
        ),
        pytest.param([[pay("15", 400)], [pay("16", 300)]], [("15", 400), ("16", 300)], id="another amount"),
        pytest.param(
            [[pay("15", 400), pay("17", 400)], [pay("16", 400)]], [("16", 400), ("17", 400)], id="one new number corrects one"
        ),
        pytest.param([[pay("0015", 400)], [pay("15", 400)]], [("15", 400)], id="zeros before the number"),
        pytest.param([[pay("15", 300), pay("15", 200)], [pay("15", 400)]], [("15", 400)], id="all rows of the key"),
        pytest.param([[pay("15", 400)], [pay("15", 400, storno=True)]], [("15", 400), ("15", 400)], id="reversed"),
    ],
)
def test_payments(tmp_path: Path, deliveries: list[list[Payment]], standing: list[tuple[str, int]]) -> None:
    assert _paid(tmp_path, *deliveries) == standing


def test_movements_of_one_order_number_in_two_years_both_stand(tmp_path: Path) -> None:
    book = Book()
    book.both("X")
    delivered = list(book.feeds.items())
    for day in ("2024-12-10", "2025-02-10"):
        book.feeds = {}
        book.moved("X", "CP", "2025-06-01", 100, numero_mandato="15", data_pagamento=day)
        delivered.extend(book.feeds.items())
    assert len(models.reconcile(tmp_path, delivered).rows("stg_pcc_operations", "row_id")) == 2


@pytest.mark.parametrize(
    ("file", "number", "standing"),
    [("fattura.xml", "2", 2), ("fattura.xml", "1", 1), ("IT01234567890_00001.xml", "2", 1)],
    ids=["another invoice", "the same again", "SDI's name"],
)
def test_e_invoices_under_one_file_name(tmp_path: Path, file: str, number: str, standing: int) -> None:
    book, delivered = Book(), list[tuple[str, list[dict[str, Any]]]]()
    for written in ("1", number):
        book.feeds = {}
        book.sdi("X", file=file, numero=written, importo_totale=1220 + len(delivered))
        delivered.extend(book.feeds.items())
    rows = models.reconcile(tmp_path, delivered).rows("stg_sdi_invoices", "file", "importo_totale")
    assert len(rows) == len({name for name, _ in rows}) == standing
    assert (file, 1221) in rows


def test_messages_under_one_file_name(tmp_path: Path) -> None:
    def message(file: str, lot: str) -> list[dict[str, Any]]:
        return [{"file": file, "tipo": "RC", "identificativo_sdi": lot}]

    sent = [
        message("a.xml", "1"),
        message("a.xml", "2"),
        message("a.xml", "2"),
        message("IT1_1_RC_001.xml", "3"),
        message("IT1_1_RC_001.xml", "4"),
    ]
    rows = models.reconcile(tmp_path, [("sdi_messages", rows) for rows in sent]).rows("stg_sdi_messages", "identificativo_sdi")
    assert rows == [("1",), ("2",), ("4",)]


def test_one_delivery_of_a_kind_needs_no_comparison(tmp_path: Path) -> None:
    book = Book()
    book.both("X")
    book.paid("X", 100)
    assert models.reconcile(tmp_path, book.feeds).rows("delivered_rows", "row_id") == []
