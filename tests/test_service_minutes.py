"""Working minutes of the SQL models against an independent slow way: a minute of the calendar at a time.

The slow way shares nothing with the models: its own Easter, its own list of holidays, Python's time zones, and a
yes or no for every minute of eight years, counted up.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import models
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pcc_pipeline.calculator import Calculation, Calculator, Parameters
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA
from pcc_pipeline.clock import ROME
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import FEEDS

FIRST, LAST = datetime(2019, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
PATRON = "06-24"
FIXED = ((1, 1), (1, 6), (4, 25), (5, 1), (6, 2), (8, 15), (11, 1), (12, 8), (12, 25), (12, 26))


def easter(year: int) -> date:
    """Gauss's Easter, as Meeus wrote it down."""
    a, b, c = year % 19, year // 100, year % 100
    d, e, f = b // 4, b % 4, (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def is_open(moment: datetime) -> bool:
    """Whether support works in the hour that begins at this moment (clocks change on whole hours)."""
    local = moment.astimezone(ROME)
    day = local.date()
    closed = (day.month, day.day) in FIXED or day == easter(day.year) + timedelta(days=1)
    # San Francesco is a public holiday again from 2026 (L. 151/2025).
    closed |= day.year >= 2026 and (day.month, day.day) == (10, 4)
    return day.weekday() < 5 and 8 <= local.hour < 18 and not closed and f"{day:%m-%d}" != PATRON


class SlowClock:
    """Counts working seconds by looking at every minute."""

    def __init__(self) -> None:
        hours = int((LAST - FIRST).total_seconds() // 3600)
        self.open = np.repeat([is_open(FIRST + timedelta(hours=hour)) for hour in range(hours)], 60)
        self.before = np.concatenate([[0], np.cumsum(self.open)])

    def until(self, seconds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Working seconds from FIRST to so many seconds after it."""
        minute = seconds // 60
        return self.before[minute] * 60 + self.open[minute] * (seconds % 60)


@pytest.fixture(scope="module")
def clock() -> SlowClock:
    return SlowClock()


def waited(home: Path, opened: pa.Array, contacted: pa.Array) -> np.ndarray[Any, Any]:
    """Working seconds of each interval, as the models count them."""
    count = len(opened)
    columns = {
        "ente": pa.repeat("alfa", count), "delivery": pa.repeat("d", count), "line": pa.array(range(1, count + 1), pa.int64()),
        "id": pa.array([f"{n:07d}" for n in range(count)]), "codice_ente": pa.nulls(count, pa.string()), "canale": pa.repeat("EMAIL", count),
        "aperto_il": opened, "primo_contatto_il": contacted, "chiuso_il": pa.nulls(count, pa.timestamp("us", "UTC")),
        "oggetto": pa.nulls(count, pa.string()),
    }  # fmt: skip
    settings = Settings.at(home, threads=2)
    store = Store(settings.store_url)
    with store.write("staging/alfa/tickets/d.parquet") as target:
        pq.write_table(pa.table(columns, schema=FEEDS["tickets"].arrow_schema), target)
    delivery = {
        "delivery": "d",
        "kind": "tickets",
        "sequence": 1,
        "file": "t.csv",
        "part": "d",
        "received_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    parameters = Parameters(date(2026, 11, 1), date(2026, 11, 1), patron_saint=PATRON)
    inputs = Calculation("alfa", parameters, pa.Table.from_pylist([delivery], schema=DELIVERIES_SCHEMA))
    got = models.Reconciled(Calculator(settings, store), inputs)
    found = got.rows("ticket_contacts", "id_ticket", "waited", "minutes")
    assert [row[0] for row in found] == [f"{n:07d}" for n in range(count)]
    assert all(abs(float(row[2]) - row[1] / 60e6) <= 0.005 for row in found[:1000])
    return np.array([row[1] for row in found]) / 1e6


def moments(seconds: np.ndarray[Any, Any]) -> pa.Array:
    start = int(FIRST.timestamp())
    return pa.array((seconds + start) * 1_000_000, pa.int64()).cast(pa.timestamp("us", "UTC"))


def test_a_hundred_thousand_random_intervals_are_equal(clock: SlowClock, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    count = 100_000
    span = int((datetime(2026, 10, 31, tzinfo=UTC) - FIRST).total_seconds())
    opened = random.integers(0, span - 1, count)
    # Short, long and very long waits; one in four to the minute, where edges are; many about the changes of clocks.
    length = np.select(
        [random.random(count) < 0.4, random.random(count) < 0.7],
        [random.integers(0, 86_400, count), random.integers(0, 30 * 86_400, count)],
        random.integers(0, 900 * 86_400, count),
    )
    changes = [
        datetime(y, m, 31, 1, tzinfo=UTC) - timedelta(days=datetime(y, m, 31, tzinfo=UTC).isoweekday() % 7)
        for y in range(2019, 2026)
        for m in (3, 10)
    ]
    near = np.array([int((change - FIRST).total_seconds()) for change in changes])
    opened[: count // 10] = random.choice(near, count // 10) + random.integers(-4 * 86_400, 4 * 86_400, count // 10)
    whole = random.random(count) < 0.25
    opened[whole] -= opened[whole] % 60
    ended = np.minimum(opened + length, span)
    ended[whole] -= ended[whole] % 60
    ended = np.maximum(ended, opened)
    expected = clock.until(ended) - clock.until(opened)
    assert np.array_equal(waited(tmp_path, moments(opened), moments(ended)), expected)
    assert (expected == 0).sum() > 1000 and expected.max() > 10_000_000


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME).astimezone(UTC)


@pytest.mark.parametrize(
    ("opened", "contacted", "minutes"),
    [
        ("2025-12-05 17:59", "2025-12-09 08:01", 2),  # Friday; Monday is the Immacolata
        ("2025-12-05 18:00", "2025-12-09 08:00", 0),
        ("2025-12-08 10:00", "2025-12-09 09:00", 60),  # opened on a holiday
        ("2025-12-06 10:00", "2025-12-07 23:00", 0),  # within a weekend
        ("2025-12-03 19:30", "2025-12-04 07:30", 0),  # contact before opening hours
        ("2025-12-03 07:59", "2025-12-03 08:00", 0),
        ("2025-12-03 08:00", "2025-12-03 18:00", 600),
        ("2025-12-03 08:00:30", "2025-12-03 08:01", 0.5),
        ("2025-03-28 17:00", "2025-03-31 09:00", 120),  # clocks forward in between
        ("2025-10-24 17:00", "2025-10-27 09:00", 120),  # clocks back
        ("2025-06-23 17:00", "2025-06-25 08:30", 90),  # the patron saint in between
        ("2025-04-18 08:00", "2025-04-22 09:00", 660),  # Easter: Friday works, Monday does not
        ("2026-01-05 17:00", "2026-01-07 08:30", 90),  # Epiphany
    ],
)  # fmt: skip
def test_edges(opened: str, contacted: str, minutes: float, tmp_path: Path) -> None:
    both = [pa.array([local(text)], pa.timestamp("us", "UTC")) for text in (opened, contacted)]
    assert waited(tmp_path, *both)[0] == minutes * 60
