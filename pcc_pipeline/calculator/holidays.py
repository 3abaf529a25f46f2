"""Italy's calendar: public holidays (library `holidays`), working days, the clock of an observation.

Support hours are data (`rules/data/support_hours.csv`) and their minutes SQL (`service_calendar`); this only gives
both sides the holidays.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache

import pyarrow as pa

from pcc_pipeline.clock import ROME

#: Years for which the holidays are laid out for SQL.
YEARS = range(2000, 2061)


@cache
def public_holidays() -> dict[date, str]:
    """Italian public holidays of YEARS, by day, named in Italian."""
    import holidays

    return dict(sorted(holidays.country_holidays("IT", years=YEARS, language="it").items()))


@cache
def holidays_table() -> pa.Table:
    """The holidays as a relation: day, name."""
    found = public_holidays()
    return pa.table({"day": pa.array(found.keys(), pa.date32()), "name": pa.array(found.values(), pa.string())})


def is_working_day(day: date, patron_saint: str | None = None) -> bool:
    """Monday to Friday, no public holiday, not the patron saint's feast (`MM-DD`)."""
    return day.weekday() < 5 and day not in public_holidays() and f"{day:%m-%d}" != patron_saint


def working_days_after(day: date, number: int, patron_saint: str | None = None) -> date:
    """The `number`-th working day after `day`, which itself does not count."""
    while number:
        day += timedelta(days=1)
        number -= is_working_day(day, patron_saint)
    return day


def observation_moment(observed_at: date, now: datetime | None = None) -> datetime:
    """Up to when facts are seen: the end of the day in Italy, but never later than now."""
    end = datetime.combine(observed_at + timedelta(days=1), time(), ROME)
    return min(end, now or datetime.now(ROME))
