"""Many enti by one command, `pcc run`, on an installation of their own: seconds, peak memory, what one more ente and one more
document cost, and what a nation takes by that slope.

    python -m benchmarks.many [--enti 2000] [--documents 1400]

Each ente delivers the same invented files under its own name. Three runs: all enti; a tenth of them; and that tenth with a
quarter of the documents each. What differs between them by number is the cost of one more. The unit is one cold import of
dagster, great_expectations, pandas and duckdb in a new process. The nation is 22,000 enti with 30 million documents; on 32
cores by 16 such pairs of cores, each with its workers, which the database must bear.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psutil
import pyarrow.csv as csv

from benchmarks.batch import unit
from pcc_pipeline.database import embedded
from pcc_pipeline.demo import write_provider
from pcc_pipeline.settings import Settings

REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)
NATION_ENTI, NATION_DOCUMENTS = 22_000, 30_000_000


@dataclass(frozen=True)
class Run:
    """What one command took."""

    enti: int
    documents: int
    seconds: float
    peak: int

    def __str__(self) -> str:
        return (
            f"{self.enti} enti of {self.documents} documents: {self.seconds:.1f} s, "
            f"{self.enti * self.documents / self.seconds:,.0f} documents/s, peak {self.peak / (1 << 30):.2f} GiB"
        )


def memory(pid: int) -> int:
    """Bytes that a process and all it started hold, what they share counted once."""
    found = 0
    with suppress(psutil.Error):
        first = psutil.Process(pid)
        for process in (first, *first.children(recursive=True)):
            with suppress(psutil.Error):
                found += process.memory_full_info().pss
    return found


def run(root: Path, enti: int, documents: int) -> Run:
    """`pcc run` over so many enti of so many documents, in an installation of its own."""
    home = root / f"{enti}x{documents}"
    write_provider(
        home / "one", enti=1, documents=documents, seed=3, reference_date=REFERENCE_DATE, sdi_share=0, bad_rows=False
    )
    (one,) = (path for path in (home / "one").iterdir() if not path.name.startswith("_"))
    for number in range(enti):
        shutil.copytree(one, home / "inbox" / f"ente_{number:05}", copy_function=os.link)
    settings = Settings.at(home / "home")
    command = [
        *(sys.executable, "-m", "pcc_pipeline", "run", "--inbox", str(home / "inbox")),
        *("--reference-date", REFERENCE_DATE.isoformat(), "--observed-at", OBSERVED_AT.isoformat()),
    ]
    started = time.perf_counter()
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, env={**os.environ, **settings.environment()}, stdout=log, stderr=log)
        peak = 0
        while process.poll() is None:
            peak = max(peak, memory(process.pid))
            time.sleep(1)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit((home / "log").read_text()[-3000:])
    rows = csv.read_csv(one / "erp_invoices" / "erp_invoices.csv", parse_options=csv.ParseOptions(delimiter=";")).num_rows
    embedded.release(settings.home)
    embedded.stop(settings.home)
    shutil.rmtree(home)
    return Run(enti, rows, seconds, peak)


def main() -> None:
    """Runs and prints the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enti", type=int, default=2000)
    parser.add_argument("--documents", type=int, default=1400)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pcc-bench-") as folder:
        root = Path(folder)
        if os.geteuid() == 0:
            root.chmod(0o711)  # the embedded server runs as another user
        before = unit()
        few_small = run(root, asked.enti // 10, asked.documents // 4)
        few = run(root, asked.enti // 10, asked.documents)
        many = run(root, asked.enti, asked.documents)
        one_import = (before + unit()) / 2
    for done in (few_small, few, many):
        print(done)
    more = (many.seconds - few.seconds) / (many.enti - few.enti)
    by_document = (few.seconds - few_small.seconds) / (few.enti * (few.documents - few_small.documents))
    by_ente = more - by_document * many.documents
    print(f"unit {one_import:.2f} s; one more ente of {many.documents} documents {more:.3f} s, {more / one_import:.3f} units")
    print(f"of it by ente {by_ente:.3f} s, by document {1000 * by_document:.3f} ms")
    hours = (NATION_ENTI * by_ente + NATION_DOCUMENTS * by_document) / 3600
    print(f"a nation by that slope: {hours:.1f} hours on this machine; on 16 of them {hours / 16:.1f}")


if __name__ == "__main__":
    main()
