"""Time in Italy, where every term and every working hour of this field is counted."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

ROME = ZoneInfo("Europe/Rome")


def today() -> date:
    """The present day in Italy."""
    return datetime.now(ROME).date()
