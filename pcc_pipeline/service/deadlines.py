"""The calendar of an ente's duties: what is due when, whether it is met, and what to say of it before and after.

The days are data (`rules/data/deadlines.csv`), laid out for each ente by the model `deadlines`. Who tells people (log,
e-mail) is the sensor's and the command's matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.italian import day
from pcc_pipeline.rules import rule_rows


@dataclass(frozen=True)
class DutyDate:
    """A duty of an ente: when it is due, the day that it concerns, and the day it was met (None: not, or not known here).

    `every` is YEAR or MONTH; `owed` is false where it is only advised (SIOPE+); `documents` is how many debts a monthly duty
    is about (None: not known yet); `met_by` is what shows that it is met (None: nothing here does).
    """

    ente: str
    duty: str
    due_on: date
    concerns_day: date
    words: str
    source: str
    met_on: date | None
    tracked: bool
    every: str = "YEAR"
    owed: bool = True
    documents: int | None = None
    met_by: str | None = None

    def days_left(self, today: date) -> int:
        """Days to the deadline; negative once past."""
        return (self.due_on - today).days


@dataclass(frozen=True)
class DutyAlert:
    """What is to be said of a deadline: info, warning or error, the words, and at how many days from it they are said."""

    deadline: DutyDate
    severity: str
    words: str
    days_left: int


def deadlines(engine: sa.Engine, first: date, last: date, ente: str | None = None) -> list[DutyDate]:
    """`deadlines_in`, over a connection of its own."""
    with engine.connect() as connection:
        return deadlines_in(connection, first, last, ente)


def deadlines_in(connection: sa.Connection, first: date, last: date, ente: str | None = None) -> list[DutyDate]:
    """The published deadlines due from `first` to `last`, of one ente or all, by day.

    A duty met by a publication is met on the day that figures for its day were first published at or after it.
    """
    d, p = table("deadlines"), table("publications")
    published = (
        sa.select(p.c.ente, p.c.reference_date, sa.func.min(p.c.published_at).label("at"))
        .group_by(p.c.ente, p.c.reference_date)
        .subquery()
    )
    met = sa.case(
        (d.c.met_by == "publication", sa.cast(sa.func.timezone("Europe/Rome", published.c.at), sa.Date)),
        else_=d.c.delivered_on,
    )
    query = (
        sa.select(
            d.c.ente,
            d.c.duty,
            d.c.due_on,
            d.c.concerns_day,
            d.c.words,
            d.c.source,
            met,
            d.c.met_by.is_not(None),
            d.c.every,
            d.c.owed,
            d.c.documents,
            d.c.met_by,
        )
        .outerjoin(published, sa.and_(published.c.ente == d.c.ente, published.c.reference_date == d.c.concerns_day))
        .where(d.c.due_on.between(first, last))
        .order_by(d.c.due_on, d.c.ente, d.c.duty)
    )
    if ente is not None:
        query = query.where(d.c.ente == ente)
    return [DutyDate(*row) for row in connection.execute(query)]


def alerts(found: Iterable[DutyDate], since: date, today: date) -> list[DutyAlert]:
    """What is to be said of deadlines from the day after `since` to `today`; nothing of what is met, or is about no debt.

    Of several alerts for one deadline that fall between the two days the latest stands. What is only advised is never urgent.
    """
    steps = sorted(
        ((int(row["days_left"]), row) for row in rule_rows("deadline_alerts")),
        reverse=True,
        key=lambda s: s[0],
    )
    said = []
    for deadline in found:
        if deadline.met_on is not None or deadline.documents == 0:
            continue
        # What cannot be seen to be met, or is only advised, is not called late.
        late = deadline.tracked and deadline.owed
        passed = [
            row
            for days, row in steps
            if row["every"] == deadline.every
            and since < deadline.due_on - timedelta(days=days) <= today
            and (late or days >= 0)
        ]
        if passed:
            about = f" ({deadline.documents} documenti)" if deadline.documents else ""
            words = f"{deadline.ente}: {deadline.words}{about}, {day(deadline.due_on)} ({passed[-1]['words']})"
            severity = passed[-1]["severity"] if deadline.owed else "info"
            said.append(DutyAlert(deadline, severity, words, int(passed[-1]["days_left"])))
    return said


def span() -> tuple[int, int]:
    """Days before and after a deadline within which some alert falls."""
    days = [int(row["days_left"]) for row in rule_rows("deadline_alerts")]
    return max(days), -min(days)
