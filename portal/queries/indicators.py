"""Indicators, the FGDC test, the stock's trend and the deadlines of an ente."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.clock import today
from pcc_pipeline.database.schema import table
from pcc_pipeline.italian import INDICATORS


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


ZERO = Decimal("0.00")
#: Indicators in reading order; those of the FGDC are shown as a decision.
ORDER = tuple(INDICATORS)
FGDC = ("FGDC_RATE", "FGDC_AMOUNT")


@dataclass(frozen=True)
class Figures:
    """Indicators as a page shows them: those of this period, each by its latest period; and all by period, whose names are
    `periods`: years, then quarters, latest first."""

    present: Sequence[dict[str, Any]]
    periods: Sequence[str]
    names: Sequence[str]
    by_period: Mapping[tuple[str, str], dict[str, Any]]


def figures(rows: Sequence[dict[str, Any]], years: int = 3, quarters: int = 8) -> Figures:
    """What `indicators` found, arranged; a figure of a day is of the present alone."""
    found = {(row["name"], row["period"]): row for row in rows}
    of_year = sorted({p for _, p in found if len(p) == 4}, reverse=True)[:years]
    of_quarter = sorted({p for _, p in found if "-Q" in p}, reverse=True)[:quarters]
    names = [name for name in ORDER if any((name, period) in found for period in (*of_year, *of_quarter))]
    present = []
    for name in ORDER:
        # The year before its quarters; a day stands alone.
        own = sorted((period for one, period in found if one == name), key=lambda p: (p[:4], "-Q" not in p), reverse=True)
        if own and name not in FGDC:
            present.append(found[name, own[0]])
    return Figures(present, [*of_year, *of_quarter], names, found)


def greatest_parts(connection: sa.Connection, ente: str, name: str, period: str, view: str) -> list[sa.RowMapping]:
    """The documents that weigh most in a figure, greatest first, in the columns of `indicator_documents`."""
    t = table("indicator_documents")
    wanted = (t.c.ente == ente, t.c.name == name, t.c.period == period, t.c.view == view)
    return list(connection.execute(sa.select(t).where(*wanted).order_by(t.c.rank).limit(100)).mappings())


@dataclass(frozen=True)
class Fund:
    """What is to be set aside (FGDC), in the right view: the rate, of which budget (None: not stated), how many euro; what the
    stock and the delay ask for, how far the stock is above what is allowed; the steps in words."""

    rate: Decimal
    budget: Decimal | None
    amount: Decimal | None
    stock_rate: Decimal
    delay_rate: Decimal
    delay: Decimal
    stock: Decimal
    allowed: Decimal
    year: int
    steps: Sequence[sa.RowMapping]

    @property
    def too_much(self) -> Decimal:
        """By how much the stock is above what is allowed."""
        return max(self.stock - self.allowed, ZERO)


def fgdc(connection: sa.Connection, ente: str) -> Fund | None:
    """The FGDC test in the right view; None where it is not published."""
    t = table("fgdc_steps")
    query = sa.select(t).where(t.c.ente == ente, t.c.view == "right").order_by(t.c.step)
    steps = connection.execute(query).mappings().all()
    by_name = {row["name"]: row for row in steps}
    if not {"STOCK_SHARE", "STOCK_REDUCTION", "STOCK_DUTY", "DELAY_DUTY", "FGDC_RATE", "FGDC_AMOUNT"} <= set(by_name):
        return None
    amount, share = by_name["FGDC_AMOUNT"], by_name["STOCK_SHARE"]
    return Fund(
        rate=by_name["FGDC_RATE"]["rate"], budget=amount["bound"], amount=amount["value"],
        stock_rate=by_name["STOCK_DUTY"]["rate"] or ZERO, delay_rate=by_name["DELAY_DUTY"]["rate"] or ZERO,
        delay=by_name["DELAY_DUTY"]["value"] or ZERO, stock=share["value"],
        allowed=max(share["bound"], by_name["STOCK_REDUCTION"]["bound"]), year=share["year"], steps=steps,
    )  # fmt: skip


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
    query = sa.select(t).where(t.c.ente == ente, t.c.due_on >= today() - timedelta(31)).order_by(t.c.due_on, t.c.duty)
    return list(connection.execute(query.limit(30)).mappings())
