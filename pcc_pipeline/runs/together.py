"""Which enti of a run are calculated together, and one layer's models for them.

Together go small enti of equal dates, up to `Settings.batch_rows` delivered rows. An ente goes alone whose earlier layers
were made of other inputs than these (a layer run again by itself): its views stand as they were made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache

import pyarrow.compute as pc

from pcc_pipeline.calculator import ModelResult, load_models, run_each
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs.inputs import Inputs

#: What an ente weighs beside its rows: its files are opened and written all the same.
FILES = 1000


def batches(installation: Installation, layers: Collection[str], given: Iterable[Inputs]) -> Iterator[list[Inputs]]:
    """The enti in their order, those together that are worked on together; `layers` are those whose models are read."""
    limit = installation.settings.batch_rows
    waiting: list[Inputs] = []
    weight = 0
    for one in given:
        more = _rows(one) + FILES
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


def calculate(
    installation: Installation, layer: str, given: Sequence[Inputs], models: Collection[str], *, whole: bool
) -> dict[str, dict[str, ModelResult] | Exception]:
    """Runs a layer's models for the enti; returns each ente's results by model, or what stopped it.

    `whole` says that these are all of the layer's models: then it is noted what they saw.
    """
    # Another run of an ente would replace files while this one reads them.
    with installation.register.lock(*(one.ente for one in given)):
        found = run_each(installation.settings, installation.store, given, models)
    for one in given:
        if whole and not isinstance(found[one.ente], Exception):
            Gate(installation.store, one.ente).saw(layer, one.seen, one.decisions_seen, one.folder)
    return found


def _rows(given: Inputs) -> int:
    return pc.sum(given.registered["rows"]).as_py() or 0


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
