"""Work killed at random moments, as often as told: afterwards everything must be as if nobody had.

Usage: `python benchmarks/kills.py [number] [first seed] [service]`. Prints each kill with what differed, and how many did.
With `service` the processes of a running service are killed between a delivery and its figures, else work by itself.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "fire")]

import killed_services  # noqa: E402
import kills  # noqa: E402


def main(number: int, first: int, *, service: bool) -> int:
    """Kills; returns how often something differed."""
    wrong, killed, start = 0, 0, time.perf_counter()
    with killed_services.ground() if service else kills.ground(whole=True) as ground:
        for seed in range(first, first + number):
            attempt = ground.attempt(seed)
            wrong, killed = wrong + bool(attempt.problems), killed + attempt.killed
            print(attempt, flush=True)
    seconds = time.perf_counter() - start
    print(f"{number} times, {killed} killed before the end, {wrong} left a difference; {seconds / number:.1f} s each")
    return wrong


if __name__ == "__main__":
    given = [word for word in sys.argv[1:] if word != "service"]
    count, seed = (int(word) for word in (*given, *("20", "0")[len(given) :]))
    sys.exit(bool(main(count, seed, service="service" in sys.argv)))
