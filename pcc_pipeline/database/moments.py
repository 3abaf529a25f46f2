"""The present moment as the database has it, in an order that holds should the machine's clock go back.

What arrived after a file was sent may answer it, and what arrived before may not: their moments say which.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from pcc_pipeline.database.schema import table


def later_than_sent(connection: sa.Connection, ente: str) -> datetime:
    """The transaction's start, and after all that was sent for an ente."""
    m = table("model_files")
    sent = sa.select(sa.func.max(m.c.sent_at) + sa.text("interval '1 microsecond'")).where(m.c.ente == ente)
    return _later(connection, sa.func.now(), sent)


def not_before_arrivals(connection: sa.Connection, ente: str) -> datetime:
    """Now, and not before anything that arrived for an ente."""
    d = table("deliveries")
    return _later(connection, sa.func.clock_timestamp(), sa.select(sa.func.max(d.c.received_at)).where(d.c.ente == ente))


def _later(connection: sa.Connection, moment: sa.ColumnElement[datetime], known: sa.Select[tuple[datetime]]) -> datetime:
    found: datetime = connection.execute(sa.select(sa.func.greatest(moment, known.scalar_subquery()))).scalar_one()
    return found
