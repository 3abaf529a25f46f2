"""`pcc run` of one small ente in a new process, start and end of the embedded database included, against one cold import of
dagster, great_expectations, pandas and duckdb.

    python -m benchmarks.cold [documents] [--times 4]

The first run also makes the installation. Each is measured with a unit of its own, just before it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.batch import OBSERVED_AT, REFERENCE_DATE, delivered, unit


def main() -> None:
    """Runs and prints the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=int, nargs="?", default=60)
    parser.add_argument("--times", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pcc-bench-") as folder:
        root = Path(folder)
        if os.geteuid() == 0:
            root.chmod(0o711)  # the embedded server runs as another user
        dates = ("--reference-date", str(REFERENCE_DATE), "--observed-at", str(OBSERVED_AT))
        command = (sys.executable, "-m", "pcc_pipeline", "run", "--inbox", str(root / "inbox"), *dates)
        ratios = []
        for ente in delivered(root, 1 + asked.times, asked.documents):
            one_import = unit()
            started = time.perf_counter()
            environment = {**os.environ, "PCC_HOME": str(root / "home")}
            subprocess.run([*command, "--ente", ente], env=environment, check=True, capture_output=True)
            seconds = time.perf_counter() - started
            ratios.append(seconds / one_import)
            print(f"{ente}: {seconds:.1f} s, unit {one_import:.1f} s, {ratios[-1]:.2f} units", flush=True)
        print(f"making the installation {ratios[0]:.2f} units, after that {statistics.median(ratios[1:]):.2f}")


if __name__ == "__main__":
    main()
