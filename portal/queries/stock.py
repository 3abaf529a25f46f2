"""The stock of an ente: by view, by due date, by creditor. `pcc_pipeline.database.summary` explains the difference."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.rules import buckets

ZERO = Decimal("0.00")


def stocks(connection: sa.Connection, ente: str) -> dict[str, Decimal]:
    """Amount in euro by view."""
    t = table("stock")
    rows = connection.execute(sa.select(t.c.view, t.c.amount).where(t.c.ente == ente))
    return {row.view: row.amount for row in rows}


def by_due_date(connection: sa.Connection, ente: str) -> list[dict[str, Any]]:
    """One row a bucket, youngest first: bucket, and by view amount and documents."""
    t = table("stock_by_due_date")
    rows = connection.execute(sa.select(t.c.bucket, t.c.view, t.c.amount, t.c.documents).where(t.c.ente == ente))
    found = {(row.bucket, row.view): row for row in rows}
    views = sorted({view for _, view in found})
    return [
        {
            "bucket": bucket,
            **{view: found[bucket, view].amount if (bucket, view) in found else ZERO for view in views},
            "documents": {view: found[bucket, view].documents if (bucket, view) in found else 0 for view in views},
        }
        for bucket in buckets()
    ]
