"""Service levels of a million tickets against reading them once.

    python -m benchmarks.service_levels [tickets]

The floor is DuckDB reading every column of the staged Parquet once. Three rounds, the best of each.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from pcc_pipeline.calculator import Calculator, Parameters
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA
from pcc_pipeline.duck import connect
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

MODELS = ("service_calendar", "ticket_contacts", "sla_breaches", "sla_tickets", "sla_satisfaction")
ROUNDS = 3


def generate(settings: Settings, store: Store, tickets: int) -> None:
    """Tickets over five years, three channels, waits from minutes to weeks, one in a thousand uncontacted."""
    with connect(settings) as connection, store.write("staging/alfa/tickets/d.parquet") as target:
        connection.execute(
            f"""
            copy (
                select 'alfa' as ente, 'd' as delivery, n + 2 as line, 'T' || n as id, null::varchar as codice_ente,
                    ['SCRIVANIA', 'TELEFONO', 'EMAIL'][1 + n % 3] as canale, opened as aperto_il,
                    if(n % 1000 = 0, null, opened + to_seconds(wait)) as primo_contatto_il,
                    if(n % 50 = 0, null, opened + to_seconds(wait + 86400)) as chiuso_il, 'Segnalazione ' || n % 500 as oggetto
                from (
                    select n, timestamptz '2021-01-01 00:00+00' + to_seconds(hash(n) % 155520000) as opened,
                        if(n % 40 = 0, hash(n + 7) % 1500000, hash(n + 7) % 90000)::bigint as wait
                    from range({tickets}) as r(n)
                )
            ) to '{target}' (format parquet)
            """
        )


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest round."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main(tickets: int) -> None:
    """Prints seconds and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.at(Path(folder))
        store = Store(settings.store_url)
        generate(settings, store, tickets)
        path = store.uri("staging/alfa/tickets/d.parquet")
        delivery = {
            "delivery": "d",
            "kind": "tickets",
            "sequence": 1,
            "file": "t",
            "part": "d",
            "received_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        deliveries = pa.Table.from_pylist([delivery], schema=DELIVERIES_SCHEMA)
        asked = Parameters(date(2026, 1, 20), date(2026, 1, 20))
        results = {}

        def models() -> None:
            results.update(Calculator(settings, store).run("alfa", asked, deliveries, models=MODELS))

        def read() -> None:
            with connect(settings) as connection:
                connection.execute(f"select max(columns(*)) from read_parquet('{path}')").fetchall()

        floor, ours = best(read), best(models)
        print(f"{tickets:,} tickets: models {ours:.2f} s, reading once {floor:.2f} s, ratio {ours / floor:.1f}")
        for name, result in results.items():
            print(f"  {name}: {result.rows:,} rows, {result.seconds:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
