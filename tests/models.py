"""Runs the SQL models over rows written in a test, without parsers, register or Dagster."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pcc_pipeline.calculator import Calculator, Parameters, load_models, prepared, source
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import DECIDED, FEEDS

ENTE = "alfa"
REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)

Rows = Sequence[Mapping[str, Any]]


class Reconciled:
    """The tables of one reconciliation; `rows(table, *columns)` reads them."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def rows(self, table: str, *columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Rows of a model's table, sorted."""
        with prepared(self._settings, self._store) as connection:
            listed = ", ".join(columns) or "*"
            found = connection.execute(f"select {listed} from {source(self._store, ENTE, table)} where {where}").fetchall()
        return sorted(found, key=lambda row: tuple((value is None, str(value)) for value in row))

    def codes(self) -> dict[str, Decimal]:
        """Anomaly codes with the sum of their amounts."""
        totals: dict[str, Decimal] = {}
        for code, amount in self.rows("anomalies", "code", "amount"):
            totals[code] = totals.get(code, Decimal(0)) + amount
        return totals

    def stock(self, view: str) -> Decimal:
        """The stock of a view, in euro."""
        ((amount,),) = self.rows("stock", "amount", where=f"view = '{view}'")
        return Decimal(amount)


def reconcile(
    home: Path,
    feeds: Mapping[str, Rows] | Sequence[tuple[str, Rows]],
    *,
    reference_date: date = REFERENCE_DATE,
    observed_at: date = OBSERVED_AT,
    tipo: str | None = "COMUNE",
    decided: Mapping[str, Rows] | None = None,
    said: Mapping[int, Mapping[str, Any]] | None = None,
    only: Collection[str] | None = None,
    **facts: Any,
) -> Reconciled:
    """Reconciles rows by kind (or (kind, rows) pairs, delivered one after the other); missing columns are null.

    `said` is what is said of a delivery (whole, span_from, …) by its place from 1. `decided` are rows of the relations of decisions (tables.DECIDED) by name; `facts` what else the register says of the
    ente, by the names of `Parameters`; its models for PCC are 003 unless said.
    """
    settings = Settings.at(home, threads=2)
    store = Store(settings.store_url)
    deliveries = []
    pairs = list(feeds.items()) if isinstance(feeds, Mapping) else list(feeds)
    for number, (kind, rows) in enumerate(pairs, 1):
        delivery = f"delivery{number}"
        full = [{"ente": ENTE, "delivery": delivery, "line": line, **row} for line, row in enumerate(rows, 2)]
        table = pa.Table.from_pylist(full, schema=pa.schema([f.with_nullable(True) for f in FEEDS[kind].arrow_schema]))
        with store.write(f"staging/{ENTE}/{kind}/{delivery}.parquet") as target:
            pq.write_table(table, target)
        deliveries.append(
            {
                "delivery": delivery,
                "kind": kind,
                "sequence": number,
                "file": f"{kind}.csv",
                "part": delivery,
                "received_at": datetime(2026, 1, min(number, 28), tzinfo=UTC),
                **(said or {}).get(number, {}),
            }
        )
    Calculator(settings, store).run(
        ENTE,
        Parameters(reference_date, observed_at, tipo, **{"modelli_pcc": "003", **facts}),
        pa.Table.from_pylist(deliveries, schema=DELIVERIES_SCHEMA),
        models=None if only is None else needed_by(only),
        decided={name: _decided(name, rows) for name, rows in (decided or {}).items()},
    )
    return Reconciled(settings, store)


def needed_by(models: Collection[str]) -> set[str]:
    """The models given and all that they read, step by step."""
    found: set[str] = set()
    wanted = list(models)
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted += load_models()[name].depends_on
    return found


def _decided(name: str, rows: Rows) -> pa.Table:
    """Rows of a relation of decisions, decided by one person on one day unless said."""
    plain = {"ente": ENTE, "decided_by": "rossi", "decided_at": datetime(2026, 1, 10, tzinfo=UTC)}
    full = [{**plain, "decision": number, **row} for number, row in enumerate(rows, 1)]
    return pa.Table.from_pylist(full, schema=DECIDED[name].arrow_schema)
