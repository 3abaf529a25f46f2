"""Operations as they stand proposed in the database, for tests of decisions on them."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.review.operations import Selection, reviewed


def operation(name: str, document: str, step: int, **values: Any) -> dict[str, Any]:
    """A proposed operation: CO LIQ of 1,000.00 unless said."""
    plain = {
        "ente": "alfa",
        "operation_id": name,
        "code": "PAID_NOT_REPORTED",
        "id_documento": document,
        "progressivo_registrazione": f"P{document}",
        "step": step,
        "model": "003",
        "azione": "CO",
        "importo": 1000,
        "natura_spesa": "CO",
        "stato_debito": "LIQ",
        "cig": "NA",
        "cup": "NA",
        "non_commercial": False,
        "numero_documento": document,
        "data_emissione": date(2025, 1, 10),
        "importo_totale": 1000,
        "tipo_documento": "TD01",
        "original_creditor": "00000000001",
        "stock_effect": 0,
        "reference_date": date(2025, 12, 31),
        "observed_at": date(2026, 1, 20),
    }
    return plain | values


def states(database: sa.Engine, ente: str = "alfa") -> dict[str, str]:
    with database.connect() as connection:
        return {row["operation_id"]: row["state"] for row in reviewed(connection, ente)}


def one(database: sa.Engine, name: str) -> Any:
    with database.connect() as connection:
        (found,) = reviewed(connection, "alfa", Selection((name,)))
    return found


def named(*operations: str) -> Selection:
    return Selection(operations)
