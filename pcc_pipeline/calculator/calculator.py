"""Any ente's models over any inputs: what opens a session, or has a small ente's models worked out in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa

from pcc_pipeline.calculator.inputs import Calculation, Parameters
from pcc_pipeline.calculator.models import model_order
from pcc_pipeline.calculator.relations import given_sources
from pcc_pipeline.calculator.session import ModelResult, Session, at_hand, set_parameters
from pcc_pipeline.calculator.small import run_in_memory
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import MODELS


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
        output = output or f"models/{inputs.ente}"
        inputs = self._kept(inputs, output)
        with at_hand(self._settings, self._store) as connection:
            set_parameters(connection, inputs.ente, inputs.parameters)
            given = given_sources(self._store, inputs)
            for name, query in given.items():
                connection.execute(f"create temp view {name} as select * from {query}")
            yield Session(connection, self._store, inputs.ente, output, given)

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
        the next step; else from file to file.
        """
        wanted = set(MODELS if models is None else models)
        order = [name for name in model_order() if name in wanted]
        if inputs.rows is not None and inputs.rows <= self._settings.batch_rows:
            output = output or f"models/{inputs.ente}"
            return run_in_memory(self._settings, self._store, self._kept(inputs, output), order, output, hold=hold)
        with self.session(inputs, output) as session:
            return {name: session.run(name) for name in order}

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
