"""One ente's models run by DuckDB: Parquet in, Parquet out, under a memory limit.

A session sees the files of one ente only; a model's file appears whole or not at all. Which deliveries are
known is told by the caller (the register), so any past state is the same models over fewer deliveries.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import duckdb

from pcc_pipeline.calculator.holidays import holidays_table, observation_moment
from pcc_pipeline.calculator.inputs import Parameters
from pcc_pipeline.calculator.models import load_models, macros
from pcc_pipeline.calculator.relations import (
    SESSION_MACROS,
    made_columns,
    rule_query,
    rules_state,
    source,
    standing_alone,
)
from pcc_pipeline.duck import connect, literal
from pcc_pipeline.forks import OfProcess
from pcc_pipeline.rules import RULE_TABLES, anomaly_codes, rule_rows
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store


@dataclass(frozen=True)
class ModelResult:
    """A model that ran: its rows and how long it took. Rows of a step are not counted."""

    name: str
    rows: int | None
    seconds: float


#: What the register says of an ente, by the names of `Parameters` and of the macros that tell it.
FACTS = ("ente_tipo", "patron_saint", "siope_plus", "siope_plus_dal", "pubblicato_il", "modelli_pcc")

#: How models are written. Dictionaries pay for codes and names; the limit stops them early on keys and amounts.
PARQUET = "format parquet, parquet_version v2, compression snappy, dictionary_size_limit 5000"


class Session:
    """A DuckDB connection with one ente's relations, the rule tables, the macros and the parameters in it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: Store,
        ente: str,
        output: str,
        given: Mapping[str, str],
    ) -> None:
        self.connection = connection
        self._store = store
        self._output = output
        self._given = given
        self._views: dict[str, str] = {}
        self.ente = ente

    def run(self, name: str) -> ModelResult:
        """Runs one model over what its inputs hold now: a file, or for a view the query that stands for it.

        Raises FileNotFoundError naming the model when an input has not been made, duckdb.Error when the SQL fails.
        """
        model = load_models()[name]
        for needed in model.depends_on:
            self._view(needed)
        if "public_holidays" in model.reads:
            self.connection.register("public_holidays", holidays_table())
        started = time.perf_counter()
        query = f"select {made_columns(model.table)} from (\n{model.sql}\n) as made"
        if model.is_view:
            alone = standing_alone(model, self._given, self.source, self._values)
            self._store.write_bytes(f"{self._output}/{name}.sql", alone.encode())
            # To count is to run it: a step is not run twice, only bound.
            asked, limit = ("null", " limit 0") if model.is_step else ("count(*)", "")
            row = self.connection.execute(f"select {asked} from {self.source(name)}{limit}").fetchone() or (None,)
        else:
            with self._store.write(f"{self._output}/{name}.parquet") as target:
                row = self.connection.execute(f"copy ({query}) to {literal(target)} ({PARQUET})").fetchone() or (0,)
        return ModelResult(name, row[0], time.perf_counter() - started)

    def _view(self, name: str) -> None:
        """Has the model's name stand for what was made of it; a view that is there is not planned again."""
        made = self.source(name)
        if self._views.get(name) != made:
            self.connection.execute(f"create or replace temp view {name} as select * from {made}")
            self._views[name] = made

    def source(self, name: str) -> str:
        """See the function `relations.source`."""
        return source(self._store, self.ente, name, self._output)

    @cached_property
    def _values(self) -> dict[str, str | None]:
        return macro_values(self.connection)


@contextmanager
def prepared(settings: Settings, store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can read any model's `source`: store attached, rule tables and macros there."""
    connection = connect(settings)
    try:
        prepare(connection, store)
        yield connection
    finally:
        connection.close()


@contextmanager
def at_hand(settings: Settings, store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """As `prepared`, over a database that this process keeps: to prepare one takes longer than a small model.

    What is made over it must be temporary: that is the connection's own, and goes with it. The database holds rules alone.
    """
    known = (settings, store.url, rules_state())
    with _kept.guard:
        if known not in _kept:
            _kept.clear()
            _kept[known] = _ready(settings, store)
        another = beside(_kept[known])
    try:
        yield another
    except (duckdb.FatalException, duckdb.InternalException):  # whoever comes next would find it unusable
        _kept.clear()
        raise
    finally:
        another.close()


#: The prepared database of this process, by settings, store and rules as they are.
_kept: OfProcess[duckdb.DuckDBPyConnection] = OfProcess()


def _ready(settings: Settings, store: Store) -> duckdb.DuckDBPyConnection:
    connection = connect(settings)
    # Files are replaced; what was read of them is another ente's, perhaps.
    connection.execute("set enable_external_file_cache = false")
    prepare(connection, Store(store.url))
    return connection


def prepare(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Gives a connection what `prepared` promises."""
    store.attach(connection)
    for name in RULE_TABLES:
        connection.execute(f"create table rule_{name} as select * from {rule_query(f'rule_{name}')}")
    set_variable(connection, "number_prefix_pattern", _prefix_pattern())
    connection.execute(macros())
    connection.execute(_bucket_macro())
    connection.execute(_place_macro())


def beside(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Another connection to the database of a prepared one, prepared too at no cost; temporary views are its own."""
    another = connection.cursor()
    set_variable(another, "number_prefix_pattern", _prefix_pattern())
    return another


def macro_values(connection: duckdb.DuckDBPyConnection) -> dict[str, str | None]:
    """What the macros give in a connection that a query standing alone cannot ask, as text."""
    asked = ", ".join(f"{macro}::varchar" for macro in SESSION_MACROS)
    return dict(zip(SESSION_MACROS, connection.execute(f"select {asked}").fetchone() or (), strict=True))


def set_parameters(connection: duckdb.DuckDBPyConnection, ente: str, parameters: Parameters) -> None:
    """Gives a connection the ente that it works for and all that the macros tell of it."""
    set_variable(connection, "ente", ente)
    set_dates(connection, parameters)
    for name in FACTS:
        set_variable(connection, name, _text(getattr(parameters, name)))


def set_dates(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> None:
    """Gives a connection the two dates that every figure is asked for, and the moment of the observation."""
    set_variable(connection, "reference_date", parameters.reference_date.isoformat())
    set_variable(connection, "observed_at", parameters.observed_at.isoformat())
    set_variable(connection, "observation_moment", observation_moment(parameters.observed_at).isoformat())


def set_variable(connection: duckdb.DuckDBPyConnection, name: str, value: str | None) -> None:
    """Sets a variable of a connection, which only its macros read."""
    connection.execute(f"set variable {name} = {'null' if value is None else literal(value)}")


def _prefix_pattern() -> str:
    """The leading runs that a normalised number drops (docs/rules.md#rule-6), each only where a run follows."""
    prefixes = sorted((row["prefix"] for row in rule_rows("number_prefixes")), key=len, reverse=True)
    return f"^(({'|'.join(prefixes)})-)+"


def _bucket_macro() -> str:
    """due_date_bucket(days): the bucket of a number of days past due, a CASE made from rule_due_date_buckets.

    A CASE, since a join on ranges costs many times as much.
    """
    cases = " ".join(
        f"when days >= {row['from_days']} then '{row['bucket']}'"
        for row in reversed(rule_rows("due_date_buckets"))
        if row["from_days"]
    )
    youngest = next(row["bucket"] for row in rule_rows("due_date_buckets") if not row["from_days"])
    return f"create or replace macro due_date_bucket(days) as case {cases} else '{youngest}' end"


def _place_macro() -> str:
    """anomaly_place(code): a code's place in the catalogue, from 1."""
    codes = ", ".join(literal(code) for code in anomaly_codes())
    return f"create or replace macro anomaly_place(code) as list_position([{codes}], code)"


def _text(value: bool | date | None) -> str | None:
    return None if value is None else str(value)
