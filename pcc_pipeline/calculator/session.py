"""One ente's models run by DuckDB: Parquet in, Parquet out, under a memory limit.

A session sees the files of one ente only; a model's file appears whole or not at all. Which deliveries are
known is told by the caller (the register), so any past state is the same models over fewer deliveries.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from pcc_pipeline.calculator.models import Model, load_models, macros, model_order
from pcc_pipeline.rules import RULE_TABLES, rule_path, rule_rows
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import FEEDS, MODELS, Column, Table

#: What a model may ask of a delivery; `part` is the staging file its rows lie in, without the folder.
DELIVERIES_SCHEMA = pa.schema(
    [
        pa.field("delivery", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("sequence", pa.int64(), nullable=False),
        pa.field("received_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("file", pa.string()),
        pa.field("part", pa.string()),
    ]
)

_SQL_TYPES = {
    "text": "VARCHAR",
    "date": "DATE",
    "money": "DECIMAL(18,2)",
    "decimal": "DECIMAL(18,8)",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
    "texts": "VARCHAR[]",
}


def sql_type(column: Column) -> str:
    """The DuckDB type of a described column."""
    if column.type == "records":
        members = ", ".join(f'"{member.name}" {sql_type(member)}' for member in column.fields)
        return f"STRUCT({members})[]"
    return _SQL_TYPES[column.type]


@dataclass(frozen=True)
class Parameters:
    """What every figure depends on: the reference date D, the observation date O, the kind of ente."""

    reference_date: date
    observed_at: date
    ente_tipo: str | None = None

    def __post_init__(self) -> None:
        if self.observed_at < self.reference_date:
            raise ValueError(f"observed_at {self.observed_at} is before reference_date {self.reference_date}")


@dataclass(frozen=True)
class ModelResult:
    """A model that ran: its rows, how long it took, and the file they are in (none for a view)."""

    name: str
    rows: int
    seconds: float
    uri: str | None


#: How models are written. Dictionaries pay for codes and names; the limit stops them early on keys and amounts.
PARQUET = "format parquet, compression snappy, dictionary_size_limit 5000"


class Session:
    """A DuckDB connection with one ente's relations, the rule tables, the macros and the parameters in it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: Store,
        ente: str,
        output: str,
    ) -> None:
        self.connection = connection
        self._store = store
        self._output = output
        self.ente = ente

    def uri(self, name: str) -> str:
        """The file of a model's table."""
        return self._store.uri(f"{self._output}/{name}.parquet")

    def run(self, name: str) -> ModelResult:
        """Runs one model over what its inputs' files hold now.

        Raises FileNotFoundError naming the model when an input has not been made, duckdb.Error when the SQL fails.
        """
        model = load_models()[name]
        self._declare(model)
        started = time.perf_counter()
        query = f"select {_columns(model.table)} from (\n{model.sql}\n) as made"
        if model.is_view:
            self.connection.execute(f"create or replace view {name} as {query}")
            row = self.connection.execute(f"select count(*) from {name}").fetchone()
        else:
            with self._store.write(f"{self._output}/{name}.parquet") as target:
                row = self.connection.execute(
                    f"copy ({query}) to '{_quoted(target)}' ({PARQUET})"
                ).fetchone()
        assert row is not None
        return ModelResult(name, int(row[0]), time.perf_counter() - started, None if model.is_view else self.uri(name))

    def relation(self, name: str) -> str:
        """Declares a model (and what it reads) in this session, for queries on it; returns its name."""
        model = load_models()[name]
        if model.is_view:
            self._declare(model)
            self.connection.execute(f"create or replace view {name} as select {_columns(model.table)} from (\n{model.sql}\n) as made")
        elif self._store.exists(f"{self._output}/{name}.parquet"):
            self.connection.execute(f"create or replace view {name} as select * from read_parquet('{_quoted(self.uri(name))}')")
        else:
            raise FileNotFoundError(f"{name} has not been made for {self.ente}")
        return name

    def _declare(self, model: Model) -> None:
        for needed in model.depends_on:
            self.relation(needed)


class Calculator:
    """Opens sessions. One calculator serves any number of enti and threads."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    @contextmanager
    def session(self, ente: str, parameters: Parameters, deliveries: pa.Table, output: str | None = None) -> Iterator[Session]:
        """A session for one ente over the deliveries given (see DELIVERIES_SCHEMA).

        `output` is the store folder of the models' files, `models/<ente>` unless told.
        """
        connection = connect(self._settings)
        try:
            self._store.attach(connection)
            _declare_rules(connection)
            self._declare_feeds(connection, ente, deliveries)
            for name, value in (
                ("ente", ente),
                ("ente_tipo", parameters.ente_tipo),
                ("reference_date", parameters.reference_date.isoformat()),
                ("observed_at", parameters.observed_at.isoformat()),
                ("number_prefix_pattern", _prefix_pattern()),
            ):
                connection.execute(f"set variable {name} = {_literal(value)}")
            connection.execute(macros())
            connection.execute(_bucket_macro())
            yield Session(connection, self._store, ente, output or f"models/{ente}")
        finally:
            connection.close()

    def run(
        self,
        ente: str,
        parameters: Parameters,
        deliveries: pa.Table,
        models: Iterable[str] | None = None,
        output: str | None = None,
    ) -> dict[str, ModelResult]:
        """Runs all models (or those named) in order; returns their results by name."""
        wanted = set(MODELS if models is None else models)
        with self.session(ente, parameters, deliveries, output) as session:
            return {name: session.run(name) for name in model_order() if name in wanted}

    def _declare_feeds(self, connection: duckdb.DuckDBPyConnection, ente: str, deliveries: pa.Table) -> None:
        connection.register("delivered", deliveries.select(DELIVERIES_SCHEMA.names).cast(DELIVERIES_SCHEMA))
        connection.execute("create table deliveries as select * from delivered")
        connection.unregister("delivered")
        parts: Mapping[str, list[str]] = {
            kind: [
                self._store.uri(f"staging/{ente}/{kind}/{part}.parquet")
                for (part,) in connection.execute(
                    "select distinct part from deliveries where kind = ? and part is not null order by part", [kind]
                ).fetchall()
            ]
            for kind in FEEDS
        }
        for kind, table in FEEDS.items():
            connection.execute(f"create view feed_{kind} as {_feed_query(table, parts[kind])}")


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection of its own, in memory, that spills under the installation's home."""
    spill = settings.home / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    return duckdb.connect(
        config={
            "memory_limit": settings.memory_limit,
            "threads": settings.threads,
            "temp_directory": str(spill),
            "preserve_insertion_order": False,
            "TimeZone": "UTC",
            "autoinstall_known_extensions": False,
        }
    )


def _declare_rules(connection: duckdb.DuckDBPyConnection) -> None:
    for name, columns in RULE_TABLES.items():
        types = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
        connection.execute(
            f"create table rule_{name} as select * from read_csv('{_quoted(str(rule_path(name)))}', "
            f"delim = ',', quote = '\"', header = true, columns = {{{types}}})"
        )


def _prefix_pattern() -> str:
    """The leading runs that a normalised number drops (rules, section 6), each only where a run follows."""
    prefixes = sorted((row["prefix"] for row in rule_rows("number_prefixes")), key=len, reverse=True)
    return f"^(({'|'.join(prefixes)})-)+"


def _bucket_macro() -> str:
    """due_date_bucket(days): the bucket of a number of days past due, a CASE made from rule_due_date_buckets.

    A CASE, since a join on ranges costs many times as much.
    """
    cases = " ".join(
        f"when days >= {row['from_days']} then '{row['bucket']}'" for row in reversed(rule_rows("due_date_buckets")) if row["from_days"]
    )
    youngest = next(row["bucket"] for row in rule_rows("due_date_buckets") if not row["from_days"])
    return f"create or replace macro due_date_bucket(days) as case {cases} else '{youngest}' end"


def _columns(table: Table) -> str:
    return ", ".join(f'cast(made."{c.name}" as {sql_type(c)}) as "{c.name}"' for c in table.columns)


def _feed_query(table: Table, files: list[str]) -> str:
    """The delivered rows of a kind, each with its place in the order of arrival (ARRIVAL_COLUMNS)."""
    if files:
        listed = ", ".join(f"'{_quoted(file)}'" for file in files)
        rows = f"read_parquet([{listed}])"
    else:
        columns = ", ".join(f'cast(null as {sql_type(column)}) as "{column.name}"' for column in table.columns)
        rows = f"(select {columns} where false)"
    return (
        f"select rows.*, known.sequence, known.received_at, known.sequence * 4294967296 + rows.line as row_id "
        f"from {rows} as rows join deliveries as known on known.delivery = rows.delivery and known.kind = '{table.name}'"
    )


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _literal(value: str | None) -> str:
    return "null" if value is None else f"'{_quoted(value)}'"
