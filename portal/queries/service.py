"""The service's own figures for an ente: first contact, satisfaction, availability; its tickets."""

from __future__ import annotations

import sqlalchemy as sa

from pcc_pipeline.database.schema import table


def levels(connection: sa.Connection, ente: str, name: str, period_kind: str) -> list[sa.RowMapping]:
    """Rows of a level (`sla_tickets`, `sla_satisfaction`, `sla_availability`) by period, latest first."""
    t = table(name)
    by = t.c.service if name == "sla_availability" else t.c.channel
    query = sa.select(t).where(t.c.ente == ente, t.c.period_kind == period_kind).order_by(t.c.period.desc(), by)
    return list(connection.execute(query.limit(120)).mappings())


def breaches(connection: sa.Connection, ente: str) -> list[sa.RowMapping]:
    """Tickets that passed the limit, or are about to."""
    t = table("sla_breaches")
    return list(connection.execute(sa.select(t).where(t.c.ente == ente).order_by(t.c.opened_at.desc()).limit(50)).mappings())
