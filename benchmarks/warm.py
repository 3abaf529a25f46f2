"""From a delivery in the inbox of a running service to what its readers see, the workers warm, the quiet wait included.

The unit is one cold import of dagster, great_expectations, pandas and duckdb in a process of its own, timed in the same run
before and after. The first delivery warms; then each of the others is timed, one ente each, nothing else under way.

    python -m benchmarks.warm [documents] [--times 3]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from dagster import RunsFilter

from assets.run import opened
from benchmarks.batch import unit
from pcc_pipeline.arrival.delivery import deliver
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.demo import write_provider
from pcc_pipeline.settings import Settings


def published(settings: Settings, ente: str) -> bool:
    """Whether readers see an ente."""
    publications = table("publications")
    with engine(settings).connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).where(publications.c.ente == ente)) > 0


def deliver_and_wait(settings: Settings, delivered: Path, patience: float = 300) -> float:
    """Delivers all files of an ente's folder; seconds until it is published."""
    started = time.perf_counter()
    for folder in sorted(delivered.iterdir()):
        for file in sorted(folder.iterdir()):
            deliver(settings.inbox, delivered.name, folder.name, file)
    while not published(settings, delivered.name):
        if time.perf_counter() - started > patience:
            raise SystemExit(f"{delivered.name} was not published within {patience} s")
        time.sleep(0.1)
    return time.perf_counter() - started


def steps(settings: Settings) -> dict[str, float]:
    """Seconds of each step of the latest run, and from its creation to its start."""
    with opened(settings) as instance:
        record = instance.get_run_records(RunsFilter(job_name="reconcile_ente"), limit=1)[0]
        stats = instance.get_run_step_stats(record.dagster_run.run_id)
        found = {s.step_key: round(s.end_time - s.start_time, 2) for s in stats if s.start_time and s.end_time}
        run = instance.get_run_stats(record.dagster_run.run_id)
        waited = round((run.start_time or 0) - record.create_timestamp.timestamp(), 2)
        return {"waited": waited, "whole run": round((run.end_time or 0) - (run.start_time or 0), 2), **found}


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=int, nargs="?", default=200)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    units = [unit()]
    with tempfile.TemporaryDirectory(prefix="pcc-warm-") as folder:
        root = Path(folder)
        if os.geteuid() == 0:
            root.chmod(0o711)  # the embedded server runs as another user
        settings = Settings.at(root / "home")
        delivered = root / "delivered"
        write_provider(
            delivered,
            enti=asked.times + 1,
            documents=asked.documents,
            seed=11,
            reference_date=date(2025, 12, 31),
            bad_rows=False,
        )
        engine(settings)
        log = (root / "serve.log").open("w")
        service = subprocess.Popen(
            [sys.executable, "-m", "pcc_pipeline", "serve", "--port", "3911", "--desk-port", "0"],
            env={**os.environ, **settings.environment()}, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            enti = sorted(path for path in delivered.iterdir() if not path.name.startswith("_"))
            first = deliver_and_wait(settings, enti[0])
            taken, parts = [], []
            for ente in enti[1:]:
                taken.append(deliver_and_wait(settings, ente))
                time.sleep(5)  # the run's own end
                parts.append(steps(settings))
        finally:
            service.send_signal(signal.SIGINT)
            service.wait(60)
    units.append(unit())
    middle = statistics.median(taken)
    print(
        json.dumps(
            {
                "documents": asked.documents,
                "unit": [round(u, 2) for u in units],
                "first, service start included": round(first, 1),
                "delivery to published": [round(t, 2) for t in taken],
                "units": round(middle / statistics.mean(units), 2),
                "steps of the last": parts[-1],
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
