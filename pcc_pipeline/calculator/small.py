"""One small ente's models worked out in memory: planning a query costs more than a small ente's rows, and the files and views
within it are most of its planning.

Each relation is made a table once, in a database of this calculation alone, and dropped when nothing reads it any more. So is
what the models make; their files are written from there. A view is made once too, though what is kept of it is its query, as
ever. As many relations as there are threads are made side by side. Where a run's steps follow one another, what the models
made stays for the next one (`held`).
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from queue import SimpleQueue

import duckdb

from pcc_pipeline.calculator.held import held
from pcc_pipeline.calculator.holidays import holidays_table
from pcc_pipeline.calculator.inputs import Calculation
from pcc_pipeline.calculator.models import Model, load_models
from pcc_pipeline.calculator.relations import file_source, given_sources, made_columns, rules_state, source, standing_alone
from pcc_pipeline.calculator.session import PARQUET, ModelResult, at_hand, beside, macro_values, set_parameters
from pcc_pipeline.calculator.side_by_side import side_by_side
from pcc_pipeline.duck import literal
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import MODELS

HOLIDAYS = "public_holidays"


def run_in_memory(
    settings: Settings, store: Store, inputs: Calculation, order: Sequence[str], output: str, *, hold: bool = False
) -> dict[str, ModelResult]:
    """Runs the models `order` over inputs that are kept, into the folder `output`; returns their results in that order.

    With `hold` what they made stays in memory for the next step over the same inputs.
    Raises FileNotFoundError naming a model that is read and was not made before, duckdb.Error when the SQL fails.
    """
    with held(_key(settings, store, inputs, output) if hold else None, _opened(settings, store, inputs)) as memory:
        planner = Planner(store, inputs, output, order, there=memory.made)
        found = memory.make_all(planner.plan(memory.values), hold=hold)
    return {name: found[name] for name in order}


@contextmanager
def in_memory(settings: Settings, store: Store, inputs: Calculation, models: Collection[str]) -> Iterator[InMemory]:
    """The tables of models that were run over these inputs, to be read from memory (`InMemory.source`).

    What a step before made and held is there already; raises as `run_in_memory`.
    """
    output = f"models/{inputs.ente}"
    with held(_key(settings, store, inputs, output), _opened(settings, store, inputs)) as memory:
        memory.make_all(Planner(store, inputs, output, (), models, memory.made).plan(memory.values), hold=True)
        yield memory


def _key(settings: Settings, store: Store, inputs: Calculation, output: str) -> Hashable | None:
    """What tells a calculation from others; None where its inputs are not kept, which tell themselves apart by their folder."""
    return inputs.folder and (settings, store.url, rules_state(), inputs.ente, inputs.folder, output)


@contextmanager
def _opened(settings: Settings, store: Store, inputs: Calculation) -> Iterator[InMemory]:
    """A database of this calculation alone. Rules and macros are the process's; its tables no other connection sees."""
    with ExitStack() as opened:
        kept = opened.enter_context(at_hand(settings, store))
        database = opened.enter_context(_database(kept))
        connections = []
        for _ in range(settings.threads + 1):
            connection = opened.enter_context(beside(kept))
            set_parameters(connection, inputs.ente, inputs.parameters)
            connection.execute(f"set search_path = '{database}.main,memory.main'")
            connections.append(connection)
        yield InMemory(database, connections, store)


@contextmanager
def _database(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The name of a database in memory, which goes with all that is in it."""
    name = f"calculation_{uuid.uuid4().hex}"
    connection.execute(f"attach ':memory:' as {name}")
    try:
        yield name
    finally:
        connection.execute(f"detach {name}")


@dataclass(frozen=True)
class Plan:
    """What is to be made: the query of each relation and the relations it reads, in no order; the models that are run, with
    the folder of their files, and of the views among them the text that is kept; the relations that are asked for later."""

    output: str
    queries: Mapping[str, str]
    reads: Mapping[str, Collection[str]]
    models: frozenset[str]
    views: Mapping[str, str]
    kept: frozenset[str]


class Planner:
    """Plans the models that are to be run over what is given, or those that were run before and are to be `kept` at hand; what
    is `there` in memory is not made again."""

    def __init__(
        self,
        store: Store,
        inputs: Calculation,
        output: str,
        models: Collection[str],
        kept: Collection[str] = (),
        there: Collection[str] = (),
    ) -> None:
        self._store = store
        self._ente = inputs.ente
        self._output = output
        self._given = given_sources(store, inputs)
        self._models = frozenset(models)
        self._kept = frozenset(kept)
        self._there = frozenset(there) - self._models
        self._values: Mapping[str, str | None] = {}
        self._texts: dict[str, str] = {}

    def plan(self, values: Mapping[str, str | None]) -> Plan:
        """What is to be made, where the macros of SESSION_MACROS have those values. Raises FileNotFoundError naming a model
        that was not made before."""
        self._values = values
        queries: dict[str, str] = {}
        reads: dict[str, Collection[str]] = {}
        todo = [*self._models, *self._kept]
        while todo:
            name = todo.pop()
            if name not in queries and name not in self._there:
                queries[name], reads[name] = self._relation(name)
                todo += reads[name]
        views = {name: self._text(name) for name in self._models if load_models()[name].is_view}
        return Plan(self._output, queries, reads, self._models, views, self._kept)

    def _relation(self, name: str) -> tuple[str, Collection[str]]:
        """The query that makes a relation, and what must be there before."""
        if name in self._given:
            return f"select * from {self._given[name]}", ()
        if name == HOLIDAYS:
            return f"select * from given_{HOLIDAYS}", ()
        if name not in MODELS:  # a published table that no model makes
            return f"select * from {source(self._store, self._ente, name, self._output)}", ()
        model = load_models()[name]
        before = [relation for relation in model.reads if relation != name and not relation.startswith("rule_")]
        if name not in self._models:
            made = source(self._store, self._ente, name, self._output)
            if not model.is_view:
                return f"select * from {made}", ()
            if self._text(name) != self._alone(model):  # of other inputs: it stands as it was made
                return f"select * from {made}", before
        return f"select {made_columns(model.table)} from (\n{model.sql}\n) as made", before

    def _text(self, name: str) -> str:
        """The query that stands for a view: of one that is run what it will be, of another what is kept of it."""
        if name not in self._texts:
            if name in self._models:
                self._texts[name] = self._alone(load_models()[name])
            else:
                self._texts[name] = source(self._store, self._ente, name, self._output)[1:-1]
        return self._texts[name]

    def _alone(self, model: Model) -> str:
        return standing_alone(model, self._given, self._source, self._values)

    def _source(self, name: str) -> str:
        if load_models()[name].is_view:
            return f"({self._text(name)})"
        return file_source(self._store, f"{self._output}/{name}.parquet")


class InMemory:
    """A database in memory in which plans are carried out; the first of the connections to it tidies up."""

    def __init__(self, database: str, connections: Sequence[duckdb.DuckDBPyConnection], store: Store) -> None:
        #: The tables that stay from one plan to the next.
        self.made: set[str] = set()
        self._database = database
        self._store = store
        self._tidying, *makers = connections
        self._at_once = len(makers)
        self._free: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
        for connection in makers:
            self._free.put(connection)

    @cached_property
    def values(self) -> Mapping[str, str | None]:
        """What the macros of SESSION_MACROS give here, as text."""
        return macro_values(self._tidying)

    def source(self, name: str) -> str:
        """What stands after `from` to read a table that is kept, in a connection that is `beside` these."""
        return f"(select * from {self.table(name)})"

    def table(self, name: str) -> str:
        """The name of a table in such a connection."""
        return f"{self._database}.main.{name}"

    def beside(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the database."""
        return beside(self._tidying)

    def make_all(self, plan: Plan, *, hold: bool) -> dict[str, ModelResult]:
        """Makes every relation after those it reads; returns the results of the models that are run.

        With `hold` the models' tables stay, whoever reads them.
        """
        reads = {name: set(before) & plan.queries.keys() for name, before in plan.reads.items()}
        readers = Counter((*plan.kept, *(relation for read in reads.values() for relation in read)))

        def make(name: str) -> ModelResult:
            return self.run(plan, name) if name in plan.models else self.load(plan, name)

        found: dict[str, ModelResult] = {}
        for name, result in side_by_side(reads, make, self._at_once):
            found[name] = result
            readers.subtract(reads[name])
            for relation in (name, *reads[name]):
                if not readers[relation] and not (hold and relation in MODELS):
                    self._tidying.execute(f"drop table {relation}")
        if hold:
            self.made |= found.keys() & MODELS.keys()
        return found

    def run(self, plan: Plan, name: str) -> ModelResult:
        """Runs one model and writes its file, or of a view the query that stands for it."""
        started = time.perf_counter()
        made = self.load(plan, name)
        if name in plan.views:
            self._store.write_bytes(f"{plan.output}/{name}.sql", plan.views[name].encode())
        else:
            with self._connection() as connection, self._store.write(f"{plan.output}/{name}.parquet") as target:
                connection.execute(f"copy {name} to {literal(target)} ({PARQUET})")
        rows = None if load_models()[name].is_step else made.rows
        return ModelResult(name, rows, time.perf_counter() - started)

    def load(self, plan: Plan, name: str) -> ModelResult:
        """Makes a relation's table, anew if it is there."""
        started = time.perf_counter()
        with self._connection() as connection:
            if name == HOLIDAYS:
                connection.register(f"given_{HOLIDAYS}", holidays_table())
            ((rows,),) = connection.execute(f"create or replace table {name} as {plan.queries[name]}").fetchall()
        return ModelResult(name, rows, time.perf_counter() - started)

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = self._free.get()
        try:
            yield connection
        finally:
            self._free.put(connection)
