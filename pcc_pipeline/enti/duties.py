"""The duties of an ente as published: what is due when, and whether it is met. Who tells of them is `service.deadlines`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from pcc_pipeline.database.schema import table


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
