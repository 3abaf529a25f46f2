"""The provider's morning: all enti in one table, the most urgent first, in one query over small tables.

What makes an ente urgent is data (`rules/data/urgency.csv`): each signal that holds gives its points, and they are summed. A
promise or a law that is broken weighs more than all that soon will be, and that more than all that waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.clock import ROME
from pcc_pipeline.review.uploads import still_days
from pcc_pipeline.rules import rule_rows, threshold
from pcc_pipeline.support.working import MINUTE, warning_minutes, working_time
from portal.queries.paging import containing

#: When each signal of `urgency` holds, over the columns of a row.
_HOLDS = {
    "TICKET_LATE": "tickets_late > 0",
    "LIFE_LATE": "at_risk and next_due_on < :today",
    "DUTY_LATE": "duty_on < :today",
    "BLOCKED": "blocked",
    "TICKET_NEAR": "tickets_near > 0",
    "LIFE_NEAR": "at_risk and (next_due_on is null or next_due_on >= :today)",
    "DUTY_NEAR": "duty_on between :today and :duty_until",
    "FILE_STILL": "to_upload_since < :upload_before or to_answer_since < :answer_before",
    "OLD": "processed and (published_at is null or published_at < :old_before)",
    "QUESTIONS": "questions > 0",
    "OPERATIONS": "operations > 0",
    "FILES": "to_upload + to_answer > 0",
    "REFUSED": "refused > 0",
    "FAILING": "failing > 0",
}
_POINTS = {row["signal"]: int(row["points"]) for row in rule_rows("urgency")}
#: The signals, in the rule's order.
SIGNALS = tuple(_POINTS)
#: What a sum of points is called: from so many points on.
LEVELS = ((100, "NOW"), (10, "SOON"), (1, "WAITING"), (0, "QUIET"))

_ZERO = ("questions", "operations", "to_upload", "to_answer")
#: One ente, or all: asked of each table, so that of the others nothing is read.
_ASKED = "(cast(:ente as text) is null or {0} = :ente)"
_TOLD = f"""
with life as (
    select codice_ente as ente, denominazione, state, processed, next_deadline, next_due_on, at_risk, why
    from pcc.service_life where state <> 'erased' and {_ASKED.format("codice_ente")}
), checks as (
    select ente, count(*) as failing, bool_or(blocking) as blocked, min(since) as failing_since
    from pcc.failing_checks where {_ASKED.format("ente")} group by ente
), refusals as (
    select d.ente, count(*) as refused, min(d.received_at) as refused_since from pcc.deliveries as d
    where d.status = 'refused' and d.received_at > :refused_after and {_ASKED.format("d.ente")} and not exists (
        select from pcc.deliveries as later
        where later.ente = d.ente and later.status = 'staged' and later.kind = d.kind and later.sequence > d.sequence
    )
    group by d.ente
), tickets as (
    select ente, count(*) as tickets, min(deadline_at) as tickets_until,
        count(*) filter (where deadline_at < :now) as tickets_late,
        count(*) filter (where deadline_at between :now and :near) as tickets_near
    from pcc.support_tickets where closed_at is null and first_contact_at is null and {_ASKED.format("ente")} group by ente
), joined as (
    select coalesce(s.ente, life.ente) as ente, life.denominazione, s.reference_date, s.published_at, s.pcc_amount,
        s.right_amount, s.projected_amount, s.explained_amount, s.pcc_amount - s.right_amount as difference,
        s.questions_since, s.to_upload_since, s.to_answer_since, s.duty_on, s.duty, life.state, life.next_deadline,
        life.next_due_on, life.why, checks.failing_since, refusals.refused_since, tickets.tickets_until,
        {", ".join(f"coalesce(s.{name}, 0) as {name}" for name in _ZERO)},
        coalesce(life.processed, true) as processed, coalesce(life.at_risk, false) as at_risk,
        coalesce(checks.failing, 0) as failing, coalesce(checks.blocked, false) as blocked,
        coalesce(refusals.refused, 0) as refused, coalesce(tickets.tickets, 0) as tickets,
        coalesce(tickets.tickets_late, 0) as tickets_late, coalesce(tickets.tickets_near, 0) as tickets_near
    from (select * from pcc.ente_standing where {_ASKED.format("ente")}) as s
    full join life on life.ente = s.ente
    left join checks on checks.ente = coalesce(s.ente, life.ente)
    left join refusals on refusals.ente = coalesce(s.ente, life.ente)
    left join tickets on tickets.ente = coalesce(s.ente, life.ente)
), told as (
    select *, {" + ".join(f"case when {_HOLDS[name]} then {points} else 0 end" for name, points in _POINTS.items())} as urgency,
        array_remove(array[{", ".join(f"case when {_HOLDS[name]} then '{name}' end" for name in _POINTS)}], null) as signals
    from joined
    where (cast(:searched as text) is null or ente ilike :searched or denominazione ilike :searched)
      and (cast(:state as text) is null or state = :state)
)
"""
_COUNTS = f"""(select jsonb_strip_nulls(jsonb_build_object(
    {", ".join(f"'{name}', nullif(count(*) filter (where {_HOLDS[name]}), 0)" for name in _POINTS)}
)) from told)"""
_ROWS = f"""
select told.*, count(*) over () as total, {_COUNTS} as counts
from told
where cast(:signal as text) is null or :signal = any(signals)
order by urgency desc, abs(difference) desc nulls last, ente
limit :size offset :skip
"""

#: Enti on a page: a row has sixteen cells, and drawing them is half of the page's time.
ROWS = 30


@dataclass(frozen=True)
class EntiFilter:
    """What the table is narrowed to: part of a code or name, a state of the service, a signal; null narrows nothing."""

    searched: str | None = None
    state: str | None = None
    signal: str | None = None


@dataclass(frozen=True)
class Morning:
    """A page of the table, most urgent first: its rows, its number, whether another follows, how many enti the filter has,
    and how many of the searched ones have each signal."""

    rows: Sequence[Mapping[str, Any]]
    number: int
    more: bool
    total: int
    counts: Mapping[str, int]


def morning(
    connection: sa.Connection, now: datetime, wanted: EntiFilter = EntiFilter(), number: int = 1, size: int | None = ROWS
) -> Morning:  # fmt: skip
    """The enti as they stand at a moment; all of them where `size` is null. The connection sees all enti (`provider`)."""
    number = max(number, 1)
    given = {**_moments(now), **_wanted(wanted), "size": None if size is None else size + 1, "skip": (number - 1) * (size or 0)}
    found = [dict(row) for row in connection.execute(sa.text(_TOLD + _ROWS), given).mappings()]
    for row in found:
        row["level"] = next(name for points, name in LEVELS if row["urgency"] >= points)
    if found:
        total, counts = found[0]["total"], found[0]["counts"]
    else:
        total, counts = 0, connection.execute(sa.text(f"{_TOLD} select {_COUNTS}"), given).scalar_one()
    return Morning(found if size is None else found[:size], number, size is not None and len(found) > size, total, counts)


def standing(connection: sa.Connection, now: datetime, ente: str) -> sa.RowMapping | None:
    """One ente's row of the table; None where neither a publication nor the register knows it."""
    given = {**_moments(now), **_wanted(EntiFilter()), "ente": ente}
    query = sa.text(_TOLD + "select * from told")
    return connection.execute(query, given).mappings().one_or_none()


def failing(connection: sa.Connection, ente: str) -> list[sa.RowMapping]:
    """The checks of an ente that fail: those that block first, then the oldest."""
    query = sa.text('select * from pcc.failing_checks where ente = :ente order by blocking desc, since, "check"')
    return list(connection.execute(query, {"ente": ente}).mappings())


def _wanted(wanted: EntiFilter) -> dict[str, Any]:
    searched = None if wanted.searched is None else containing(wanted.searched)
    return {"ente": None, "searched": searched, "state": wanted.state, "signal": wanted.signal}


def _moments(now: datetime) -> dict[str, Any]:
    today, calendar, still = now.astimezone(ROME).date(), working_time(None), still_days(now.astimezone(ROME).date())

    def days(name: str) -> timedelta:
        return timedelta(days=int(threshold(name, today)))

    return {
        "now": now, "today": today,
        "near": calendar.moment(calendar.worked(now) + warning_minutes(today) * MINUTE) or now,
        "duty_until": today + days("duty_near_days"), "old_before": now - days("old_publication_days"),
        "refused_after": now - days("refused_days"),
        # As `review.uploads.standing_still` counts them: by days in Italy.
        "upload_before": datetime.combine(today - timedelta(days=still["NOT_UPLOADED"]), time(), ROME),
        "answer_before": datetime.combine(today - timedelta(days=still["NOT_ANSWERED"]), time(), ROME),
    }  # fmt: skip
