"""The plain document that every other test of the rules varies, the words to write one with, and its own test.

The rules themselves are tested beside: test_rules_amounts, _due_dates, _stock, _creditors, _matching, _deliveries
and _anomalies. Not here: parsers, register, Dagster.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import models
import pyarrow as pa

from pcc_pipeline.tables import FEEDS

Row = Mapping[str, Any]


class Book:
    """Rows of an ente's feeds: amounts as text or whole euro, dates as ISO text.

    Document X is `X` in the accounting system and `PX` on PCC; it has a supplier and a number of its own, 1,000.00 and
    220.00 of VAT, issued 10/1/2025, received 15/1/2025, due 14/2/2025, registered on one side and received on the other.
    """

    def __init__(self) -> None:
        self.feeds: dict[str, list[dict[str, Any]]] = {}
        self._suppliers: dict[str, str] = {}

    def supplier(self, document: str) -> str:
        """VAT number of the document's own supplier."""
        return self._suppliers.setdefault(document, f"{10000000000 + len(self._suppliers) + 1}")

    def row(self, kind: str, **values: Any) -> None:
        """Adds a row, its values brought to the column's type."""
        schema = FEEDS[kind].arrow_schema
        self.feeds.setdefault(kind, []).append({name: _typed(schema.field(name).type, value) for name, value in values.items()})

    def erp(self, document: str, **values: Any) -> None:
        """A document of the accounting system."""
        plain = {
            "id_documento": document,
            "tipo_documento": "TD01",
            "piva_fornitore": self.supplier(document),
            "numero": self.supplier(document)[-4:],
            "data_emissione": "2025-01-10",
            "data_ricezione": "2025-01-15",
            "data_scadenza": "2025-02-14",
            "importo_totale": 1220,
            "imponibile": 1000,
            "iva": 220,
            "split_payment": False,
            "stato": "REGISTRATA",
        }
        self.row("erp_invoices", **(plain | values))

    def pcc(self, document: str, **values: Any) -> None:
        """A document of PCC."""
        plain = {
            "progressivo_registrazione": f"P{document}",
            "tipo_documento": "TD01",
            "id_fiscale_iva": self.supplier(document),
            "numero_documento": self.supplier(document)[-4:],
            "data_emissione": "2025-01-10",
            "data_ricezione": "2025-01-15",
            "data_scadenza": "2025-02-14",
            "importo_totale": 1220,
            "importo_imponibile": 1000,
            "totale_imposta": 220,
            "split_payment": False,
            "stato_documento": "RICEVUTO",
        }
        self.row("pcc_invoices", **(plain | values))

    def both(self, document: str, *, erp: Row | None = None, pcc: Row | None = None, **shared: Any) -> None:
        """A document on both sides; `shared` are columns that both sides call alike."""
        self.erp(document, **{**shared, **(erp or {})})
        self.pcc(document, **{**shared, **(pcc or {})})

    def sdi(self, document: str, **values: Any) -> None:
        """The document as SDI delivered it."""
        plain = {
            "file": f"IT{document}.xml",
            "formato": "FPA12",
            "tipo_documento": "TD01",
            "id_fiscale_iva": "IT" + self.supplier(document),
            "numero": self.supplier(document)[-4:],
            "data_emissione": "2025-01-10",
            "importo_totale": 1220,
            "split_payment": False,
            "reverse_charge": False,
        }
        self.row("sdi_invoices", **(plain | values))

    def paid(self, document: str, amount: Any, day: str = "2025-03-10", **values: Any) -> None:
        """A payment of the accounting system, to the document's own supplier unless said."""
        plain = {
            "id_documento": document,
            "numero_mandato": f"M{len(self.feeds.get('erp_payments', [])) + 1}",
            "data_pagamento": day,
            "importo": amount,
            "cf_beneficiario": self.supplier(document),
        }
        self.row("erp_payments", **(plain | values))

    def moved(self, document: str, action: str, day: str, amount: Any = None, **values: Any) -> None:
        """A movement on PCC's accounts."""
        plain = {
            "progressivo_registrazione": f"P{document}",
            "azione": action,
            "data_operazione": day,
            "importo": amount,
        }
        self.row("pcc_operations", **(plain | values))

    def case(self, kind: str, supplier: str, since: str = "2025-01-01", **values: Any) -> None:
        """A special case declared by the ente."""
        self.row("special_cases", **({"caso": kind, "piva_fornitore": supplier, "decorrenza": since} | values))

    def reconciled(self, home: Path, **how: Any) -> Seen:
        """What the models make of it."""
        return Seen(models.reconcile(home, self.feeds, **how))


class Seen:
    """The reconciliation's tables, by document."""

    def __init__(self, found: models.Reconciled) -> None:
        self.found = found

    @cached_property
    def _positions(self) -> dict[tuple[str, str], dict[str, Any]]:
        columns = ("due_date", "stock", "open_amount", "commercial_amount", "bucket", "reason", "creditor")
        rows = self.found.rows("debt_positions", "view", "id_documento", "progressivo_registrazione", *columns)
        return {
            (view, document): dict(zip(columns, rest, strict=True))
            for view, own, theirs, *rest in rows
            for document in {own, theirs} - {None}
        }

    @cached_property
    def anomalies(self) -> list[tuple[Any, ...]]:
        """Every anomaly: code, both keys, amount, whether a person is needed."""
        return self.found.rows("anomalies", "code", "id_documento", "progressivo_registrazione", "amount", "manual")

    def position(self, view: str, document: str) -> dict[str, Any]:
        """The document (by either side's key) in a view."""
        return self._positions[view, document]

    def stock(self, view: str, document: str) -> Decimal:
        """What the document adds to the stock of a view."""
        return Decimal(self.position(view, document)["stock"])

    def due(self, view: str, document: str) -> str:
        """The document's due date in a view."""
        return str(self.position(view, document)["due_date"])

    def codes(self, document: str) -> dict[str, Decimal]:
        """The document's anomalies, by either side's key, with what is at stake in each."""
        return {code: amount for code, own, theirs, amount, _ in self.anomalies if document in (own, theirs)}

    def tier(self, document: str) -> tuple[str, str] | None:
        """PCC's document paired with one of the accounting system, and the tier."""
        found = self.found.rows("matches", "progressivo_registrazione", "tier", where=f"id_documento = '{document}'")
        return found[0] if found else None


def _typed(kind: pa.DataType, value: Any) -> Any:
    if value is not None and pa.types.is_decimal(kind):
        return Decimal(str(value)).quantize(Decimal("0.01"))
    if isinstance(value, str) and pa.types.is_date(kind):
        return date.fromisoformat(value)
    return value


def test_a_plain_document_stands_alike_in_both_views_and_bears_no_anomaly(tmp_path: Path) -> None:
    book = Book()
    book.both("A")
    seen = book.reconciled(tmp_path)
    assert seen.anomalies == []
    assert seen.stock("pcc", "A") == seen.stock("right", "A") == 1220
    assert seen.tier("A") == ("PA", "exact")
