"""All indicators of an ente against reading the same rows once.

    python benchmarks/indicators.py --documents 1000000

Makes a synthetic ente, runs every model up to the debt layer untimed, then times the indicator models, and a bare read of what they read
(the documents on both sides with their payments: sums of every money and date column they use). Prints seconds and the ratio.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from pcc_pipeline.calculator import Calculator, Parameters, load_models, model_order, prepared, source
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA
from pcc_pipeline.demo.staging import write_staging
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

ENTE = "montefiore"

READ = """
select view, count(*), sum(commercial_amount), sum(paid_at_observation), sum(not_payable), sum(suspended_excluded), max(due_date),
    max(reception_date), max(issue_date) from debt_positions group by view
union all
select 'payments', count(*), sum(importo), 0, 0, 0, max(data_pagamento), null, null from payments
union all
select 'movements', count(*), sum(importo), 0, 0, 0, max(data_pagamento), null, null from stg_pcc_operations
"""


def main() -> None:
    """The command described above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--memory", default="4GiB")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pcc-bench-") as folder:
        settings = Settings.at(Path(folder), threads=2, memory_limit=asked.memory)
        store = Store(settings.store_url)
        counts = write_staging(Path(folder) / "store" / "staging" / ENTE, asked.documents, 7, ente=ENTE)
        now = datetime(2026, 1, 20, tzinfo=UTC)
        rows = [
            {
                "delivery": "synthetic",
                "kind": kind,
                "sequence": number,
                "received_at": now,
                "file": kind,
                "part": "synthetic",
            }
            for number, kind in enumerate(counts, 1)
        ]
        deliveries = pa.Table.from_pylist(rows, schema=DELIVERIES_SCHEMA)
        parameters = Parameters(date(2025, 12, 31), date(2026, 1, 20), "COMUNE")
        calculator = Calculator(settings, store)
        mine = [name for name in model_order() if load_models()[name].layer == "indicators"]
        calculator.run(ENTE, parameters, deliveries, models=set(model_order()) - set(mine))
        done = calculator.run(ENTE, parameters, deliveries, models=mine)
        seconds = sum(result.seconds for result in done.values())
        with prepared(settings, store) as connection:
            for name in ("debt_positions", "payments", "stg_pcc_operations"):
                connection.execute(f"create view {name} as select * from {source(store, ENTE, name)}")
            started = time.perf_counter()
            connection.execute(READ).fetchall()
            read = time.perf_counter() - started
        for name, result in done.items():
            print(f"{name:22} {result.rows:>12,} rows {result.seconds:8.2f} s")
        print(
            f"{asked.documents:,} documents: indicators {seconds:.2f} s, reading the same rows once {read:.2f} s, "
            f"{seconds / read:.1f} times"
        )


if __name__ == "__main__":
    main()
