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

from pcc_pipeline.calculator.holidays import holidays_table, observation_moment
from pcc_pipeline.calculator.inputs import DELIVERIES, Calculation, Parameters
from pcc_pipeline.calculator.models import Model, load_models, macros, model_order
from pcc_pipeline.duck import connect, parquet
from pcc_pipeline.rules import RULE_TABLES, anomaly_codes, rule_path, rule_rows
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import DECIDED, FEEDS, MODELS, Table
from pcc_pipeline.tables.service import CLOSING

#: Tables whose closed months are kept as files of their own (see `pcc_pipeline.service.closing`).
CLOSED = "closed_"


@dataclass(frozen=True)
class ModelResult:
    """A model that ran: its rows and how long it took. Rows of a step are not counted."""

    name: str
    rows: int | None
    seconds: float


#: Macros that a view may use though they read the session: a query that stands alone has their values instead.
SESSION_MACROS = {
    "ente_code()": "varchar", "reference_date()": "date", "observed_at()": "date", "payment_term()": "integer",
    "pcc_models()": "varchar",
}  # fmt: skip

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
        feeds: Mapping[str, str],
    ) -> None:
        self.connection = connection
        self._store = store
        self._output = output
        self._feeds = feeds
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
        query = f"select {_columns(model.table)} from (\n{model.sql}\n) as made"
        if model.is_view:
            self._store.write_bytes(f"{self._output}/{name}.sql", self._standing_alone(model).encode())
            # To count is to run it: a step is not run twice, only bound.
            asked, limit = ("null", " limit 0") if model.is_step else ("count(*)", "")
            row = self.connection.execute(f"select {asked} from {self.source(name)}{limit}").fetchone() or (None,)
        else:
            with self._store.write(f"{self._output}/{name}.parquet") as target:
                row = self.connection.execute(f"copy ({query}) to '{_quoted(target)}' ({PARQUET})").fetchone() or (0,)
        return ModelResult(name, row[0], time.perf_counter() - started)

    def _view(self, name: str) -> None:
        """Has the model's name stand for what was made of it; a view that is there is not planned again."""
        made = self.source(name)
        if self._views.get(name) != made:
            self.connection.execute(f"create or replace view {name} as select * from {made}")
            self._views[name] = made

    def source(self, name: str) -> str:
        """See the function `source`."""
        return source(self._store, self.ente, name, self._output)

    def _standing_alone(self, model: Model) -> str:
        """A view's query that needs no session: inputs as files, the ente and the dates as values."""
        given = [
            f"{relation} as (select * from {self._feeds[relation]})" for relation in self._feeds if relation in model.reads
        ]
        given += [f"{needed} as (select * from {self.source(needed)})" for needed in model.depends_on]
        given += [
            f"{relation} as (select * from {rule_query(relation)})"
            for relation in sorted(model.reads)
            if relation.startswith("rule_")
        ]
        sql = f"with {', '.join(given)} select {_columns(model.table)} from (\n{model.sql}\n) as made"
        for macro, kind in SESSION_MACROS.items():
            (value,) = self.connection.execute(f"select {macro}::varchar").fetchone() or (None,)
            sql = sql.replace(macro, f"{_literal(value)}::{kind}")
        return sql


class Calculator:
    """Opens sessions. One calculator serves any number of enti and threads."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    @contextmanager
    def session(self, inputs: Calculation, output: str | None = None) -> Iterator[Session]:
        """A session over the inputs given; `output` is the store folder of the models' files, `models/<ente>` unless told.

        Inputs that are not kept yet are kept beside the models, in the folder `given`.
        """
        ente, parameters = inputs.ente, inputs.parameters
        output = output or f"models/{ente}"
        if inputs.folder is None:
            inputs = inputs.kept(self._store, f"{output}/given")
        with prepared(self._settings, self._store) as connection:
            for name, value in (
                ("ente", ente),
                ("ente_tipo", parameters.ente_tipo),
                ("reference_date", parameters.reference_date.isoformat()),
                ("observed_at", parameters.observed_at.isoformat()),
                ("observation_moment", observation_moment(parameters.observed_at).isoformat()),
                ("patron_saint", parameters.patron_saint),
                ("siope_plus", _text(parameters.siope_plus)),
                ("siope_plus_dal", _text(parameters.siope_plus_dal)),
                ("pubblicato_il", _text(parameters.pubblicato_il)),
                ("modelli_pcc", parameters.modelli_pcc),
            ):
                connection.execute(f"set variable {name} = {_literal(value)}")
            feeds = self._feeds(inputs) | self._decided(inputs) | self._closed(ente)
            for name, query in feeds.items():
                connection.execute(f"create view {name} as select * from {query}")
            yield Session(connection, self._store, ente, output, feeds)

    def run_inputs(
        self, inputs: Calculation, models: Iterable[str] | None = None, output: str | None = None
    ) -> dict[str, ModelResult]:
        """Runs all models (or those named) in order over the inputs; returns their results by name."""
        wanted = set(MODELS if models is None else models)
        with self.session(inputs, output) as session:
            return {name: session.run(name) for name in model_order() if name in wanted}

    def run(
        self,
        ente: str,
        parameters: Parameters,
        deliveries: pa.Table,
        models: Iterable[str] | None = None,
        output: str | None = None,
        decided: Mapping[str, pa.Table] | None = None,
    ) -> dict[str, ModelResult]:
        """`run_inputs` over inputs given one by one, where no register tells them."""
        return self.run_inputs(Calculation(ente, parameters, deliveries, decided or {}), models, output)

    def _feeds(self, inputs: Calculation) -> dict[str, str]:
        """What stands after `from` for `deliveries` and each `feed_<kind>`."""
        known = f"read_parquet('{_quoted(self._store.uri(f'{inputs.folder}/{DELIVERIES}'))}')"
        parts: dict[str, set[tuple[str, str]]] = {}
        for row in inputs.deliveries.select(["kind", "part", "owner"]).to_pylist():
            if row["part"] is not None:
                parts.setdefault(row["kind"], set()).add((row["owner"] or inputs.ente, row["part"]))
        feeds = {"deliveries": known}
        for kind, table in FEEDS.items():
            files = [self._store.uri(f"staging/{owner}/{kind}/{part}.parquet") for owner, part in sorted(parts.get(kind, ()))]
            feeds[f"feed_{kind}"] = f"({_feed_query(table, files, known)})"
        return feeds

    def _closed(self, ente: str) -> dict[str, str]:
        """What stands after `from` for each `closed_<table>`: the months of that table that were closed."""
        relations = {}
        for name in CLOSING:
            files = [self._store.uri(rel) for rel in self._store.list(f"closed/{ente}/{name}")]
            relations[CLOSED + name] = parquet(MODELS[name], files)
        return relations

    def _decided(self, inputs: Calculation) -> dict[str, str]:
        """What stands after `from` for each `decided_<table>`."""
        return {
            relation: f"read_parquet('{_quoted(self._store.uri(f'{inputs.folder}/{relation}.parquet'))}')"
            for relation in DECIDED
        }


def source(store: Store, ente: str, name: str, output: str | None = None) -> str:
    """What stands after `from` to read a model's table, in a connection that is `prepared`.

    A file, or the query that stands for a view. Raises FileNotFoundError when the model has not been run.
    """
    base = f"{output or f'models/{ente}'}/{name}"
    model = load_models().get(name)
    if model is not None and model.is_view:
        try:
            with store.open(f"{base}.sql") as file:
                return f"({file.read().decode()})"
        except FileNotFoundError:
            raise FileNotFoundError(f"{name} has not been made for {ente}") from None
    if not store.exists(f"{base}.parquet"):
        raise FileNotFoundError(f"{name} has not been made for {ente}")
    return f"read_parquet('{_quoted(store.uri(f'{base}.parquet'))}')"


@contextmanager
def prepared(settings: Settings, store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can read any model's `source`: store attached, rule tables and macros there."""
    connection = connect(settings)
    try:
        prepare(connection, store)
        yield connection
    finally:
        connection.close()


def prepare(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Gives a connection what `prepared` promises."""
    store.attach(connection)
    for name in RULE_TABLES:
        connection.execute(f"create table rule_{name} as select * from {rule_query(f'rule_{name}')}")
    _set_variables(connection)
    connection.execute(macros())
    connection.execute(_bucket_macro())
    connection.execute(_place_macro())


def beside(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Another connection to the database of a prepared one, prepared too at no cost; temporary views are its own."""
    another = connection.cursor()
    _set_variables(another)
    return another


def _set_variables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"set variable number_prefix_pattern = {_literal(_prefix_pattern())}")


def rule_query(relation: str) -> str:
    """What stands after `from` to read a rule table, `rule_<name>`, from its file."""
    name = relation.removeprefix("rule_")
    types = ", ".join(f"'{column}': '{kind}'" for column, kind in RULE_TABLES[name].items())
    path = _quoted(str(rule_path(name)))
    return f"read_csv('{path}', delim = ',', quote = '\"', header = true, columns = {{{types}}})"


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
    codes = ", ".join(_literal(code) for code in anomaly_codes())
    return f"create or replace macro anomaly_place(code) as list_position([{codes}], code)"


def _columns(table: Table) -> str:
    return ", ".join(f'cast(made."{c.name}" as {c.duckdb_type}) as "{c.name}"' for c in table.columns)


def _feed_query(table: Table, files: list[str], known: str) -> str:
    """The delivered rows of a kind, each with its place in the order of arrival (ARRIVAL_COLUMNS)."""
    return (
        f"select rows.*, known.sequence, known.received_at, known.sequence * 4294967296 + rows.line as row_id "
        f"from {parquet(table, files)} as rows "
        f"join {known} as known on known.delivery = rows.delivery and known.kind = '{table.name}'"
    )


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _text(value: bool | date | None) -> str | None:
    return None if value is None else str(value)


def _literal(value: str | None) -> str:
    return "null" if value is None else f"'{_quoted(value)}'"
