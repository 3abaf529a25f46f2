"""Operations and projection as a ratio to the reconciliation itself, in the same run over the same documents.

Operations are their own models (what is proposed, PCC's ledger simulated, questions). The projection is what a third view
costs in the stocks: the stock models are timed once more with the projected branch taken out of `debt_positions`.

    python -m benchmarks.operations 100000 1000000 [--memory 4GiB] [--models]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.reconciliation import ENTE, ours
from pcc_pipeline.calculator import prepared, source
from pcc_pipeline.demo.staging import write_staging
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables.operations import TABLES

OPERATIONS = frozenset(table.name for table in TABLES)
STOCKS = ("stock", "stock_by_creditor", "stock_by_due_date", "stock_by_issue_year")


def projection_seconds(work: Path, memory: str, threads: int) -> float:
    """Seconds that the view `projected` adds to the four stocks: summing all views, less summing all but it."""
    settings = Settings.at(work / "home", memory_limit=memory, threads=threads)
    store = Store(settings.store_url)
    spent = []
    with prepared(settings, store) as connection:
        positions = source(store, ENTE, "debt_positions")
        for where in ("true", "view <> 'projected'"):
            started = time.perf_counter()
            for by in ("", ", creditor", ", bucket", ", issue_year"):
                connection.execute(
                    f"select view{by}, sum(stock), count(*) from {positions} where {where} and stock <> 0 group by all"
                ).fetchall()
            spent.append(time.perf_counter() - started)
    return max(spent[0] - spent[1], 0.0)


def main() -> None:
    """Prints seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=int, nargs="+")
    parser.add_argument("--memory", default="4GiB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", action="store_true", help="seconds by model")
    options = parser.parse_args()
    for documents in options.documents:
        root = Path(tempfile.mkdtemp(prefix="pcc-bench-"))
        try:
            write_staging(root / "staging", documents, 7)
            _, by_model = ours(root / "staging", root, options.memory, options.threads)
            operations = sum(seconds for name, seconds in by_model.items() if name in OPERATIONS)
            projection = projection_seconds(root, options.memory, options.threads)
            reconciliation = sum(by_model.values()) - operations - projection
            print(
                f"{documents:>11,} documents: reconciliation {reconciliation:.2f} s, operations {operations:.2f} s "
                f"({operations / reconciliation:.2f}), projection {projection:.2f} s ({projection / reconciliation:.2f}), "
                f"both {(operations + projection) / reconciliation:.2f} of it"
            )
            if options.models:
                for name, took in sorted(by_model.items(), key=lambda item: -item[1]):
                    print(f"    {name:<24}{took:8.2f} s{'  *' if name in OPERATIONS else ''}")
        finally:
            shutil.rmtree(root)


if __name__ == "__main__":
    main()
