"""Which invoice a credit note belongs to (model credit_note_links), and that events and operations follow that one answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_rules_base import Book, Seen

Links = set[tuple[Any, ...]]


def _noted(book: Book, note: str, *invoices: str) -> None:
    """A credit note of 200 and the invoices of its supplier, on both sides."""
    supplier = book.supplier(note)
    for document in invoices:
        book.both(
            document,
            erp={"piva_fornitore": supplier, "numero": document},
            pcc={"id_fiscale_iva": supplier, "numero_documento": document},
        )
    book.both(
        note, tipo_documento="TD04", importo_totale=200,
        erp={"numero": note, "imponibile": 164, "iva": 36},
        pcc={"numero_documento": note, "importo_imponibile": 164, "totale_imposta": 36},
    )  # fmt: skip


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    # Order 12 of two years.
    _noted(book, "YEARS_NC", "YEARS_F1")
    book.paid("YEARS_NC", 200, "2025-03-10", numero_mandato="12", data_mandato="2024-12-30")
    to = book.supplier("YEARS_NC")
    book.paid("YEARS_F1", 1220, "2025-03-10", numero_mandato="12", data_mandato="2025-03-05", cf_beneficiario=to)
    # The year is that of the order, not of the payment; without a day of the order, that of the payment.
    _noted(book, "SAME_NC", "SAME_F1", "SAME_F2")
    book.paid("SAME_NC", 200, "2025-01-10", numero_mandato="13", data_mandato="2024-12-30")
    book.paid("SAME_F1", 1220, "2024-12-31", numero_mandato="13")
    book.paid("SAME_F2", 1220, "2025-01-10", numero_mandato="13")
    # One order bears two invoices, the note names one of them.
    _noted(book, "NAMED_NC", "NAMED_F1", "NAMED_F2")
    for document in ("NAMED_NC", "NAMED_F1", "NAMED_F2"):
        book.paid(document, 200 if document == "NAMED_NC" else 1220, numero_mandato="14")
    book.sdi("NAMED_NC", tipo_documento="TD04", numero="NAMED_NC", importo_totale=200, riferimenti=[_names("NAMED_F2")])
    # It names a document that is not there: the order tells.
    _noted(book, "LOST_NC", "LOST_F1")
    for document in ("LOST_NC", "LOST_F1"):
        book.paid(document, 200 if document == "LOST_NC" else 1220, numero_mandato="15")
    book.sdi("LOST_NC", tipo_documento="TD04", numero="LOST_NC", importo_totale=200, riferimenti=[_names("NOWHERE")])
    # An order may pay several suppliers: another's invoice is not the note's.
    _noted(book, "OTHER_NC")
    book.both("STRANGER")
    for document in ("OTHER_NC", "STRANGER"):
        book.paid(document, 200, numero_mandato="16")
    return book.reconciled(tmp_path_factory.mktemp("links"))


def _names(number: str) -> dict[str, Any]:
    return {"tipo": "fatture_collegate", "documento": number, "data": None}


EXPECTED = {
    ("SAME_NC", "SAME_F1", "MANDATO"),
    ("NAMED_NC", "NAMED_F2", "SDI"),
    ("LOST_NC", "LOST_F1", "MANDATO"),
}


@pytest.mark.parametrize(
    ("table", "columns", "where"),
    [
        ("credit_note_links", ("note", "invoice", "found_by"), "true"),
        ("credit_note_uses", ("note", "invoice", "found_by"), "true"),
        ("document_events", ("linked", "id_documento", "code"), "kind = 'CREDIT_NOTE'"),
        ("document_events", ("id_documento", "linked", "code"), "kind = 'CREDITED'"),
    ],
)
def test_every_table_links_the_same_documents(seen: Seen, table: str, columns: tuple[str, ...], where: str) -> None:
    assert set(seen.found.rows(table, *columns, where=where)) == EXPECTED


def test_a_note_paid_by_an_order_of_another_year_takes_nothing_off_the_invoice(seen: Seen) -> None:
    operations = seen.found.rows("operations", "azione", "importo", "causale", where="id_documento = 'YEARS_F1'")
    assert operations == [("CO", 1220, None), ("CP", 1220, None)]


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ({}, {"CREDIT_NOTE_OPEN": 0}),
        ({"importo_non_liquidabile": 150}, {"CREDIT_NOTE_OPEN": 0}),
        ({"importo_non_liquidabile": 200}, {}),
    ],
)
def test_a_note_of_no_known_invoice_is_closed_once_told(tmp_path: Path, told: dict[str, int], left: dict[str, int]) -> None:
    """What a SID set on the note itself counts as its use, whether or not its invoice is known: it is never proposed again."""
    book = Book()
    note = {"imponibile": 200, "iva": 0}
    book.both(
        "N", tipo_documento="TD04", importo_totale=200, erp=note, pcc={"importo_imponibile": 200, "totale_imposta": 0, **told}
    )
    book.paid("N", 200)
    seen = book.reconciled(tmp_path, modelli_pcc="AREA_RGS")
    assert set(seen.codes("N")) == set(left)
    assert len(seen.found.rows("operations", "azione")) == len(left)
    assert seen.found.rows("questions", "code") == [(code,) for code in left]
