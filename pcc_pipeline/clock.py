"""Time in Italy, where every term and every working hour of this field is counted; and whether something is due again."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

ROME = ZoneInfo("Europe/Rome")


def today() -> date:
    """The present day in Italy."""
    return datetime.now(ROME).date()


def is_due(last: float, now: float, seconds: float) -> bool:
    """Whether so many seconds have passed since the last time; one that is still to come is of a clock that went back."""
    return not 0 <= now - last < seconds
