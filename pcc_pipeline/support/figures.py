"""The service's figures of an ente as they are at this moment, counted from the support desk's tables at each look.

Arithmetic and readings are those of the models of the service levels, which make the night's record: at two o'clock, when
nothing was done since midnight, both say the same. What an external ticketing system delivered stands beside (origin FEED),
as of the last night. Working time is a difference of two stored numbers, so that nothing is calculated row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.clock import ROME
from pcc_pipeline.rules import threshold
from pcc_pipeline.support.working import MINUTE, warning_minutes, working_time


@dataclass(frozen=True)
class Live:
    """Figures of the period that runs: its name, and rows by origin and channel (ALL for all together), in that order.

    `standing` counts what is open or waits now, whenever it was opened. `availability` is None where nothing was measured.
    """

    period: str
    tickets: Sequence[sa.RowMapping]
    standing: Sequence[sa.RowMapping]
    judgements: Sequence[sa.RowMapping]
    availability: dict[str, Any] | None

    def row(self, name: str, channel: str = "ALL", origin: str = "ALL") -> sa.RowMapping | None:
        """A row of `tickets`, `standing` or `judgements`; None where there is none."""
        rows: Sequence[sa.RowMapping] = getattr(self, name)
        return next((row for row in rows if row["channel"] == channel and row["origin"] == origin), None)

    def shown(self, name: str) -> list[sa.RowMapping]:
        """Rows of `tickets` or `judgements` by channel, all together last; the two origins apart only where there are both."""
        rows: Sequence[sa.RowMapping] = getattr(self, name)
        both = len({row["origin"] for row in rows} - {"ALL"}) > 1
        wanted = [row for row in rows if (row["origin"] == "ALL") != (both and row["channel"] != "ALL")]
        return sorted(wanted, key=lambda row: (row["channel"] == "ALL", row["origin"] == "FEED", row["channel"]))


_MINUTES = "round({0} / 60000000.0, 2)"

#: The tickets of an ente by origin, in the same columns.
_TICKETS = """
    select 'DESK' as origin, t.channel, t.closed_at is null as open_now, t.first_contact_at is null as waiting,
        coalesce(t.worked_at_contact, c.worked) - t.worked_at_opening as waited, t.limit_minutes
    from pcc.support_tickets as t
    left join unnest(cast(:patrons as text[]), cast(:worked as bigint[])) as c (patron, worked)
        on c.patron = coalesce(t.patron_saint, '')
    where t.ente = :ente and {0}
    union all
    select origin, channel, closed_at is null, waiting, waited, limit_minutes
    from pcc.ticket_contacts as t
    where t.ente = :ente and t.origin = 'FEED' and {0}
"""

_OPENED = f"""
with tickets as ({_TICKETS.format("t.opened_at >= :since and t.opened_at <= :now")}), judged as (
    select *, waited > limit_minutes * 60000000 as breached,
        {_MINUTES.format("waited")} as minutes from tickets
)
select coalesce(origin, 'ALL') as origin, coalesce(channel, 'ALL') as channel, count(*) as opened,
    count(*) filter (where open_now) as open_now,
    count(*) filter (where waiting) as waiting,
    cast(cast({_MINUTES.format("sum(waited)")} as double precision) / count(*) as numeric(18, 2)) as mean_minutes,
    cast({_MINUTES.format("max(waited)")} as numeric(18, 2)) as max_minutes,
    count(*) filter (where not breached) as within_limit,
    count(*) filter (where breached) as breaches,
    cast(100.0 * count(*) filter (where not breached) / count(*) as numeric(18, 8)) as within_share,
    count(*) filter (where waiting and not breached and limit_minutes - minutes <= :warning) as about_to_breach
from judged
group by grouping sets ((origin, channel), (origin), (channel), ())
having count(*) > 0
order by 1, 2
"""

_STANDING = f"""
with tickets as ({_TICKETS.format("t.closed_at is null and t.opened_at <= :now")})
select coalesce(origin, 'ALL') as origin, coalesce(channel, 'ALL') as channel, count(*) as open_now,
    count(*) filter (where waiting) as waiting,
    count(*) filter (where waiting and waited > limit_minutes * 60000000) as late,
    count(*) filter (where waiting and waited <= limit_minutes * 60000000
        and limit_minutes - {_MINUTES.format("waited")} <= :warning) as about_to_breach
from tickets
group by grouping sets ((origin, channel), (origin), (channel), ())
having count(*) > 0
order by 1, 2
"""

_JUDGEMENTS = """
with given as (
    select 'DESK' as origin, channel, verdict
    from pcc.support_judgements
    where ente = :ente and judged_at >= :since and judged_at <= :now
    union all
    select origin, channel, verdict
    from pcc.ticket_judgements
    where ente = :ente and origin = 'FEED' and judged_at >= :since and judged_at <= :now
)
select coalesce(origin, 'ALL') as origin, coalesce(channel, 'ALL') as channel, count(*) as ratings,
    count(*) filter (where verdict = 'POSITIVO') as positive,
    count(*) filter (where verdict = 'NEUTRO') as neutral,
    count(*) filter (where verdict = 'NEGATIVO') as negative,
    cast(100.0 * count(*) filter (where verdict = 'POSITIVO') / count(*) as numeric(18, 8)) as positive_share,
    cast(100.0 * count(*) filter (where verdict = 'NEUTRO') / count(*) as numeric(18, 8)) as neutral_share,
    cast(100.0 * count(*) filter (where verdict = 'NEGATIVO') / count(*) as numeric(18, 8)) as negative_share
from given
group by grouping sets ((origin, channel), (origin), (channel), ())
having count(*) > 0
order by 1, 2
"""

#: What the night counted of the period, and the stretches measured since, by the models' reading: a measurement stands until
#: the next of its component, but no longer than the gap allowed; ALL is down while any component is.
_AVAILABLE = """
with record as (
    select measured_minutes, down_minutes, seen_until from pcc.sla_availability
    where ente = :ente and service = 'ALL' and period_kind = :kind and period = :period
), start as (
    select greatest(cast(:since as timestamptz), coalesce((select seen_until from record), '-infinity')) as since
), measured as (
    select service, measured_at, up, lead(measured_at) over of_one as next_at, lag(measured_at) over of_one as last_at
    from pcc.service_measures
    where measured_at > (select since from start) - make_interval(mins => :gap) and measured_at <= :now
    window of_one as (partition by service order by measured_at)
), spans as (
    select greatest(measured_at, start.since) as began, up,
        least(measured_at + least(make_interval(mins => :gap), coalesce(next_at - measured_at, measured_at - last_at,
            make_interval(mins => :gap))), cast(:now as timestamptz)) as ended
    from measured, start
), pieces as (
    select false as down, began, ended from spans where ended > began
    union all
    select true, began, ended from spans where ended > began and not up
), marked as (
    select *, began > coalesce(max(ended) over (partition by down order by began, ended
        rows between unbounded preceding and 1 preceding), '-infinity') as begins
    from pieces
), numbered as (
    select *, count(*) filter (where begins) over (partition by down order by began, ended rows unbounded preceding) as stretch
    from marked
), stretches as (
    select down, min(began) as began, max(ended) as ended from numbered group by down, stretch
)
select
    coalesce((select measured_minutes from record), 0)
        + coalesce(sum(extract(epoch from ended - began)) filter (where not down), 0) / 60 as measured,
    coalesce((select down_minutes from record), 0)
        + coalesce(sum(extract(epoch from ended - began)) filter (where down), 0) / 60 as down
from stretches
"""


def live(connection: sa.Connection, ente: str, now: datetime, kind: str = "month") -> Live:
    """The figures of the month (or `quarter`) that runs at a moment, of one ente."""
    day = now.astimezone(ROME).date()
    first, period = _period(day, kind)
    given: dict[str, Any] = {
        "ente": ente, "since": datetime.combine(first, time(), ROME), "now": now,
        "warning": warning_minutes(day), "kind": kind, "period": period,
    }  # fmt: skip
    patrons = sa.text(
        "select distinct patron_saint from pcc.support_tickets where ente = :ente and closed_at is null and opened_at <= :now"
    )
    calendars = list(connection.execute(patrons, given).scalars())
    given |= {
        "patrons": [patron or "" for patron in calendars],
        "worked": [working_time(patron).worked(now) for patron in calendars],
    }
    tickets, standing, judgements = (
        connection.execute(sa.text(query), given).mappings().all() for query in (_OPENED, _STANDING, _JUDGEMENTS)
    )
    return Live(period, tickets, standing, judgements, _availability(connection, given, first, kind))


def minutes_left(ticket: Mapping[Any, Any], now: datetime) -> int | None:
    """Whole working minutes left to the first contact, negative once the limit is passed; None after it."""
    if ticket["first_contact_at"] is not None:
        return None
    waited = working_time(ticket["patron_saint"]).worked(now) - ticket["worked_at_opening"]
    return int((ticket["limit_minutes"] * MINUTE - waited) // MINUTE)


def _availability(connection: sa.Connection, given: dict[str, Any], first: date, kind: str) -> dict[str, Any] | None:
    gap = _number("probe_gap_minutes", first, 15)
    row = connection.execute(sa.text(_AVAILABLE), {**given, "gap": int(gap)}).one()
    if not row.measured:
        return None
    target = _number("availability_percent", given["now"].astimezone(ROME).date(), 0)
    ends = datetime.combine(_period(first + timedelta(days=32 if kind == "month" else 93), kind)[0], time(), ROME)
    seconds = int(ends.timestamp() - given["since"].timestamp())  # by the clock that never jumps
    budget = Decimal(seconds) / 60 * (100 - target) / 100
    return {
        "measured_minutes": row.measured,
        "down_minutes": row.down,
        "availability": 100 * (row.measured - row.down) / row.measured,
        "target": target,
        "budget_minutes": budget,
        "budget_left_minutes": budget - Decimal(row.down),
    }


def _number(name: str, on: date, missing: int) -> Decimal:
    try:
        return Decimal(threshold(name, on))
    except ValueError:
        return Decimal(missing)


def _period(day: date, kind: str) -> tuple[date, str]:
    """The first day and the name of the month or quarter of a day."""
    if kind == "month":
        return day.replace(day=1), f"{day:%Y-%m}"
    quarter = (day.month - 1) // 3
    return date(day.year, quarter * 3 + 1, 1), f"{day.year}-Q{quarter + 1}"
