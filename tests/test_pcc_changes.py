"""What PCC changed from one delivery to the next without us (docs/rules.md#rule-11-changes), with its effect on the stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import pytest
from test_rules_base import Book


def _deliveries(*books: Book) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    return [(kind, rows) for book in books for kind, rows in book.feeds.items()]


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> models.Reconciled:
    """Ten documents as PCC has them in two deliveries, and the accounting system's side; one operation sent between them."""
    first, second = Book(), Book()
    later: dict[str, dict[str, Any]] = {
        "SAME": {},
        "SILENT": {"importo_sospeso": None, "causale_sospensione": None},
        "DUE": {"data_scadenza": "2026-03-31"},
        "OUT": {"escluso": True},
        "NOTPAY": {"importo_non_liquidabile": 300},
        "SUSP": {"importo_sospeso": 400, "importo_sospeso_contestazione": 400, "data_sospensione_contestazione": "2025-11-03"},
        "KIND": {"importo_sospeso": 400, "importo_sospeso_contenzioso": 0, "importo_sospeso_verifica": 400},
        "ORDERED": {"importo_pagato": 1220, "stato_documento": "PAGATO"},
        "UNORDERED": {"importo_pagato": 1220, "stato_documento": "PAGATO"},
        "REFUSED": {"stato_documento": "RIFIUTATO", "importo_non_liquidabile": 100},
        "OURS": {"data_scadenza": "2025-03-01", "importo_non_liquidabile": 20},
        "NOTE": {"importo_non_liquidabile": 200},
    }
    before: dict[str, dict[str, Any]] = {
        "KIND": {"importo_sospeso": 400, "importo_sospeso_contenzioso": 400, "importo_sospeso_verifica": 0},
        "NOTE": {"tipo_documento": "TD04"},
    }
    for name, told in later.items():
        shared = before.get(name, {})
        first.erp(name, **({"tipo_documento": "TD04"} if name == "NOTE" else {}))
        first.pcc(name, **shared)
        second.supplier(name)
        second.pcc(name, **{**shared, **told})
    first.paid("ORDERED", 1220)
    sent = {
        "operation_id": "o1", "attempt": 1, "file": "f.csv", "line": 8, "model": "003", "step": 1, "azione": "CS",
        "sent_at": datetime(2026, 1, 2, 12, tzinfo=UTC), "progressivo_registrazione": "POURS",
    }  # fmt: skip
    return models.reconcile(
        tmp_path_factory.mktemp("changes"), _deliveries(first, second), decided={"decided_sent_operations": [sent]}
    )


def test_each_change_with_its_effect(changes: models.Reconciled) -> None:
    found = changes.rows("pcc_changes", "progressivo_registrazione", "field", "before", "after", "stock_effect")
    assert found == sorted(
        [
            ("PDUE", "DUE_DATE", "14/02/2025", "31/03/2026", Decimal("-1220.00")),
            ("PKIND", "SUSPENDED", "400,00, contenzioso 400,00", "400,00, verifica 400,00", Decimal("400.00")),
            ("PNOTE", "NOT_PAYABLE", "0,00", "200,00", Decimal("200.00")),
            ("PNOTPAY", "NOT_PAYABLE", "0,00", "300,00", Decimal("-300.00")),
            # A due date told by us is ours; what is not payable is not.
            ("POURS", "NOT_PAYABLE", "0,00", "20,00", Decimal("-20.00")),
            ("POUT", "LEFT_OUT", "NO", "SI", Decimal("-1220.00")),
            ("PREFUSED", "NOT_PAYABLE", "0,00", "100,00", Decimal("0.00")),
            ("PREFUSED", "STATE", "RICEVUTO", "RIFIUTATO", Decimal("-1220.00")),
            ("PSUSP", "SUSPENDED", None, "400,00, contestazione 400,00, 03/11/2025", Decimal("-400.00")),
            ("PUNORDERED", "PAID", "0,00", "1.220,00", Decimal("-1220.00")),
            ("PUNORDERED", "STATE", "RICEVUTO", "PAGATO", Decimal("0.00")),
        ],
        key=lambda row: tuple((value is None, str(value)) for value in row),
    )


def test_it_says_which_deliveries_and_which_document(changes: models.Reconciled) -> None:
    columns = ("id_documento", "delivery_before", "delivery", "received_before < received_at")
    (row,) = changes.rows("pcc_changes", *columns, where="progressivo_registrazione = 'PDUE'")
    assert row == ("DUE", "delivery2", "delivery4", True)


def test_split_payment_without_a_vat_counts_the_taxable_amount(tmp_path: Path) -> None:
    """The same commercial amount as in PCC's documents, whichever of the two PCC tells."""
    first, second = Book(), Book()
    told = {"split_payment": True, "totale_imposta": None, "importo_imponibile": 1000}
    first.pcc("SPLIT", **told)
    second.supplier("SPLIT")
    second.pcc("SPLIT", **told, escluso=True)
    found = models.reconcile(tmp_path, _deliveries(first, second))
    assert found.rows("pcc_documents", "commercial_amount") == [(Decimal("1000.00"),)]
    assert found.rows("pcc_changes", "field", "stock_effect") == [("LEFT_OUT", Decimal("-1000.00"))]
