"""The models of many small enti worked out at once: planning a query costs more than a small ente's rows.

A model is written for one ente and stays so. Here it stands in a lateral join, once for each row of `batch_enti`, and every
relation it reads is narrowed to that row's ente; what is known of the ente is that row's too. A lateral join says what a
loop over the enti would do, and DuckDB does it for all of them together: it carries the ente through each join, window,
group, distinct and subquery of the model. So no key of a model has to name the ente, and none can forget it. Files are per
ente, as when each is worked out alone.

What one ente's rows break is found by halves: it alone fails.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pcc_pipeline.calculator.calculator import Calculator
from pcc_pipeline.calculator.held import KEPT, held
from pcc_pipeline.calculator.holidays import holidays_table
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA, Calculation
from pcc_pipeline.calculator.models import Model, load_models, model_order
from pcc_pipeline.calculator.relations import (
    CLOSED,
    SESSION_MACROS,
    arrived,
    closed_files,
    delivered_parts,
    given_sources,
    made_columns,
    rules_state,
    source,
    standing_alone,
)
from pcc_pipeline.calculator.session import FACTS, ModelResult, beside, prepared, set_dates
from pcc_pipeline.duck import literal, parquet
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import DECIDED, FEEDS, MODELS, TABLES, Table

#: The column that says for which ente's calculation a row is there; its rows' own `ente` is content, as any other column.
OWNER = "of_ente"

#: DuckDB types of what the register says of an ente.
_FACT_TYPES = {"siope_plus": "boolean", "siope_plus_dal": "date", "pubblicato_il": "date"}

#: What is known of the ente of a row of `batch_enti`.
_HERE = ", ".join(f"here.{name}" for name in ("ente", *FACTS))

logger = logging.getLogger(__name__)


def run_each(
    settings: Settings,
    store: Store,
    inputs: Sequence[Calculation],
    models: Iterable[str] | None = None,
    *,
    hold: bool = False,
) -> dict[str, dict[str, ModelResult] | Exception]:
    """Runs all models (or those named) for each of the enti, together where they are several; returns each ente's results
    by model, or what stopped it. The inputs are of one pair of dates. With `hold` what was made stays in memory for the next
    step over the same inputs.

    After an error the enti are tried again in halves: only those fail that fail alone.
    """
    wanted = frozenset(MODELS if models is None else models)
    if len(inputs) == 1:
        ente = inputs[0].ente
        try:
            return {ente: Calculator(settings, store).run_inputs(inputs[0], wanted, hold=hold)}
        except Exception as error:
            logger.exception("%s: the models failed", ente)
            return {ente: error}
    try:
        return dict(run_together(settings, store, inputs, wanted, hold=hold))
    except Exception as error:
        logger.warning("a batch of %d enti is tried again in halves: %s", len(inputs), error)
    half = len(inputs) // 2
    first, second = (run_each(settings, store, some, wanted, hold=hold) for some in (inputs[:half], inputs[half:]))
    return first | second


def run_together(
    settings: Settings, store: Store, inputs: Sequence[Calculation], models: Iterable[str], *, hold: bool = False
) -> dict[str, dict[str, ModelResult]]:
    """Runs the models named once for all the enti; returns each ente's results by model, in which a model's seconds are its
    share. `hold` as for `run_each`. Raises ValueError for inputs of several dates, duckdb.Error when the SQL fails for any
    ente."""
    if len({(given.parameters.reference_date, given.parameters.observed_at) for given in inputs}) != 1:
        raise ValueError("A batch is of one reference date and one observation date")
    kept = [given if given.folder else given.kept(store, f"models/{given.ente}/given") for given in inputs]
    order = [name for name in model_order() if name in set(models)]
    found: dict[str, dict[str, ModelResult]] = {given.ente: {} for given in kept}
    with (held_open if hold else opened)(settings, store, kept) as batch:
        for place, name in enumerate(order):
            started = time.perf_counter()
            rows = batch.run(name)
            share = (time.perf_counter() - started) / len(kept)
            for ente, count in rows.items():
                found[ente][name] = ModelResult(name, count, share)
            batch.keep_only(order[place + 1 :], hold=hold)
    return found


@contextmanager
def opened(settings: Settings, store: Store, inputs: Sequence[Calculation]) -> Iterator[Batch]:
    """A batch of enti of one pair of dates, whose inputs are kept in the store."""
    with prepared(settings, store) as connection, ThreadPoolExecutor(settings.threads) as writers:
        yield Batch(connection, store, inputs, writers)


def held_open(settings: Settings, store: Store, inputs: Sequence[Calculation]) -> AbstractContextManager[Batch]:
    """The batch that a step before left at hand for the same inputs, else `opened`; it stays at hand for the next step.

    Those at hand share the memory that one may use.
    """
    if settings.memory_bytes:
        settings = replace(settings, memory_limit=f"{settings.memory_bytes // KEPT}B")
    told = tuple(sorted((given.ente, given.folder) for given in inputs if given.folder))
    key = (settings, store.url, rules_state(), told) if len(told) == len(inputs) else None
    return held(key, opened(settings, store, inputs))


class Batch:
    """A connection with the relations of several enti: tables `batch_<relation>` whose rows are marked with OWNER, and under
    its own name what is the same for all of them."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, store: Store, inputs: Sequence[Calculation], writers: ThreadPoolExecutor
    ) -> None:
        self.connection = connection
        self._store = store
        self._inputs = {given.ente: given for given in sorted(inputs, key=lambda given: given.ente)}
        self._writers = writers
        self._owned: set[str] = set()
        self._shared: set[str] = {"public_holidays"}
        self._table("public_holidays", holidays_table())
        self._views: dict[tuple[str, str], str] = {}
        self._parts = {ente: delivered_parts(store, given) for ente, given in self._inputs.items()}
        self._given: dict[str, dict[str, str]] = {}
        self._dates = next(iter(self._inputs.values())).parameters
        set_dates(connection, self._dates)
        facts = [{"ente": e} | {name: getattr(given.parameters, name) for name in FACTS} for e, given in self._inputs.items()]
        types = {name: _FACT_TYPES.get(name, "varchar") for name in ("ente", *FACTS)}
        self._table("batch_enti", pa.Table.from_pylist(facts), types)
        # A macro cannot name a column that is not its own: it asks a relation that each query has of its ente.
        columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
        connection.execute(f"create table this_ente ({columns})")
        for name in FACTS:
            connection.execute(f"create or replace macro {name}() as (select {name} from this_ente)")
        self._own("deliveries", [given.deliveries for given in self._inputs.values()], DELIVERIES_SCHEMA)
        self._values = self._macro_values()

    def run(self, name: str) -> dict[str, int | None]:
        """Runs one model for all enti and writes its file, or the query that stands for it, for each; returns rows by ente
        (None: not counted)."""
        model = load_models()[name]
        if model.is_view:
            return self._run_view(model)
        self._make(model)
        rows = self.connection.sql(f"select * from batch_{name} order by {OWNER}").to_arrow_table()
        return dict(self._write(name, rows))

    def rows(self, name: str) -> str:
        """A query of all the enti's rows of a table that lies in their models' folders, each marked with OWNER."""
        if self.has(name):
            return f"select * from batch_{name}"
        if view := self._unmade(name):
            return self._query(view)
        files = {ente: [self._store.uri(f"models/{ente}/{name}.parquet")] for ente in self._inputs}
        owners = ", ".join(f"({literal(file)}, {literal(ente)})" for ente, (file,) in files.items())
        return _marked(parquet(TABLES[name], _all(files)), f"(values {owners})")

    def beside(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the same relations (see `session.beside`); what `rows` gave can be read there too."""
        another = beside(self.connection)
        set_dates(another, self._dates)
        return another

    def keep_only(self, models: Sequence[str], *, hold: bool) -> None:
        """Forgets the relations that none of these models reads any more; with `hold` only what is given."""
        wanted = {relation for name in models for relation in self._reads(load_models()[name])} | {"deliveries"}
        wanted |= self._owned & MODELS.keys() if hold else set()
        for relation in self._owned - wanted:
            self.connection.execute(f"drop table batch_{relation}")
            self._owned.discard(relation)

    def has(self, name: str) -> bool:
        """Whether the rows of a table are in memory."""
        return name in self._owned

    def _unmade(self, relation: str) -> Model | None:
        """The view of that name whose rows are not in memory: its query stands for it."""
        model = load_models().get(relation)
        return model if model is not None and model.is_view and not self.has(relation) else None

    def _make(self, model: Model) -> None:
        """Makes the model's rows for all enti."""
        self.connection.execute(f"create or replace table batch_{model.name} as {self._query(model)}")
        self._owned.add(model.name)

    def _run_view(self, model: Model) -> dict[str, int | None]:
        name = model.name
        self._make(model)
        for ente in self._inputs:
            source_of = partial(self._source, ente)
            self._views[ente, name] = standing_alone(model, self._sources(ente), source_of, self._values[ente])
        written = {f"models/{ente}/{name}.sql": self._views[ente, name].encode() for ente in self._inputs}
        list(self._writers.map(self._store.write_bytes, written, written.values()))
        if model.is_step:
            return dict.fromkeys(self._inputs)
        counted = self.connection.execute(f"select {OWNER}, count(*) from batch_{name} group by {OWNER}").fetchall()
        none: dict[str, int | None] = dict.fromkeys(self._inputs, 0)
        return none | dict(counted)

    def _write(self, name: str, rows: pa.Table) -> dict[str, int]:
        """Writes each ente's rows, which lie together, as its file of the model."""
        owners = rows[OWNER].combine_chunks()
        runs = pc.run_end_encode(owners) if len(owners) else None
        ends = dict(zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True)) if runs is not None else {}
        content, start = rows.drop_columns([OWNER]), 0
        counts: dict[str, int] = {}
        waiting = []
        for ente in self._inputs:
            end = ends.get(ente, start)
            mine = content.slice(start, end - start)
            waiting.append(self._writers.submit(self._write_one, f"models/{ente}/{name}.parquet", mine))
            counts[ente], start = len(mine), end
        for done in waiting:
            done.result()
        return counts

    def _write_one(self, file: str, rows: pa.Table) -> None:
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="snappy", store_decimal_as_integer=True)
        self._store.write_bytes(file, sink.getvalue())

    def _query(self, model: Model) -> str:
        """The model's rows for every ente of the batch, marked with OWNER."""
        inner = [f"this_ente as (select {_HERE})"]
        for relation in self._reads(model):
            if view := self._unmade(relation):
                inner.append(f"{relation} as (select {made_columns(view.table)} from (\n{view.sql}\n) as made)")
            else:
                self._load(relation)
                if relation in self._owned:
                    rows = f"select * exclude ({OWNER}) from batch_{relation} where {OWNER} = here.ente"
                    inner.append(f"{relation} as ({rows})")
        sql = f"with {', '.join(inner)} select {made_columns(model.table)} from (\n{model.sql}\n) as made"
        sql = sql.replace("ente_code()", "here.ente")
        for name in FACTS:
            sql = sql.replace(f"{name}()", f"here.{name}")
        return f"select here.ente as {OWNER}, made.* from batch_enti as here cross join lateral ({sql}) as made"

    def _reads(self, model: Model) -> list[str]:
        """All relations that the model reads, itself or through views that are not in memory, each after those it reads."""
        wanted: set[str] = set()
        todo = list(model.reads - {model.name})
        while todo:
            relation = todo.pop()
            if relation not in wanted:
                wanted.add(relation)
                todo += view.reads if (view := self._unmade(relation)) else ()
        return sorted(wanted - set(model_order())) + [name for name in model_order() if name in wanted]

    def _load(self, relation: str) -> None:
        """Has the relation's rows of all enti there, once."""
        if relation in self._owned or relation in self._shared or relation.startswith("rule_"):
            return
        if relation in TABLES:
            files = {ente: [self._store.uri(f"models/{ente}/{relation}.parquet")] for ente in self._inputs}
            self._own_files(relation, _marked(parquet(TABLES[relation], _all(files))), files)
        elif relation in DECIDED:
            schema = DECIDED[relation].arrow_schema
            self._own(relation, [given.decided.get(relation, schema.empty_table()) for given in self._inputs.values()], schema)
        elif relation.startswith(CLOSED):
            table = MODELS[relation.removeprefix(CLOSED)]
            files = {ente: closed_files(self._store, ente, table.name) for ente in self._inputs}
            if _all(files):
                self._own_files(relation, _marked(parquet(table, _all(files))), files)
            else:
                self._none(relation, table)
        else:
            self._load_feed(relation.removeprefix("feed_"))

    def _load_feed(self, kind: str) -> None:
        """The delivered rows of a kind; under its own name where every ente has the same ones (the provider's, or none)."""
        table, relation = FEEDS[kind], f"feed_{kind}"
        told = [_delivered(given, kind) for given in self._inputs.values()]
        files = {ente: parts.get(kind, []) for ente, parts in self._parts.items()}
        same = all(one == told[0] for one in told) and all(one == files[min(files)] for one in files.values())
        if same or not _all(files):
            known = f"(select * from batch_deliveries where {OWNER} = (select min(ente) from batch_enti))"
            self.connection.execute(f"create table {relation} as {arrived(table, parquet(table, files[min(files)]), known)}")
            self._shared.add(relation)
            return
        query = arrived(table, _marked(parquet(table, _all(files))), "batch_deliveries", f"known.{OWNER} = rows.{OWNER} and ")
        self._own_files(relation, f"({query})", files)

    def _own_files(self, relation: str, rows: str, files: Mapping[str, Sequence[str]]) -> None:
        """Makes `batch_<relation>` of rows that are `_marked`; of no files it is the same for all."""
        pairs = [{"file": file, "ente": ente} for ente, mine in files.items() for file in mine]
        self.connection.register("batch_files", pa.Table.from_pylist(pairs))
        self.connection.execute(f"create table batch_{relation} as select * from {rows}")
        self.connection.unregister("batch_files")
        self._owned.add(relation)

    def _none(self, relation: str, table: Table) -> None:
        """Makes a relation without rows, the same for all."""
        self.connection.execute(f"create table {relation} as select * from {parquet(table, ())}")
        self._shared.add(relation)

    def _own(self, relation: str, tables: Sequence[pa.Table], schema: pa.Schema) -> None:
        """Makes `batch_<relation>` of the enti's rows, given in their order; without any it is the same for all."""
        marked = [
            rows.select(schema.names).cast(schema).append_column(OWNER, pa.array([ente] * len(rows), pa.string()))
            for ente, rows in zip(self._inputs, tables, strict=True)
        ]
        rows = pa.concat_tables(marked)
        if len(rows):
            self._table(f"batch_{relation}", rows)
            self._owned.add(relation)
        else:
            self._table(relation, rows.drop_columns([OWNER]))
            self._shared.add(relation)

    def _table(self, name: str, rows: pa.Table, types: Mapping[str, str] | None = None) -> None:
        """Makes a table of these rows."""
        self.connection.register("batch_rows", rows)
        columns = ", ".join(f"{column}::{kind} as {column}" for column, kind in (types or {}).items()) or "*"
        self.connection.execute(f"create table {name} as select {columns} from batch_rows")
        self.connection.unregister("batch_rows")

    def _macro_values(self) -> dict[str, dict[str, str | None]]:
        """What the macros of SESSION_MACROS give each ente, as text."""
        facts = ", ".join(f"here.{name}" for name in ("ente", *FACTS))
        asked = ", ".join(f"{macro}::varchar" for macro in SESSION_MACROS).replace("ente_code()", "here.ente")
        query = f"with this_ente as (select {facts}) select {asked} from this_ente"
        rows = self.connection.execute(f"select made.* from batch_enti as here cross join lateral ({query}) as made").fetchall()
        return {row[0]: dict(zip(SESSION_MACROS, row, strict=True)) for row in rows}

    def _sources(self, ente: str) -> dict[str, str]:
        if ente not in self._given:
            self._given[ente] = given_sources(self._store, self._inputs[ente])
        return self._given[ente]

    def _source(self, ente: str, name: str) -> str:
        """What stands after `from` to read a model of the ente (see `relations.source`); a view made here is known."""
        made = self._views.get((ente, name))
        return f"({made})" if made is not None else source(self._store, ente, name)


def _marked(rows: str, files: str = "batch_files") -> str:
    """Rows read from files, marked with the ente that the relation `files` (file, ente) gives each file."""
    return (
        f"(select files.ente as {OWNER}, given.* from {rows} as given "
        f"join {files} as files(file, ente) on files.file = given.filename)"
    )


def _all(files: Mapping[str, Sequence[str]]) -> list[str]:
    return sorted({file for mine in files.values() for file in mine})


def _delivered(given: Calculation, kind: str) -> list[tuple[object, ...]]:
    """What tells an ente's deliveries of a kind."""
    rows = given.deliveries.filter(pc.equal(given.deliveries["kind"], kind))
    return sorted(zip(*(rows[name].to_pylist() for name in ("delivery", "sequence", "received_at", "part")), strict=True))
