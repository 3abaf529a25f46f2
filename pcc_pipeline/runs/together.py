"""Which enti of a run are worked on together: one layer's models for them, and their publication.

Together go small enti of equal dates, up to `Settings.batch_rows` delivered rows. An ente goes alone whose earlier layers
were made of other inputs than these (a layer run again by itself): its views stand as they were made.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial

from pcc_pipeline.arrival.quarantine import write_quarantine
from pcc_pipeline.calculator import OWNER, ModelResult, held_batch, let_go, load_models, prepare, run_each
from pcc_pipeline.calculator.small import InMemory, in_memory
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.database.publish import Publication, Published, publish, publish_together
from pcc_pipeline.duck import literal
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.standing import published_anew
from pcc_pipeline.runs.inputs import Inputs
from pcc_pipeline.runs.pipeline import published_sources, published_tables
from pcc_pipeline.tables.describe import MODEL_LAYERS

log = logging.getLogger("pcc.together")

#: What an ente weighs beside its rows: its files are opened and written all the same.
FILES = 1000


def batches(installation: Installation, layers: Collection[str], given: Iterable[Inputs]) -> Iterator[list[Inputs]]:
    """The enti in their order, those together that are worked on together; `layers` are those whose models are read."""
    limit = installation.settings.batch_rows
    waiting: list[Inputs] = []
    weight = 0
    for one in given:
        more = one.rows + FILES
        if more > limit or not _of_one_making(installation, layers, one):
            yield [one]
            continue
        if waiting and (weight + more > limit or _dates(one) != _dates(waiting[0])):
            yield waiting
            waiting, weight = [], 0
        waiting.append(one)
        weight += more
    if waiting:
        yield waiting


def few(installation: Installation, given: Iterable[Inputs]) -> bool:
    """Whether the rows of these enti are so few that planning costs more: then tables are checked in memory, side by side."""
    return sum(one.rows for one in given) <= installation.settings.batch_rows


def calculate(
    installation: Installation, layer: str, given: Sequence[Inputs], models: Collection[str], *, whole: bool
) -> dict[str, dict[str, ModelResult] | Exception]:
    """Runs a layer's models for the enti; returns each ente's results by model, or what stopped it.

    `whole` says that these are all of the layer's models: then it is noted what they saw.
    """
    if not few(installation, given):
        let_go()  # a large ente may need all the memory there is
    # Another run of an ente would replace files while this one reads them.
    with installation.register.lock(*(one.ente for one in given)):
        found = run_each(installation.settings, installation.store, given, models, hold=True)
    for one in given:
        if whole and not isinstance(found[one.ente], Exception):
            Gate(installation.store, one.ente).saw(layer, one.seen, one.decisions_seen, one.folder)
    return found


def publish_each(installation: Installation, given: Sequence[Inputs], run_id: str | None) -> dict[str, Published | Exception]:
    """Publishes the enti, together where they are several; returns each one's publication, or what stopped it.

    After an error they are tried again in halves, as `run_each` does.
    """
    with installation.register.lock(*(one.ente for one in given)):
        for one in given:
            write_quarantine(installation, one.ente, one.registered)
        return _publish(installation, given, {one.ente: _publication(installation, one, run_id) for one in given})


def _publish(
    installation: Installation, given: Sequence[Inputs], publications: Mapping[str, Publication]
) -> dict[str, Published | Exception]:
    store, settings, engine = installation.store, installation.settings, installation.engine
    if len(given) == 1:
        ente, tables = given[0].ente, published_tables()
        try:
            if few(installation, given):
                with in_memory(settings, store, given[0], tables) as memory, memory.beside() as connection:
                    rows = partial(_owned, ente, memory)
                    return dict(publish_together(engine, publications, tables, rows, OWNER, connection, published_anew))
            sources = published_sources(store, ente)
            done = publish(
                engine, ente, sources, publications[ente], lambda opened: prepare(opened, store), settings, published_anew
            )
            return {ente: done}
        except Exception as error:
            log.exception("%s: not published", ente)
            return {ente: error}
    try:
        mine = {one.ente: publications[one.ente] for one in given}
        with held_batch(settings, store, given) as batch:
            return dict(publish_together(engine, mine, published_tables(), batch.rows, OWNER, batch.connection, published_anew))
    except Exception as error:
        log.warning("the publication of %d enti is tried again in halves: %s", len(given), error)
    half = len(given) // 2
    return _publish(installation, given[:half], publications) | _publish(installation, given[half:], publications)


def _owned(ente: str, memory: InMemory, name: str) -> str:
    return f"select {literal(ente)} as {OWNER}, * from {memory.source(name)}"


def _publication(installation: Installation, given: Inputs, run_id: str | None) -> Publication:
    seen = Gate(installation.store, given.ente).seen(MODEL_LAYERS)
    return Publication(given.parameters.reference_date, given.parameters.observed_at, run_id, seen)


def _dates(given: Inputs) -> tuple[object, object]:
    return given.parameters.reference_date, given.parameters.observed_at


@cache
def layers_read(layer: str) -> frozenset[str]:
    """The other layers whose models a layer reads, themselves or through views."""
    models = load_models()
    todo = [model for model in models.values() if model.layer == layer]
    found: set[str] = set()
    while todo:
        for name in todo.pop().depends_on:
            found.add(models[name].layer)
            todo += [models[name]] * models[name].is_view
    return frozenset(found - {layer})


def _of_one_making(installation: Installation, layers: Collection[str], given: Inputs) -> bool:
    before = sorted(layers)
    return Gate(installation.store, given.ente).inputs(before) == [given.folder] * len(before)
