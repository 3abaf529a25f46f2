"""Damaged files of every format, as many as told, read as a run reads them: each must give rows or quarantine.

Usage: `python benchmarks/mutations.py [number] [first seed]`. Prints the seeds of those that did not, and files a second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "fire")]

import mutations  # noqa: E402


def main(number: int, first: int) -> int:
    """Tries them; returns how many gave an error."""
    wrong, rows, bad, start = 0, 0, 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + number):
            made = mutations.case(seed)
            try:
                good, refused = mutations.outcome(made, Path(folder))
                rows, bad = rows + bool(good), bad + bool(refused)
            except Exception as error:
                wrong += 1
                print(f"{seed}: {made.kind} {made.name}: {error!r}"[:500], flush=True)
    seconds = time.perf_counter() - start
    print(
        f"{number:,} files, {rows:,} with rows, {bad:,} with defects, {wrong} without an outcome; {number / seconds:,.0f} a second"
    )
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(*(int(given) for given in (*sys.argv[1:], *("1000", "0")[len(sys.argv) - 1 :])))))
