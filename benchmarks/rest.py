"""What a service costs that has nothing to do: processor seconds a minute of its daemon, workers and database.

    python -m benchmarks.rest [--seconds 120]

The unit is one cold import of dagster, great_expectations, pandas and duckdb in the same run. Broker and database
are the embedded ones; the first minute, in which the service starts, does not count.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

from benchmarks.batch import unit
from benchmarks.several import PCC, database_server, processor, running
from pcc_pipeline.database import embedded
from pcc_pipeline.database.engine import dispose, engine
from pcc_pipeline.settings import Settings

START = 60.0


def main() -> None:
    """Prints the processor seconds a minute, by part and in units."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    seconds = parser.parse_args().seconds
    one_import = unit()
    with tempfile.TemporaryDirectory(prefix="pcc-bench-") as folder, ExitStack() as up:
        root = Path(folder)
        if os.geteuid() == 0:
            root.chmod(0o711)  # the embedded server runs as another user
        settings = Settings.at(root / "home")
        engine(settings)
        environment = settings.environment()
        parts = {
            part: psutil.Process(up.enter_context(running(*PCC, part, **environment)).pid) for part in ("daemon", "worker")
        }
        parts["database"] = database_server()
        time.sleep(START)
        before, started = {part: processor(process) for part, process in parts.items()}, time.perf_counter()
        time.sleep(seconds)
        minutes = (time.perf_counter() - started) / 60
        used = {part: (processor(process) - before[part]) / minutes for part, process in parts.items()}
        up.close()
        dispose(settings)
        embedded.stop(settings.home)
    told = ", ".join(f"{part} {cost:.1f}" for part, cost in used.items())
    total = sum(used.values())
    print(f"a minute at rest: {total:.1f} processor seconds ({told}), unit {one_import:.1f}: {total / one_import:.2f}")


if __name__ == "__main__":
    main()
