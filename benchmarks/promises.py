"""The promises over many randomly damaged enti: every cent explained, no document of the right view outside [0, its amount].

Prints each ente that breaks one, and how many held. The damage is that of tests/damage.py; seeds count from `--seed`.
Enti that share no document and no supplier are reconciled some dozens at once, by the models that the promises are read
from: some tenths of a second an ente. `--together 1` reconciles each alone.

    python benchmarks/promises.py 1000 [--documents 120] [--seed 0] [--together 25]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import damage
import models

from pcc_pipeline.demo.parties import enti
from pcc_pipeline.demo.synthesis import KINDS, Size, synthesis
from pcc_pipeline.tables import FEEDS

SHARES = (0.2, 0.5, 0.8, 1.0)
#: Between the first documents of two enti.
APART = 10_000


def damaged(seed: int, documents: int) -> dict[str, list[dict[str, Any]]]:
    """The damaged rows of the ente of a seed, by kind."""
    size = Size(documents, seed, models.REFERENCE_DATE, models.OBSERVED_AT, seed % 500 * APART)
    made = {}
    with synthesis(enti(1, seed)[0], seed, size) as connection:
        for kind in KINDS:
            rows = connection.sql(f"select * from {kind} order by line").to_arrow_table().to_pylist()
            names = {column.name for column in FEEDS[kind].columns} - {"ente", "delivery", "line"}
            made[kind] = [{name: value for name, value in row.items() if name in names} for row in rows]
    return damage.damaged(made, seed, SHARES[seed % len(SHARES)])


def broken(home: Path, seeds: range, documents: int) -> list[str]:
    """What does not hold for the enti of some seeds."""
    feeds: dict[str, list[dict[str, Any]]] = {}
    for seed in seeds:
        for kind, rows in damaged(seed, documents).items():
            if kind in models.FEEDS:
                feeds.setdefault(kind, []).extend(rows)
    found = models.reconcile(home, {kind: rows for kind, rows in feeds.items() if rows})
    return damage.broken_promises(found)


def main() -> int:
    """Exit code: 0 where all held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("enti", type=int)
    parser.add_argument("--documents", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--together", type=int, default=25)
    given = parser.parse_args()
    started, wrong = time.perf_counter(), 0
    for first in range(given.seed, given.seed + given.enti, given.together):
        seeds = range(first, min(first + given.together, given.seed + given.enti))
        with tempfile.TemporaryDirectory(prefix="pcc-promises-") as folder:
            for line in broken(Path(folder), seeds, given.documents):
                wrong += 1
                print(f"enti {seeds.start} to {seeds.stop - 1}: {line}", flush=True)
    print(f"{given.enti} enti of {given.documents} documents, {wrong} promises broken, {time.perf_counter() - started:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
