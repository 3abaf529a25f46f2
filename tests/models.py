"""Runs the SQL models over rows written in a test, without parsers, register or Dagster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pcc_pipeline.calculator import Calculation, Calculator, Parameters, load_models, model_order, relations
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import DECIDED, FEEDS, MODELS

ENTE = "alfa"
REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)

Rows = Sequence[Mapping[str, Any]]


#: A document of the accounting system, due and unpaid.
INVOICE: Mapping[str, Any] = {
    "id_documento": "A", "numero": "1", "tipo_documento": "TD01", "data_emissione": date(2025, 5, 1),
    "data_ricezione": date(2025, 5, 1), "data_scadenza": date(2025, 6, 1), "piva_fornitore": "01234567897",
    "importo_totale": Decimal(100), "stato": "LIQUIDATA",
}  # fmt: skip


class Reconciled:
    """One reconciliation, of which a table is worked out when a test first asks for it, with all that it is made from."""

    def __init__(self, calculator: Calculator, inputs: Calculation) -> None:
        self._opened = ExitStack()  # closed with this object, when no test holds it any more
        self._session = self._opened.enter_context(calculator.session(inputs))
        self._made: set[str] = set()
        self.connection = self._session.connection

    def relation(self, table: str) -> str:
        """What stands after `from` to read a model's table in `connection`."""
        for name in needed(table):
            if name not in self._made:
                self._session.run(name)
                self._made.add(name)
        return self._session.source(table)

    def all_made(self) -> Reconciled:
        """Itself, once every model was run, asked for or not: whether none fails over these rows."""
        for name in MODELS:
            self.relation(name)
        return self

    def with_views(self, *tables: str) -> duckdb.DuckDBPyConnection:
        """The connection, in which the tables named stand under their names."""
        for table in tables:
            self.connection.execute(f"create or replace temp view {table} as select * from {self.relation(table)}")
        return self.connection

    def other_readings(self) -> None:
        """Takes the readings of the rules (indicator_readings.csv) anew; what they decide is made again when asked for."""
        relation = "rule_indicator_readings"
        self.connection.execute(f"create or replace table {relation} as select * from {relations.rule_query(relation)}")
        readers = {name for name, model in load_models().items() if "reading(" in model.sql}  # the macro that knows them
        self._made = {name for name in self._made if not readers & set(needed(name))}

    def rows(self, table: str, *columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Rows of a model's table, sorted."""
        query = f"select {', '.join(columns) or '*'} from {self.relation(table)} where {where}"
        found = self.connection.execute(query).fetchall()
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


def reconcile(home: Path, feeds: Mapping[str, Rows] | Sequence[tuple[str, Rows]], **asked: Any) -> Reconciled:
    """Reconciles what is `delivered`."""
    settings, store, inputs = delivered(home, feeds, **asked)
    return Reconciled(Calculator(settings, store), inputs)


def delivered(
    home: Path,
    feeds: Mapping[str, Rows] | Sequence[tuple[str, Rows]],
    *,
    reference_date: date = REFERENCE_DATE,
    observed_at: date = OBSERVED_AT,
    tipo: str | None = "COMUNE",
    decided: Mapping[str, Rows] | None = None,
    said: Mapping[int, Mapping[str, Any]] | None = None,
    **facts: Any,
) -> tuple[Settings, Store, Calculation]:
    """A calculation over rows by kind (or (kind, rows) pairs, delivered one after the other); missing columns are null.

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
    inputs = Calculation(
        ENTE,
        Parameters(reference_date, observed_at, tipo, **{"modelli_pcc": "003", **facts}),
        pa.Table.from_pylist(deliveries, schema=DELIVERIES_SCHEMA),
        {name: _decided(name, rows) for name, rows in (decided or {}).items()},
    )
    return settings, store, inputs


@cache
def needed(table: str) -> tuple[str, ...]:
    """The models that a table is made from, itself among them, in the order in which they run."""
    wanted, todo = {table}, [table]
    while todo:
        more = set(load_models()[todo.pop()].depends_on) - wanted
        wanted |= more
        todo += more
    return tuple(name for name in model_order() if name in wanted)


def _decided(name: str, rows: Rows) -> pa.Table:
    """Rows of a relation of decisions, decided by one person on one day unless said."""
    plain = {"ente": ENTE, "decided_by": "rossi", "decided_at": datetime(2026, 1, 10, tzinfo=UTC)}
    full = [{**plain, "decision": number, **row} for number, row in enumerate(rows, 1)]
    return pa.Table.from_pylist(full, schema=DECIDED[name].arrow_schema)
