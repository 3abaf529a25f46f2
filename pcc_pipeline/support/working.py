"""Support time between two moments: the same calendar and the same hours as `service_calendar`, kept ready in memory.

Working time up to a moment is one number, counted from the first day of the support hours on. So the time between two
moments is a difference, which SQL works out over any number of tickets without a calendar.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import accumulate

from pcc_pipeline.calculator.holidays import YEARS, public_holidays
from pcc_pipeline.clock import ROME
from pcc_pipeline.rules import rule_rows, threshold

MINUTE = 60_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def limit_minutes(on: date) -> int:
    """Working minutes to first contact in force on a day of opening; 0 where no limit was in force yet."""
    return _threshold("first_contact_minutes", on)


def warning_minutes(on: date) -> int:
    """Working minutes left at which a ticket is about to breach."""
    return _threshold("first_contact_warning_minutes", on)


@dataclass(frozen=True)
class WorkingTime:
    """The support hours of each day from `first` on: when they begin, how long they are, how long all before it were (µs)."""

    first: date
    opens: tuple[int, ...]
    works: tuple[int, ...]
    before: tuple[int, ...]

    def worked(self, moment: datetime) -> int:
        """Microseconds of support time up to a moment."""
        at = (moment.astimezone(ROME).date() - self.first).days
        if at < 0:
            return 0
        at = min(at, len(self.opens) - 1)
        return self.before[at] + max(0, min(self.works[at], _micros(moment) - self.opens[at]))

    def moment(self, worked: int) -> datetime | None:
        """The first moment at which so much support time is used up; None beyond the calendar."""
        # The first day at whose end so much has passed.
        at = bisect_left(self.before, worked, lo=1) - 1
        if at >= len(self.works) - 1:
            return None
        return _EPOCH + timedelta(microseconds=self.opens[at] + worked - self.before[at])


@lru_cache(maxsize=400)
def working_time(patron_saint: str | None) -> WorkingTime:
    """The calendar of an ente with that patron's day (`MM-DD`; None: none)."""
    first, days = _days()
    works = tuple(0 if f"{first + timedelta(days=n):%m-%d}" == patron_saint else long for n, (_, long) in enumerate(days))
    before = (0, *accumulate(works))
    return WorkingTime(first, tuple(opens for opens, _ in days), works, before[:-1])


@cache
def _days() -> tuple[date, list[tuple[int, int]]]:
    """The first day with support hours, and for it and each later one when they begin and how long they are."""
    hours: dict[int, list[dict[str, str]]] = {}
    for row in rule_rows("support_hours"):
        hours.setdefault(int(row["weekday"]), []).append(row)
    first = min(date.fromisoformat(row["valid_from"]) for rows in hours.values() for row in rows)
    free, found, day = public_holidays(), [], first
    while day < date(YEARS.stop, 1, 1):
        text = day.isoformat()
        valid = [row for row in hours.get(day.isoweekday(), ()) if row["valid_from"] <= text <= (row["valid_to"] or text)]
        if not valid or day in free:
            found.append((0, 0))
        else:
            opens, closes = (_at(day, valid[0][end]) for end in ("opens", "closes"))
            found.append((opens, closes - opens))
        day += timedelta(days=1)
    return first, found


def _threshold(name: str, on: date) -> int:
    try:
        return int(threshold(name, on))
    except ValueError:
        return 0


def _at(day: date, hour: str) -> int:
    return _micros(datetime.combine(day, time.fromisoformat(hour), ROME))


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
