"""The service's own figures for an ente: first contact, satisfaction, availability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table

#: Periods shown, the latest ones: two years of months.
PERIODS = 24


@dataclass(frozen=True)
class Levels:
    """Rows of a level, latest period first, and the same turned for charts."""

    rows: Sequence[Mapping[str, Any] | sa.RowMapping]
    by: str

    @property
    def periods(self) -> list[str]:
        """The periods, oldest first."""
        return sorted({row["period"] for row in self.rows})

    @property
    def series(self) -> list[str]:
        """The channels or components, ALL last."""
        return sorted({row[self.by] for row in self.rows}, key=lambda name: (name == "ALL", name))

    def value(self, period: str, name: str, column: str) -> Any:
        """A column of the row of a period and channel or component; None where there is no such row."""
        return next((row[column] for row in self.rows if row["period"] == period and row[self.by] == name), None)


def levels(connection: sa.Connection, ente: str, name: str, period_kind: str) -> Levels:
    """The last periods of a level (`sla_tickets`, `sla_satisfaction`, `sla_availability`)."""
    t = table(name)
    by = "service" if name == "sla_availability" else "channel"
    mine = (t.c.ente == ente, t.c.period_kind == period_kind)
    last = sa.select(t.c.period).where(*mine).distinct().order_by(t.c.period.desc()).limit(PERIODS)
    query = sa.select(t).where(*mine, t.c.period.in_(last)).order_by(t.c.period.desc(), t.c[by])
    return Levels(connection.execute(query).mappings().all(), by)


def with_live(recorded: Levels, rows: Sequence[sa.RowMapping], period: str, **more: Any) -> Levels:
    """The record with the period that runs as it is at this moment: the totals of all origins in `rows`."""
    now = [{**row, **more, "period": period} for row in rows if row["origin"] == "ALL"]
    return Levels([*now, *(row for row in recorded.rows if row["period"] != period)], recorded.by)


def breaches(connection: sa.Connection, ente: str) -> list[sa.RowMapping]:
    """Tickets that passed the limit, or are about to."""
    t = table("sla_breaches")
    return list(connection.execute(sa.select(t).where(t.c.ente == ente).order_by(t.c.opened_at.desc()).limit(50)).mappings())
