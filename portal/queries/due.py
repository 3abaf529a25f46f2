"""The calendar of due dates: what is open by month of a year and by day of a month, in one view."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa

from pcc_pipeline.database.schema import table

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class DueTotals:
    """What falls due from `first` to `last`: open amount in euro (credit notes take away), documents that make it."""

    first: date
    last: date
    amount: Decimal = ZERO
    documents: int = 0


def month_of(day: date) -> tuple[date, date]:
    """The first and last day of a day's month."""
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


def by_month(connection: sa.Connection, ente: str, view: str, year: int) -> list[DueTotals]:
    """The twelve months of a year."""
    days = _days(connection, ente, view, date(year, 1, 1), date(year, 12, 31))
    months = {month: month_of(date(year, month, 1)) for month in range(1, 13)}
    return [
        DueTotals(
            first, last,
            sum((due.amount for day, due in days.items() if day.month == month), ZERO),
            sum(due.documents for day, due in days.items() if day.month == month),
        )
        for month, (first, last) in months.items()
    ]  # fmt: skip


def by_day(connection: sa.Connection, ente: str, view: str, day: date) -> list[list[DueTotals | None]]:
    """The weeks of a day's month, from Monday; None for days of other months."""
    first, last = month_of(day)
    days = _days(connection, ente, view, first, last)
    return [
        [days.get(one, DueTotals(one, one)) if one.month == first.month else None for one in week]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
    ]


def _days(connection: sa.Connection, ente: str, view: str, first: date, last: date) -> dict[date, DueTotals]:
    """The days on which something is open: at most one row a day, whatever the number of documents."""
    t = table("debt_positions")
    query = (
        sa.select(t.c.due_date, sa.func.sum(t.c.open_amount), sa.func.count())
        .where(t.c.ente == ente, t.c.view == view, t.c.due_date.between(first, last), t.c.open_amount != 0)
        .group_by(t.c.due_date)
    )
    return {day: DueTotals(day, day, amount, documents) for day, amount, documents in connection.execute(query)}


def neighbours(day: date) -> tuple[date, date]:
    """The first days of the months before and after a day's."""
    first, last = month_of(day)
    return month_of(first - timedelta(days=1))[0], last + timedelta(days=1)
