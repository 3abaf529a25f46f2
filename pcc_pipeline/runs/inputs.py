"""What a calculation of an ente depends on, taken at one moment; and how the steps of a run share it.

A run takes its inputs once, when everything that had arrived is read, and keeps them in the store beside the models, under
its id. Each layer, the checks and the publication, in whatever process, read them there: what arrives or is decided
meanwhile changes nothing of this run, and is seen as still to do (`checks.gate`). The past, a forecast and the night take
inputs of their own, beside their own models.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Any, Self
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from pcc_pipeline.arrival.landing import PROVIDER
from pcc_pipeline.arrival.work import LONGEST_RUN
from pcc_pipeline.calculator import Calculation, Parameters
from pcc_pipeline.calculator.inputs import DELIVERIES, DELIVERIES_SCHEMA, write
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.clock import today
from pcc_pipeline.database.register import Register
from pcc_pipeline.enti.facts import EnteFacts, ente_facts
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.pairs import latest_decisions, snapshot
from pcc_pipeline.store import Store
from pcc_pipeline.support.relations import support_relations
from pcc_pipeline.tables import DECIDED
from pcc_pipeline.tables.describe import MODEL_LAYERS
from pcc_pipeline.tables.register import LANDED, STAGED

#: Files of the folder in which a run keeps its inputs, beside those of `calculator.inputs`.
FACTS, REGISTERED, KEPT = "facts.json", "registered.parquet", "inputs.json"

#: Inputs of up to so many deliveries stay in memory for the next step.
REMEMBERED = 2_000


@dataclass(frozen=True, kw_only=True)
class Inputs(Calculation):
    """All that a calculation depends on: what the models read (see `Calculation`), what the provider's register says of the
    ente, its deliveries as registered (with what was refused), and up to which delivery and which decision of each table
    everything was seen, as things are now (of a past these two say nothing)."""

    facts: EnteFacts
    registered: pa.Table
    seen: int
    decisions_seen: Mapping[str, int]

    @property
    def rows(self) -> int:
        """How many rows were delivered."""
        return pc.sum(self.registered["rows"]).as_py() or 0

    def kept(self, store: Store, folder: str) -> Self:
        """Writes the inputs under a folder of the store; returns those that lie there."""
        done = super().kept(store, folder)
        write(store, f"{folder}/{REGISTERED}", self.registered)
        told = {"facts": self.facts, "parameters": self.parameters, "seen": self.seen, "decisions_seen": self.decisions_seen}
        about = {"deliveries": len(self.registered), "taken": str(uuid4())}
        # Last: then all is there.
        _write_json(store, f"{folder}/{KEPT}", {name: _plain(value) for name, value in told.items()} | about)
        return done


def parameters(facts: EnteFacts, reference_date: date | None = None, observed_at: date | None = None) -> Parameters:
    """The models' parameters: today where a date is not given. Raises ValueError when O is before D."""
    reference_date = reference_date or observed_at or today()
    return Parameters(
        reference_date,
        observed_at or max(reference_date, today()),
        facts.tipo,
        facts.patron_saint,
        facts.siope_plus,
        facts.siope_plus_dal,
        facts.pubblicato_il,
        facts.modelli_pcc,
    )


def calculator_deliveries(register: Register, ente: str, known_at: datetime | None = None) -> pa.Table:
    """An ente's read deliveries for the calculator (see DELIVERIES_SCHEMA), known by `known_at` (now unless told).

    `part` is null where no row was accepted. The provider's probes concern every ente and come with them.
    """
    return _with_the_providers(register, ente, register.deliveries(ente, known_at), known_at)


def inputs(
    installation: Installation,
    ente: str,
    reference_date: date | None = None,
    observed_at: date | None = None,
    *,
    known_at: datetime | None = None,
    facts: EnteFacts | None = None,
) -> Inputs:
    """All that a calculation for these dates depends on, as it is now or was known at `known_at` (with a time zone).

    Dates that are not given are today (see `parameters`). `facts` unless they are asked for here. Nothing is kept yet.
    """
    facts = facts or ente_facts(installation, ente, known_at=known_at)
    register, engine = installation.register, installation.engine
    # Before what they stand for is read: never too much.
    seen, decisions_seen = register.complete_up_to(ente), latest_decisions(engine, ente)
    registered = register.deliveries(ente, known_at)
    return Inputs(
        ente=ente,
        parameters=parameters(facts, reference_date, observed_at),
        deliveries=_with_the_providers(register, ente, registered, known_at),
        decided={**snapshot(engine, ente, known_at), **support_relations(engine, ente, known_at)},
        facts=facts,
        registered=registered,
        seen=seen,
        decisions_seen=decisions_seen,
    )


def facts_of_run(installation: Installation, ente: str, run: str) -> EnteFacts:
    """What the provider's register says of an ente, asked once a run."""
    store, name = installation.store, f"{_folder(ente, run)}/{FACTS}"
    if (known := _read_json(store, name)) is not None:
        return _facts().validate_python(known["facts"])
    found = ente_facts(installation, ente)
    if not found.refusal:  # of an ente that is not processed nothing is kept
        _write_json(store, name, {"facts": _plain(found), "asked_at": datetime.now(UTC).isoformat()})
    return found


def begin(
    installation: Installation, ente: str, run: str, reference_date: date | None = None, observed_at: date | None = None
) -> Inputs:
    """Takes the inputs of a run and keeps them; those that an earlier step of it kept are replaced."""
    facts = facts_of_run(installation, ente, run)
    with installation.register.lock(ente):
        _forget(installation.store, ente, run)
        taken = inputs(installation, ente, reference_date, observed_at, facts=facts)
        return taken.kept(installation.store, _folder(ente, run))


def of_run(
    installation: Installation,
    ente: str,
    runs: Sequence[str],
    reference_date: date | None = None,
    observed_at: date | None = None,
    *,
    made: bool = False,
) -> Inputs:
    """The inputs of a run: those that it kept, or a run that it continues (`runs`, its own id first); else taken now.

    With `made`, for what is done with models that lie there (their checks, their publication): where the run kept none, the
    inputs that the models were made of.
    """
    folders = [_folder(ente, run) for run in runs]
    if made:
        folders += Gate(installation.store, ente).inputs(MODEL_LAYERS)[-1:]
    for folder in folders:
        if (kept := load(installation.store, ente, folder)) is not None:
            return kept
    return begin(installation, ente, runs[0], reference_date, observed_at)


def load(store: Store, ente: str, folder: str) -> Inputs | None:
    """The inputs of an ente kept in a folder of the store; None where there are none, or not all."""
    told = _read_json(store, f"{folder}/{KEPT}")
    if told is None:
        return None
    if told["deliveries"] > REMEMBERED:
        return _loaded(store, ente, folder, told)
    return _remembered(store.url, ente, folder, json.dumps(told))


@lru_cache(maxsize=64)
def _remembered(store_url: str, ente: str, folder: str, told: str) -> Inputs:
    """Inputs that the steps of a run, and of the next enti beside it, need not read again: each taking has a mark of its
    own."""
    return _loaded(Store(store_url), ente, folder, json.loads(told))


def _loaded(store: Store, ente: str, folder: str, told: Mapping[str, Any]) -> Inputs:
    return Inputs(
        ente=ente,
        parameters=_parameters().validate_python(told["parameters"]),
        deliveries=_read(store, f"{folder}/{DELIVERIES}"),
        decided={relation: _read(store, f"{folder}/{relation}.parquet") for relation in DECIDED},
        folder=folder,
        facts=_facts().validate_python(told["facts"]),
        registered=_read(store, f"{folder}/{REGISTERED}"),
        seen=told["seen"],
        decisions_seen=told["decisions_seen"],
    )


def with_delivery(given: Inputs, kind: str, part: str, file: str) -> Inputs:
    """The same inputs and one delivery more, the latest, whose rows lie in the ente's staging folder as `part`."""
    last = pc.max(given.deliveries["sequence"]).as_py() or 0
    row = {"delivery": part, "kind": kind, "sequence": last + 1, "received_at": datetime.now(UTC), "file": file, "part": part}
    more = pa.Table.from_pylist([row], schema=given.deliveries.schema)
    return replace(given, deliveries=pa.concat_tables([given.deliveries, more]))


def _folder(ente: str, run: str) -> str:
    return f"models/{ente}/inputs/{run}"


def _forget(store: Store, ente: str, run: str) -> None:
    """Removes the inputs of runs that ended long ago, but for those of which the present models were made."""
    used = Gate(store, ente).inputs(MODEL_LAYERS)
    runs = {name.split("/")[3] for name in store.list(f"models/{ente}/inputs")} - {run}
    for other in sorted(runs):
        known = _read_json(store, f"{_folder(ente, other)}/{FACTS}")
        old = known is None or datetime.fromisoformat(known["asked_at"]) < datetime.now(UTC) - LONGEST_RUN
        if old and _folder(ente, other) not in used:
            store.delete(_folder(ente, other))


def _with_the_providers(register: Register, ente: str, registered: pa.Table, known_at: datetime | None) -> pa.Table:
    table = _staged(registered, None, register.confirmed(ente, known_at))
    if ente != PROVIDER:
        shared = register.deliveries(PROVIDER, known_at)
        shared = shared.filter(pc.equal(shared["kind"], "probes"))
        table = pa.concat_tables([table, _staged(shared, PROVIDER, ())])
    return table


def _staged(table: pa.Table, owner: str | None, confirmed: Collection[str]) -> pa.Table:
    table = table.filter(pc.not_equal(table["status"], LANDED))
    has_rows = pc.greater(pc.fill_null(table["rows"], 0), 0)
    part = pc.if_else(has_rows, table["part"], pa.scalar(None, pa.string()))
    table = table.set_column(table.schema.get_field_index("part"), "part", part)
    staged = pc.equal(table["status"], STAGED)  # what cannot be read says nothing of what there is not
    table = table.set_column(table.schema.get_field_index("whole"), "whole", pc.if_else(staged, table["whole"], None))
    table = table.append_column("confirmed", pc.is_in(table["delivery"], pa.array(list(confirmed), pa.string())))
    table = table.append_column("owner", pa.array([owner] * len(table), pa.string()))
    return table.select(DELIVERIES_SCHEMA.names).cast(DELIVERIES_SCHEMA)


@cache
def _facts() -> TypeAdapter[EnteFacts]:
    return TypeAdapter(EnteFacts)


@cache
def _parameters() -> TypeAdapter[Parameters]:
    return TypeAdapter(Parameters)


def _plain(value: Any) -> Any:
    """A value, or a record of values, as JSON has them."""
    return TypeAdapter(type(value)).dump_python(value, mode="json")


def _read(store: Store, name: str) -> pa.Table:
    with store.open(name) as file:
        return pq.read_table(file)


def _read_json(store: Store, name: str) -> dict[str, Any] | None:
    try:
        with store.open(name) as file:
            return dict(json.load(file))
    except FileNotFoundError:
        return None


def _write_json(store: Store, name: str, content: Mapping[str, Any]) -> None:
    store.write_bytes(name, json.dumps(content, indent=1, sort_keys=True).encode())
