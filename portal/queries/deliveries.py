"""What an ente delivered, with its outcome, and the rows that were refused."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from portal.queries.paging import Page, paged


def deliveries(connection: sa.Connection, ente: str, page: int) -> Page:
    """Deliveries, latest first, in the columns of the register."""
    t = table("deliveries")
    return paged(connection, sa.select(t).where(t.c.ente == ente), (t.c.sequence.desc(),), page)


def all_deliveries(connection: sa.Connection, ente: str) -> Sequence[sa.RowMapping]:
    """Every delivery, latest first."""
    t = table("deliveries")
    return connection.execute(sa.select(t).where(t.c.ente == ente).order_by(t.c.sequence.desc())).mappings().all()


def delivery(connection: sa.Connection, ente: str, key: str) -> sa.RowMapping | None:
    """One delivery."""
    t = table("deliveries")
    return connection.execute(sa.select(t).where(t.c.ente == ente, t.c.delivery == key)).mappings().one_or_none()


def confirmed_by(connection: sa.Connection, ente: str, key: str) -> str | None:
    """Who confirmed that what a whole delivery does not have is gone; None where nobody did."""
    t = table("delivery_confirmations")
    return connection.execute(sa.select(t.c.decided_by).where(t.c.ente == ente, t.c.delivery == key)).scalar()


def defects(connection: sa.Connection, ente: str, key: str, page: int) -> Page:
    """What is wrong in a delivery: line, field, value, reason."""
    t = table("quarantine")
    query = sa.select(t.c.line, t.c.field, t.c.value, t.c.reason).where(t.c.ente == ente, t.c.delivery == key)
    return paged(connection, query, (t.c.line, t.c.field, t.c.reason), page)
