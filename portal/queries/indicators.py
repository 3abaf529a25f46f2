"""Indicators, the FGDC test, the stock's trend and the deadlines of an ente."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table


def indicators(connection: sa.Connection, ente: str) -> list[dict[str, Any]]:
    """One row per name and period, latest period first: name, period, unit, the value by view, and notes by view."""
    t = table("indicators")
    query = sa.select(t.c.name, t.c.period, t.c.unit, t.c.view, t.c.value, t.c.note).where(t.c.ente == ente)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for found in connection.execute(query.order_by(t.c.name, t.c.period.desc())):
        new = {"name": found.name, "period": found.period, "unit": found.unit, "notes": {}}
        row = rows.setdefault((found.name, found.period), new)
        row[found.view] = found.value
        if found.note:
            row["notes"][found.view] = found.note
    return list(rows.values())


def greatest_parts(connection: sa.Connection, ente: str, name: str, period: str, view: str) -> list[sa.RowMapping]:
    """The documents that weigh most in a figure, greatest first, in the columns of `indicator_documents`."""
    t = table("indicator_documents")
    wanted = (t.c.ente == ente, t.c.name == name, t.c.period == period, t.c.view == view)
    return list(connection.execute(sa.select(t).where(*wanted).order_by(t.c.rank).limit(100)).mappings())


def fgdc(connection: sa.Connection, ente: str) -> list[sa.RowMapping]:
    """The steps of the FGDC test in the right view."""
    t = table("fgdc_steps")
    query = sa.select(t).where(t.c.ente == ente, t.c.view == "right").order_by(t.c.step)
    return list(connection.execute(query).mappings())


def trend(connection: sa.Connection, ente: str) -> list[dict[str, Any]]:
    """One row per month's end, oldest first: day, and the stock by view."""
    t = table("stock_trend")
    query = sa.select(t.c.day, t.c.view, t.c.amount).where(t.c.ente == ente, t.c.month_end).order_by(t.c.day)
    rows: dict[Any, dict[str, Any]] = {}
    for found in connection.execute(query):
        rows.setdefault(found.day, {"day": found.day})[found.view] = found.amount
    return list(rows.values())[-24:]


def deadlines(connection: sa.Connection, ente: str) -> list[sa.RowMapping]:
    """Duties ahead and of the last month, nearest first."""
    t = table("deadlines")
    query = sa.select(t).where(t.c.ente == ente, t.c.due_on >= sa.func.current_date() - 31).order_by(t.c.due_on, t.c.duty)
    return list(connection.execute(query.limit(30)).mappings())
