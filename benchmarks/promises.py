"""The promises over many randomly damaged enti: every cent explained, no document of the right view outside [0, its amount].

Prints each ente that breaks one, and how many held. The damage is that of tests/damage.py; seeds count from `--seed`.

    python benchmarks/promises.py 1000 [--documents 60] [--seed 0]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import damage
import models
import oracle_inbox

from pcc_pipeline.demo import write_provider


def broken(home: Path, seed: int, documents: int) -> list[str]:
    """What does not hold for the ente of a seed."""
    write_provider(
        home / "inbox",
        enti=1,
        documents=documents,
        seed=seed,
        reference_date=models.REFERENCE_DATE,
        sdi_share=0,
        bad_rows=False,
    )
    (ente,) = (path.name for path in (home / "inbox").iterdir() if not path.name.startswith("_"))
    rows = damage.damaged(oracle_inbox.load_inbox(home / "inbox", ente), seed, (0.2, 0.5, 0.8, 1.0)[seed % 4])
    feeds = {kind: found for kind, found in rows.items() if kind in models.FEEDS and found}
    return damage.broken_promises(models.reconcile(home / "store", feeds))


def main() -> int:
    """Exit code: 0 where all held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("enti", type=int)
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    started, wrong = time.perf_counter(), 0
    for seed in range(given.seed, given.seed + given.enti):
        with tempfile.TemporaryDirectory(prefix="pcc-promises-") as folder:
            for line in broken(Path(folder), seed, given.documents):
                wrong += 1
                print(f"ente {seed}: {line}", flush=True)
    print(f"{given.enti} enti of {given.documents} documents, {wrong} promises broken, {time.perf_counter() - started:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
