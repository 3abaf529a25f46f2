"""What happened to a document as either side tells it (model document_events), and who its creditors are called."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import pytest
from test_rules_base import Book, Seen

COLUMNS = ("side", "kind", "day", "amount", "code", "detail", "words", "reference", "reference_day", "linked", "first_seen")


def _invoice(book: Book, document: str) -> dict[str, Any]:
    return {"piva_fornitore": book.supplier(document), "tipo_documento": "TD04", "numero": "7"}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    book.both("PAID", erp={"protocollo": "12"}, pcc={"stato_documento": "PAGATO", "importo_pagato": 1220})
    book.paid("PAID", 1300, "2025-03-10", data_mandato="2025-03-05")
    book.paid("PAID", 80, "2025-03-11", storno=True)
    book.paid("PAID", 5, "2026-02-01")  # after O: not seen yet
    book.moved("PAID", "CP", "2025-03-12", 1220, numero_mandato="M1", data_pagamento="2025-03-10")
    book.moved("PAID", "CP", "2026-02-01", 5)
    book.both(
        "SUSPENDED", erp={"stato": "SOSPESA", "causale": "CONTESTATO", "data_sospensione": "2025-02-01", "importo_sospeso": 300},
        pcc={"importo_sospeso": 300, "importo_liquidato": 20, "causale_sospensione": "CONT"},
    )  # fmt: skip
    book.erp("LIQUIDATED", stato="LIQUIDATA")
    book.both("LOT", lotto_sdi="111")
    book.both("OTHER_OF_LOT", lotto_sdi="111")
    book.row("sdi_messages", file="A_EC_001.xml", tipo="EC", identificativo_sdi="111", esito="EC01", data_ricezione="2025-01-16",
             numero_fattura=book.supplier("LOT")[-4:])  # fmt: skip
    book.row("sdi_messages", file="A_RC_001.xml", tipo="RC", identificativo_sdi="111", data_consegna="2025-01-15")
    # A credit note used in the same order as its invoice; an order of that number of another year links nothing.
    book.erp("INVOICE")
    book.erp("NOTE", **_invoice(book, "INVOICE"))
    book.erp("ELSEWHERE", piva_fornitore=book.supplier("INVOICE"), numero="9999")
    book.paid("INVOICE", 1220, numero_mandato="77")
    book.paid("NOTE", 100, numero_mandato="77")
    book.paid("ELSEWHERE", 10, "2024-03-10", numero_mandato="77")
    book.both("WITHHELD", erp={"importo_ritenuta": 200})
    book.paid("WITHHELD", 1020)
    book.both("CEDED", erp={"denominazione_fornitore": "Vecchio"})
    book.case("CESSIONE", book.supplier("CEDED"), nuovo_creditore_piva="20000000001", nuovo_creditore_denominazione="Nuovo")
    return book.reconciled(tmp_path_factory.mktemp("events"))


def _events(seen: Seen, document: str) -> list[dict[str, Any]]:
    where = f"id_documento = '{document}' or progressivo_registrazione = 'P{document}'"
    return [dict(zip(COLUMNS, row, strict=True)) for row in seen.found.rows("document_events", *COLUMNS, where=where)]


def _of(seen: Seen, document: str, kind: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in _events(seen, document) if row["kind"] == kind]


def test_both_sides_tell_of_their_document(seen: Seen) -> None:
    assert sorted(_of(seen, "PAID", "REGISTERED", "side", "day", "code", "reference"), key=str) == [
        ("ERP", date(2025, 1, 15), "REGISTRATA", "12"), ("PCC", date(2025, 1, 15), "PAGATO", None),
    ]  # fmt: skip
    assert _of(seen, "PAID", "PAYMENT", "day", "amount", "reference", "reference_day") == [
        (date(2025, 3, 10), Decimal("1300.00"), "M1", date(2025, 3, 5))
    ]
    assert _of(seen, "PAID", "REVERSAL", "amount") == [(Decimal("-80.00"),)]
    assert _of(seen, "PAID", "MOVEMENT", "code", "day", "amount", "reference") == [
        ("CP", date(2025, 3, 12), Decimal("1220.00"), "M1")
    ]
    assert _of(seen, "PAID", "BALANCE", "code", "amount", "day") == [  # 5 were paid after O
        ("PAGATO", Decimal("1215.00"), date(2026, 1, 20)), ("LIQUIDATO", Decimal("5.00"), date(2026, 1, 20)),
    ]  # fmt: skip


def test_the_accounts_are_those_of_the_document_and_sum_to_it(seen: Seen) -> None:
    found = dict(_of(seen, "SUSPENDED", "BALANCE", "code", "amount"))
    assert found == {"RICEVUTO": Decimal(900), "LIQUIDATO": Decimal(20), "SOSPESO": Decimal(300)}
    ((total,),) = seen.found.rows("pcc_documents", "sum(commercial_amount)")
    ((told,),) = seen.found.rows("document_events", "sum(amount)", where="kind = 'BALANCE'")
    assert told == total


def test_a_state_bears_its_own_day_or_that_of_the_delivery(seen: Seen) -> None:
    assert _of(seen, "SUSPENDED", "STATE", "code", "day", "first_seen", "amount", "words") == [
        ("SOSPESA", date(2025, 2, 1), False, Decimal(300), "CONTESTATO")
    ]
    # What the only delivery says is no change: the document is registered in that state.
    assert _of(seen, "LIQUIDATED", "REGISTERED", "code") == [("LIQUIDATA",)]
    assert not _of(seen, "LIQUIDATED", "STATE", "code") and not _of(seen, "PAID", "STATE", "code")


def test_a_change_of_state_is_dated_by_the_delivery_that_said_it_first(tmp_path: Path) -> None:
    days = []
    for state in ("REGISTRATA", "LIQUIDATA", "LIQUIDATA", "ANNULLATA"):
        book = Book()
        book.supplier("A")
        book.erp("A", stato=state)
        days.append(("erp_invoices", book.feeds["erp_invoices"]))
    found = models.reconcile(tmp_path, days)
    rows = found.rows("document_events", "day", "code", "first_seen", where="kind = 'STATE'")
    assert rows == [(date(2026, 1, 2), "LIQUIDATA", True), (date(2026, 1, 4), "ANNULLATA", True)]
    assert found.rows("document_events", "code", where="kind = 'REGISTERED'") == [("ANNULLATA",)]


def test_messages_reach_the_documents_of_their_lot_or_the_one_they_name(seen: Seen) -> None:
    outcome, delivered = ("EC", "EC01", date(2025, 1, 16)), ("RC", None, date(2025, 1, 15))
    assert set(_of(seen, "LOT", "MESSAGE", "code", "detail", "day")) == {outcome, delivered}
    assert set(_of(seen, "OTHER_OF_LOT", "MESSAGE", "code", "detail", "day")) == {delivered}


def test_a_credit_note_and_its_invoice_name_each_other(seen: Seen) -> None:
    assert _of(seen, "INVOICE", "CREDIT_NOTE", "linked", "detail", "code") == [("NOTE", "7", "MANDATO")]
    assert _of(seen, "NOTE", "CREDITED", "linked") == [("INVOICE",)]
    assert not _of(seen, "ELSEWHERE", "CREDIT_NOTE", "linked")


def test_the_key_tells_every_row(seen: Seen) -> None:
    key = "id_documento, progressivo_registrazione, kind, row_id"
    ((rows, keys),) = seen.found.rows("document_events", "count(*)", f"count(distinct ({key}))")
    assert rows == keys > 20


def test_each_creditor_bears_its_own_name(seen: Seen) -> None:
    found = {
        row[0]: row[1:]
        for row in seen.found.rows(
            "debt_positions", "view", "creditor_name", "original_creditor_name", where="id_documento = 'CEDED'"
        )
    }
    assert found["right"] == ("Nuovo", "Vecchio") and found["pcc"] == ("Vecchio", None)


def test_what_is_withheld_is_told_as_no_longer_owed(seen: Seen) -> None:
    assert _of(seen, "WITHHELD", "WITHHELD", "amount", "day") == [(200, date(2026, 1, 20))]
    assert _of(seen, "PAID", "WITHHELD") == []
