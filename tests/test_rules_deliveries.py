"""Which delivery's row stands when several arrived (docs/readings.md). Not here: landing the same bytes once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import pytest
from test_rules_base import Book, Seen

PAID = {"stato_documento": "PAGATO", "importo_pagato": 1220}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book, delivered = Book(), list[tuple[str, list[dict[str, Any]]]]()

    def deliver() -> None:
        delivered.extend(book.feeds.items())
        book.feeds = {}

    book.both("STAYS")
    book.both("CORRECTED")
    book.both("PAID_THEN")
    book.both("MOVED_TWICE", pcc=PAID)
    book.both("LISTED_ONCE", pcc=PAID)
    book.both("LISTED_NOW", pcc=PAID)
    book.both("CEDED")
    book.both("LITIGATED")
    book.both("CEDED_IN_ERROR")
    for document in ("LISTED_ONCE", "LISTED_NOW"):
        book.paid(document, 1220, numero_mandato=document)
    book.paid("MOVED_TWICE", 1220, "2026-01-10", numero_mandato="7")
    book.moved("MOVED_TWICE", "CP", "2026-01-10", 1220, data_pagamento="2026-01-10")
    book.paid("PAID_THEN", 300, numero_mandato="1")
    book.paid("PAID_THEN", 200, numero_mandato="1")
    book.paid("PAID_THEN", 100, numero_mandato="2")
    book.row("open_list", piva_fornitore=book.supplier("LISTED_ONCE"), numero=book.supplier("LISTED_ONCE")[-4:])
    book.case("CESSIONE", book.supplier("CEDED"), nuovo_creditore_piva="20000000001")
    book.case("CESSIONE", book.supplier("CEDED_IN_ERROR"), nuovo_creditore_piva="20000000001")
    deliver()
    book.case("CESSIONE", book.supplier("CEDED_IN_ERROR"), annullato=True)
    # The next deliveries: corrections, new mandates, one mandate again, a new list, one more case.
    book.both("CORRECTED", importo_totale=1000)
    book.both("NEW")
    book.moved("MOVED_TWICE", "CP", "2026-01-10", 1220, data_pagamento="2026-01-10")
    book.paid("PAID_THEN", 400, numero_mandato="1")
    book.paid("PAID_THEN", 50, numero_mandato="2", storno=True)
    book.paid("MOVED_TWICE", 1220, "2026-01-10", numero_mandato="7")
    book.row("open_list", piva_fornitore=book.supplier("LISTED_NOW"), numero=book.supplier("LISTED_NOW")[-4:])
    book.case("CESSIONE", book.supplier("CEDED"), nuovo_creditore_piva="20000000002")
    book.case("CONTENZIOSO", book.supplier("LITIGATED"))
    deliver()
    return Seen(models.reconcile(tmp_path_factory.mktemp("deliveries"), delivered))


def test_a_later_delivery_of_a_document_stands_and_the_others_stay(seen: Seen) -> None:
    assert (seen.stock("pcc", "CORRECTED"), seen.stock("right", "CORRECTED")) == (1000, 1000)
    assert (seen.stock("pcc", "STAYS"), seen.stock("right", "STAYS")) == (1220, 1220)
    assert (seen.stock("pcc", "NEW"), seen.stock("right", "NEW")) == (1220, 1220)
    assert seen.codes("CORRECTED") == seen.codes("STAYS") == seen.codes("NEW") == {}


def test_a_mandate_delivered_again_replaces_itself_alone(seen: Seen) -> None:
    # Mandate 1: 300 + 200, then 400. Mandate 2: 100 stays, and its reversal of 50 comes beside it.
    assert seen.stock("right", "PAID_THEN") == 1220 - 450
    assert seen.codes("PAID_THEN") == {"PAID_NOT_REPORTED": 450}


def test_movements_and_mandates_delivered_twice_count_once(seen: Seen) -> None:
    assert (seen.stock("pcc", "MOVED_TWICE"), seen.stock("right", "MOVED_TWICE")) == (1220, 1220)
    assert seen.codes("MOVED_TWICE") == {}


def test_a_later_open_list_replaces_the_earlier_as_a_whole(seen: Seen) -> None:
    assert seen.codes("LISTED_ONCE") == {}
    assert seen.codes("LISTED_NOW") == {"MUST_STAY_OPEN": 0}


def test_special_cases_add_up_and_one_delivered_again_is_replaced(seen: Seen) -> None:
    assert seen.position("right", "CEDED")["creditor"] == "20000000002"
    assert seen.codes("LITIGATED") == {"SUSPENSION_NOT_REPORTED": 1220}


def test_a_case_that_a_later_row_takes_back_no_longer_stands(seen: Seen) -> None:
    position = seen.position("right", "CEDED_IN_ERROR")
    assert position["creditor"] not in ("20000000001", "20000000002")


def test_movements_of_one_day_in_two_deliveries_both_stand(tmp_path: Path) -> None:
    document = {
        "progressivo_registrazione": "1", "id_fiscale_iva": "IT01234567897", "tipo_documento": "TD01", "numero_documento": "1",
        "data_emissione": date(2025, 10, 1), "data_scadenza": date(2025, 11, 1), "importo_totale": Decimal(1220),
        "stato_documento": "PAGATO", "importo_pagato": Decimal(1220),
    }  # fmt: skip
    moved = {
        "progressivo_registrazione": "1",
        "data_operazione": date(2026, 1, 10),
        "azione": "CP",
        "data_pagamento": date(2026, 1, 10),
    }
    first = [{**moved, "numero_mandato": "7", "importo": Decimal(500)}]
    second = [{**moved, "numero_mandato": "8", "importo": Decimal(720)}]
    seen = models.reconcile(tmp_path, [("pcc_invoices", [document]), ("pcc_operations", first), ("pcc_operations", second)])
    assert seen.stock("pcc") == Decimal(1220)
    # The same payment order delivered again, corrected, takes the place of the first.
    again = [("pcc_operations", first), ("pcc_operations", [{**first[0], "importo": Decimal(400)}])]
    assert models.reconcile(tmp_path / "again", [("pcc_invoices", [document]), *again]).stock("pcc") == Decimal(400)
