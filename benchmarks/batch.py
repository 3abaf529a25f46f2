"""What one more small ente costs in a run of many, against one cold import of the libraries, in the same run.

    python -m benchmarks.batch [documents] [--few 10] [--many 50] [--threads 2]

Each ente delivers the same invented files under its own name. A run of `few` enti and one of `many` others differ by as
many enti as `many` has more: their seconds by that number are what a further ente costs. Several processes share the enti, as
`pcc run` has it; the parts are the seconds of all processes together, of which some are waiting. The unit is one import of
dagster, great_expectations, pandas and duckdb in a new process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from pcc_pipeline.database import embedded
from pcc_pipeline.demo import write_provider
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings

REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)

#: What is timed: part, module that calls the function, its name. Called only from a run's steps, one after the other.
WORK = (
    ("landing", "assets.landing", "land"),
    ("staging", "assets.staging", "stage"),
    ("inputs", "assets.staging", "begin"),
    ("models", "assets.models", "calculate"),
    ("checks", "assets.checks", "count"),
    ("checks", "assets.checks", "judged"),
    ("publication", "assets.published", "publish_each"),
    ("events", "assets.steps", "report"),
)


def unit() -> float:
    """Seconds of one cold import of the libraries."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import dagster, great_expectations, pandas, duckdb"], check=True)
    return time.perf_counter() - started


def delivered(folder: Path, enti: int, documents: int) -> list[str]:
    """The inbox of so many enti, all with the same files; returns their names."""
    write_provider(folder / "one", enti=1, documents=documents, seed=3, reference_date=REFERENCE_DATE, sdi_share=0)
    (one,) = (path for path in (folder / "one").iterdir() if not path.name.startswith("_"))
    names = [f"ente_{number:04}" for number in range(enti)]
    for name in names:
        shutil.copytree(one, folder / "inbox" / name)
    return names


def timed(taken: dict[str, Any]) -> None:
    """Has the seconds of each part of WORK added up in `taken`, numbers that forked processes share, from now on."""
    import importlib

    def wrapped(part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                with taken[part].get_lock():
                    taken[part].value += time.perf_counter() - started

        return run

    for part, module, name in WORK:
        owner = importlib.import_module(module)
        setattr(owner, name, wrapped(part, getattr(owner, name)))


def main() -> None:
    """Runs and prints the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=int, nargs="?", default=500)
    parser.add_argument("--few", type=int, default=10)
    parser.add_argument("--many", type=int, default=50)
    parser.add_argument("--threads", type=int, help="processes, and threads of each (as many as there are processors)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pcc-bench-") as folder:
        home = Path(folder)
        names = delivered(home, 1 + asked.few + asked.many, asked.documents)
        settings = Settings.at(home / "home")
        installation = Installation(replace(settings, threads=asked.threads or settings.threads))
        from assets.run import run_headless

        def seconds(enti: list[str]) -> tuple[float, dict[str, float]]:
            for number in taken.values():
                number.value = 0.0
            started = time.perf_counter()
            assert run_headless(installation, enti, REFERENCE_DATE, OBSERVED_AT, inbox=home / "inbox")
            return time.perf_counter() - started, {part: number.value for part, number in taken.items()}

        taken: dict[str, Any] = {part: multiprocessing.Value("d", 0.0) for part, *_ in WORK}
        timed(taken)
        seconds(names[:1])  # opens, imports and makes what there is one of
        few, few_parts = seconds(names[1 : 1 + asked.few])
        one_import = unit()
        many, many_parts = seconds(names[1 + asked.few :])
        embedded.release(home / "home")
    more = asked.many - asked.few
    print(
        f"unit {one_import:.2f} s; {asked.few} enti {few:.1f} s, {asked.many} enti {many:.1f} s, {asked.documents} documents each"
    )
    each = (many - few) / more
    print(f"one more ente: {each:.3f} s, {each / one_import:.3f} units")
    for part in dict.fromkeys(part for part, *_ in WORK):
        share = (many_parts.get(part, 0.0) - few_parts.get(part, 0.0)) / more
        print(f"  {part:12} {share:.3f} s")


if __name__ == "__main__":
    main()
