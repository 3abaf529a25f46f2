"""Measures whether the service answers: the database, the web interface, the portal; the result is a delivery of probes.

What is asked by HTTP is configured in `PCC_HOME/probes.yaml` (name: url); without the file it is the web interface at its
usual address. The database is asked by a query; the embedded one is not started for it.
"""

from __future__ import annotations

import csv
import logging
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
import yaml
from sqlalchemy.dialects.postgresql import insert

from pcc_pipeline.arrival.delivery import deliver
from pcc_pipeline.arrival.landing import PROVIDER
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.settings import Settings

log = logging.getLogger("pcc.probe")

#: How long measures stay in the database: the quarter that runs, and some days.
NOTED = timedelta(days=100)
#: Seconds after which no answer is DOWN.
PATIENCE = 10
DEFAULT = {"webserver": "http://127.0.0.1:3000/server_info"}
HEADER = ("il", "servizio", "esito", "ms")


@dataclass(frozen=True)
class Measure:
    """One measurement: component, when, whether it answered, how long it took, and why it did not."""

    service: str
    at: datetime
    up: bool
    ms: int
    reason: str = ""


def targets(settings: Settings) -> dict[str, str]:
    """What is asked by HTTP, by name of the component."""
    path = settings.home / "probes.yaml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else dict(DEFAULT)


def measure(settings: Settings) -> list[Measure]:
    """Measures every component once."""
    found = [_measured("database", lambda: _database(settings))]
    for name, url in targets(settings).items():
        found.append(_measured(name, lambda url=url: _http(url)))  # type: ignore[misc]
    return found


def _measured(service: str, ask: Callable[[], None]) -> Measure:
    at, started = datetime.now(UTC), time.perf_counter()
    try:
        ask()
        reason = ""
    except (OSError, sa.exc.SQLAlchemyError, ValueError) as error:
        reason = str(error).splitlines()[0][:200] or type(error).__name__
    return Measure(service, at, not reason, int((time.perf_counter() - started) * 1000), reason)


def _database(settings: Settings) -> None:
    from pcc_pipeline.database import embedded
    from pcc_pipeline.database.engine import database_url

    if settings.database_url is None and not embedded.running(settings.home):
        raise OSError("the embedded PostgreSQL does not run")
    asked = sa.create_engine(database_url(settings), poolclass=sa.NullPool, connect_args={"connect_timeout": PATIENCE})
    with asked.connect() as connection:
        connection.execute(sa.text("select 1")).scalar_one()


def _http(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not a web address: {url}")
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        if error.code >= 500:  # an answer that asks for a login is an answer
            raise


def keep(settings: Settings, measures: list[Measure], hand_over_after: timedelta = timedelta()) -> Path | None:
    """Adds measures to those waiting and delivers all once the oldest is that old; returns the file in the inbox.

    A delivery an hour instead of one a measurement keeps the register small. Those that wait are noted in the database,
    too, for the figures of the moment: what could not be because it was down, once it is up again.
    """
    spool = settings.home / "probes" / "waiting.csv"
    spool.parent.mkdir(parents=True, exist_ok=True)
    fresh = not spool.exists()
    with spool.open("a", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        if fresh:
            writer.writerow(HEADER)
        for item in measures:
            writer.writerow([item.at.isoformat(), item.service, "UP" if item.up else "DOWN", item.ms])
    with spool.open(encoding="utf-8", newline="") as file:
        waiting = list(csv.DictReader(file, delimiter=";"))
    try:
        _note(settings, waiting)
    except sa.exc.SQLAlchemyError as error:
        log.error("Measures not noted in the database (%s): they are with the next ones", error)
    oldest = next(iter(waiting), None)
    if oldest is None or datetime.now(UTC) - datetime.fromisoformat(oldest["il"]) < hand_over_after:
        return None
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        named = Path(folder) / f"probes-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.csv"
        spool.replace(named.parent / "taken.csv")
        (named.parent / "taken.csv").rename(named)
        return deliver(settings.inbox, PROVIDER, "probes", named)


def _note(settings: Settings, rows: list[dict[str, str]]) -> None:
    t = table("service_measures")
    values = [
        {"service": row["servizio"], "measured_at": datetime.fromisoformat(row["il"]), "up": row["esito"] == "UP"}
        for row in rows
    ]
    if not values:
        return
    with engine(settings).begin() as connection:
        connection.execute(insert(t).on_conflict_do_nothing(), values)
        connection.execute(sa.delete(t).where(t.c.measured_at < datetime.now(UTC) - NOTED))
