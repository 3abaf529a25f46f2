"""One ente's delivery to its published stock, in a fresh process, and where the seconds go.

The installation exists and its PostgreSQL runs, as where the sensor starts a run; everything is delivered
anew. Beside the whole stands what no run can do without, the SQL models alone, timed in the same run.

    python benchmarks/submit.py [documents] [--times 3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from pcc_pipeline.database import embedded
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings

REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)

#: What is timed: part, module or class that holds the function, its name. Called only from the run's steps.
WORK = (
    ("landing", "assets.landing", "land"),
    ("staging", "assets.staging", "stage"),
    ("models", "pcc_pipeline.calculator.session.Calculator", "run"),
    ("checks", "assets.checks", "run_checks"),
    ("publication", "assets.published", "publish"),
)


def measured(ente: str) -> dict[str, float]:
    """Runs everything for an ente in this process; seconds by part."""
    taken: dict[str, float] = {}

    def timed(part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                taken[part] = taken.get(part, 0.0) + time.perf_counter() - started

        return wrapped

    def imports() -> None:
        import assets.definitions
        import assets.run  # noqa: F401

    def expectations() -> None:
        import pcc_pipeline.checks.suite  # noqa: F401

    timed("imports: Dagster and the definitions", imports)()
    timed("imports: Great Expectations", expectations)()
    from pydoc import locate

    from assets.run import run_headless

    for part, place, name in WORK:
        owner = locate(place)
        setattr(owner, name, timed(part, getattr(owner, name)))
    installation = Installation.from_environment()
    started = time.perf_counter()
    good = run_headless(installation, [ente], REFERENCE_DATE, OBSERVED_AT)
    whole = time.perf_counter() - started
    if not good:
        raise SystemExit("The run failed")
    taken["Dagster and what joins the steps"] = whole - sum(taken.get(part, 0.0) for part, _, _ in WORK)
    return taken


def submit(documents: int) -> dict[str, float]:
    """Delivers one synthetic ente to a new installation and runs it in a fresh process; seconds by part."""
    from pcc_pipeline.arrival.delivery import deliver
    from pcc_pipeline.arrival.landing import PROVIDER, land
    from pcc_pipeline.arrival.staging import stage
    from pcc_pipeline.database.dagster_home import write_dagster_home
    from pcc_pipeline.database.engine import dispose
    from pcc_pipeline.demo import write_provider

    with tempfile.TemporaryDirectory(prefix="pcc-bench-") as folder:
        settings, files = Settings.at(Path(folder) / "home"), Path(folder) / "files"
        truth = write_provider(files, enti=1, documents=documents, reference_date=REFERENCE_DATE, observed_at=OBSERVED_AT)
        (ente,) = (made.code for made in truth.enti)
        try:
            installation = Installation(settings)
            land(installation, files, PROVIDER)
            stage(installation, PROVIDER)
            # Dagster makes its own tables at first use, once an installation.
            from dagster import DagsterInstance

            with DagsterInstance.from_config(str(write_dagster_home(settings))) as instance:
                instance.get_runs(limit=1)
            started = time.perf_counter()
            for path in sorted((files / ente).glob("*/*")):
                deliver(settings.inbox, ente, path.parent.name, path)
            delivered = time.perf_counter() - started
            done = subprocess.run(
                [sys.executable, __file__, "--of", ente],
                env={**os.environ, **settings.environment(), "DAGSTER_DISABLE_TELEMETRY": "yes"},
                cwd=Path(__file__).parents[1],
                stdout=subprocess.PIPE,
                check=True,
                text=True,
            )
            whole = time.perf_counter() - started
        finally:
            dispose(settings)
            embedded.stop(settings.home)
    taken = {"delivery": delivered, **json.loads(done.stdout.splitlines()[-1])}
    taken["process start, end and the rest"] = whole - sum(taken.values())
    return taken


def main() -> None:
    """Prints seconds by part and the ratio to the models alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=int, nargs="?", default=10_000)
    parser.add_argument("--times", type=int, default=1, help="the fastest of so many is shown")
    parser.add_argument("--of", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.of:
        sys.path.insert(0, str(Path(__file__).parents[1]))
        print(json.dumps(measured(options.of)))
        return
    runs = [submit(options.documents) for _ in range(options.times)]
    best = min(runs, key=lambda taken: sum(taken.values()))
    total = sum(best.values())
    print(
        f"{options.documents:,} documents, from delivery to published stock: {total:.1f} s, "
        f"{total / best['models']:.1f} times the models alone ({best['models']:.1f} s)"
    )
    for part, seconds in best.items():
        print(f"  {part:<40}{seconds:7.2f} s {seconds / total:6.0%}")


if __name__ == "__main__":
    main()
