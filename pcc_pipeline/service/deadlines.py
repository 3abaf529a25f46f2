"""The calendar of an ente's duties: what is due when, whether it is met, and what to say of it before and after.

The days are data (`rules/data/deadlines.csv`), laid out for each ente by the model `deadlines`. Who tells people (log,
e-mail) is the sensor's and the command's matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from pcc_pipeline.enti.duties import DutyDate, deadlines_in
from pcc_pipeline.italian import day
from pcc_pipeline.rules import rule_rows


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
