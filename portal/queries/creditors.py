"""Creditors, present and original: the search over both, and one creditor's debt by view and age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.italian import VIEWS
from pcc_pipeline.rules import buckets
from portal.queries.paging import Page, contains, paged

ZERO = Decimal("0.00")


def creditors(connection: sa.Connection, ente: str, view: str, search: str | None, number: int) -> Page:
    """Creditors of a view, biggest first: creditor, creditor_name, amount, documents. `search` is part of the code or name of
    the present creditor, or of an original one whose documents it has now."""
    t = table("stock_by_creditor")
    query = sa.select(t.c.creditor, t.c.creditor_name, t.c.amount, t.c.documents).where(t.c.ente == ente, t.c.view == view)
    if search:
        d = table("debt_positions")
        taken_over = sa.select(d.c.creditor).where(
            d.c.ente == ente, d.c.view == view, d.c.original_creditor != d.c.creditor,
            sa.or_(contains(d.c.original_creditor, search), contains(d.c.original_creditor_name, search)),
        )  # fmt: skip
        query = query.where(
            sa.or_(contains(t.c.creditor, search), contains(t.c.creditor_name, search), t.c.creditor.in_(taken_over))
        )
    return paged(connection, query, (t.c.amount.desc(), t.c.creditor), number)


def originals(connection: sa.Connection, ente: str, view: str, present: Sequence[str]) -> dict[str, list[sa.RowMapping]]:
    """By present creditor, the original ones whose documents it has: original_creditor, original_creditor_name."""
    d = table("debt_positions")
    query = (
        sa.select(d.c.creditor, d.c.original_creditor, sa.func.max(d.c.original_creditor_name).label("original_creditor_name"))
        .where(d.c.ente == ente, d.c.view == view, d.c.creditor.in_(present), d.c.original_creditor != d.c.creditor)
        .group_by(d.c.creditor, d.c.original_creditor)
        .order_by(d.c.creditor, d.c.original_creditor)
    )
    found: dict[str, list[sa.RowMapping]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["creditor"], []).append(row)
    return found


@dataclass(frozen=True)
class Debt:
    """One creditor's debt as present creditor: its name, stock in euro and documents in it by view, one row a bucket
    (bucket, and the amount by view; not_due: what is open and not due yet, which is no stock)."""

    name: str | None
    stock: dict[str, Decimal]
    documents: dict[str, int]
    ageing: list[dict[str, Any]]


def debt(connection: sa.Connection, ente: str, creditor: str) -> Debt:
    """A creditor's debt in every view in which it has documents; nothing in it for one without."""
    d = table("debt_positions")
    query = (
        sa.select(
            d.c.view, d.c.bucket, sa.func.sum(d.c.stock).label("stock"), sa.func.sum(d.c.open_amount).label("open"),
            sa.func.count().filter(d.c.stock != 0).label("documents"), sa.func.max(d.c.creditor_name).label("name"),
        )
        .where(d.c.ente == ente, d.c.view.in_(("right", "pcc", "projected")), d.c.creditor == creditor)
        .group_by(d.c.view, d.c.bucket)
    )  # fmt: skip
    rows = {(row.view, row.bucket): row for row in connection.execute(query)}
    views = [view for view in VIEWS if any(view == found for found, _ in rows)]
    ageing = []
    for bucket in buckets():
        row: dict[str, Any] = {"bucket": bucket}
        for view in views:
            part = rows.get((view, bucket))
            row[view] = ZERO if part is None else part.open if bucket == "not_due" else part.stock
        ageing.append(row)
    return Debt(
        next((row.name for row in rows.values() if row.name), None) or _former_name(connection, ente, creditor),
        {view: sum((row.stock for (found, _), row in rows.items() if found == view), ZERO) for view in views},
        {view: sum(row.documents for (found, _), row in rows.items() if found == view) for view in views},
        ageing,
    )


def _former_name(connection: sa.Connection, ente: str, creditor: str) -> str | None:
    """What someone is called who is only an original creditor."""
    d = table("debt_positions")
    wanted = (d.c.ente == ente, d.c.view == "right", d.c.original_creditor == creditor)
    name: str | None = connection.execute(sa.select(sa.func.max(d.c.original_creditor_name)).where(*wanted)).scalar()
    return name
