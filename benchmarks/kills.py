"""Work killed at random moments, as often as told: afterwards everything must be as if nobody had.

Usage: `python benchmarks/kills.py [number] [first seed]`. Prints each kill with what differed, and how many did.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "fire")]

import kills  # noqa: E402


def main(number: int, first: int) -> int:
    """Kills; returns how often something differed."""
    wrong, killed, start = 0, 0, time.perf_counter()
    with kills.ground(whole=True) as ground:
        for seed in range(first, first + number):
            attempt = ground.attempt(seed)
            wrong, killed = wrong + bool(attempt.problems), killed + attempt.killed
            print(attempt, flush=True)
    seconds = time.perf_counter() - start
    print(f"{number} times, {killed} killed before the end, {wrong} left a difference; {seconds / number:.1f} s each")
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(*(int(given) for given in (*sys.argv[1:], *("20", "0")[len(sys.argv) - 1 :])))))
