"""Any ente's models over any inputs: what opens a session, or has a small ente's models worked out in memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue

import duckdb
import pyarrow as pa

from pcc_pipeline.calculator.inputs import Calculation, Parameters
from pcc_pipeline.calculator.models import load_models, model_order
from pcc_pipeline.calculator.relations import given_sources
from pcc_pipeline.calculator.session import ModelResult, Session, at_hand, beside, set_parameters
from pcc_pipeline.calculator.side_by_side import side_by_side
from pcc_pipeline.calculator.small import run_in_memory
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import MODELS

log = logging.getLogger(__name__)

#: Models of a large ente that run side by side, where there are so many bytes of memory for each row delivered: they share
#: the limit, and with less of it each would only put more aside on disk than it would alone.
AT_ONCE, BYTES_A_ROW = 2, 300


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
        with self._sessions(inputs, output, 1) as (session,):
            yield session

    @contextmanager
    def _sessions(self, inputs: Calculation, output: str | None, count: int) -> Iterator[Sequence[Session]]:
        """So many sessions over the same inputs."""
        output = output or f"models/{inputs.ente}"
        inputs = self._kept(inputs, output)
        given = given_sources(self._store, inputs)
        with at_hand(self._settings, self._store) as first, ExitStack() as opened:
            connections = [first, *(opened.enter_context(beside(first)) for _ in range(count - 1))]
            for connection in connections:
                set_parameters(connection, inputs.ente, inputs.parameters)
                for name, query in given.items():
                    connection.execute(f"create temp view {name} as select * from {query}")
            yield [Session(connection, self._store, inputs.ente, output, given) for connection in connections]

    def run_inputs(
        self,
        inputs: Calculation,
        models: Iterable[str] | None = None,
        output: str | None = None,
        *,
        hold: bool = False,
    ) -> dict[str, ModelResult]:
        """Runs all models (or those named) in order over the inputs; returns their results by name.

        Where the rows delivered are known and few (`Settings.batch_rows`), in memory, where with `hold` the tables stay for
        the next step; else from file to file, AT_ONCE of them side by side where the memory allows it: planning and the ends
        of a query are one thread's work. Raises duckdb.OutOfMemoryException when it does not suffice for one model alone.
        """
        wanted = set(MODELS if models is None else models)
        order = [name for name in model_order() if name in wanted]
        if inputs.rows is not None and inputs.rows <= self._settings.batch_rows:
            output = output or f"models/{inputs.ente}"
            return run_in_memory(self._settings, self._store, self._kept(inputs, output), order, output, hold=hold)
        needs = {name: wanted.intersection(load_models()[name].depends_on) for name in order}
        short = 0 < self._settings.memory_bytes < BYTES_A_ROW * (inputs.rows or 0)
        with self._sessions(inputs, output, 1 if short else min(AT_ONCE, self._settings.threads)) as sessions:
            turns = _Turns(sessions, self._settings.threads)
            found = dict(side_by_side(needs, turns.run, len(sessions)))
        return {name: found[name] for name in order}

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

    def _kept(self, inputs: Calculation, output: str) -> Calculation:
        return inputs if inputs.folder is not None else inputs.kept(self._store, f"{output}/given")


class _Turns:
    """Sessions of one database that models take in turn."""

    def __init__(self, sessions: Sequence[Session], threads: int) -> None:
        self._sessions = sessions
        self._threads = threads
        self._free: SimpleQueue[Session] = SimpleQueue()
        self._alone = threading.Lock()
        for session in sessions:
            self._free.put(session)

    def run(self, name: str) -> ModelResult:
        """Runs a model. One for which the memory does not suffice runs again, alone and in one thread: each other thread, and
        each other model, holds memory that cannot be set aside on disk."""
        session = self._free.get()
        try:
            return session.run(name)
        except duckdb.OutOfMemoryException as error:
            log.info("%s runs again, alone: %s", name, error)
        finally:
            self._free.put(session)
        with self._alone:
            all_of_them = [self._free.get() for _ in self._sessions]
            try:
                session.connection.execute("set threads = 1")
                return session.run(name)
            finally:
                session.connection.execute(f"set threads = {self._threads}")
                for one in all_of_them:
                    self._free.put(one)
