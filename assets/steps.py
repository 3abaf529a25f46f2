"""How a step goes through its enti and says what it did: shared by the assets of every layer.

In a run of several enti they are independent: one that fails is put aside, its reason kept at its gate, and
the others go on; publication ends by failing the run with the names of those put aside.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    Failure,
    FreshnessPolicy,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableSchema,
)
from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata  # log_event writes each event by itself

from assets.partitions import ENTI_NAME, PARTITION, RANGE_START, REPORTS_ITSELF, failed_tag
from assets.resources import Installation, RunParameters
from pcc_pipeline.calculator import model_order
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.tables import Table
from pcc_pipeline.tables.describe import MODEL_LAYERS

Metadata = Mapping[str, Any]
T = TypeVar("T")

#: A provider for whose enti nothing is calculated so long is told so: deliveries may have stopped.
WARNS, FAILS = timedelta(days=7), timedelta(days=31)

#: Enti of which Dagster is told together.
TOLD_TOGETHER = 100

#: Steps in order, as gates name them.
LANDING, STAGING, PUBLISHED, REPORT = "landing", "staging", "published", "bonifica_report"
LAYERS = ("deliveries", *MODEL_LAYERS)
STEPS = (
    LANDING,
    STAGING,
    *(f"models_{layer}" for layer in MODEL_LAYERS),
    *(f"checks_{layer}" for layer in LAYERS),
    PUBLISHED,
)


#: What a failure's metadata calls the enti put aside, with the reason of each.
NOT_PUBLISHED = "not published"


def enti_of(context: Any, asked: RunParameters) -> list[str]:
    """The enti a step works on; all there are where the run names none, as checks started from an asset's page do."""
    if asked.enti or names_enti(context):
        return list(asked.enti) or list(context.partition_keys)
    return list(context.instance.get_dynamic_partitions(ENTI_NAME))


def names_enti(context: Any) -> bool:
    """Whether a run was started for some partition, or a range of them."""
    return PARTITION in context.run.tags or RANGE_START in context.run.tags


def reports_itself(context: Any) -> bool:
    """Whether the run reports each ente's materialisation itself (see `partitions`)."""
    return context.run.tags.get(REPORTS_ITSELF) == "true"


def each_ente(
    context: AssetExecutionContext,
    installation: Installation,
    asked: RunParameters,
    step: str,
    work: Callable[[str], Mapping[str, Metadata]],
    *,
    starts: bool = False,
    needs_gate: bool = False,
) -> Iterator[MaterializeResult]:
    """Does a step's work for each ente (it returns metadata by asset) and reports it; yields the results.

    With one ente an error is raised as it is; with several it is logged and the ente put aside. `starts`
    marks the first step, which gives an ente that failed before its new chance; `needs_gate` the last, which
    raises Failure at the end for the enti put aside.
    """
    progress = _Progress(context, installation, step, enti_of(context, asked))
    for ente in progress.open(starts=starts, needs_gate=needs_gate):
        try:
            found = work(ente)
        except Exception as error:
            progress.failed(ente, error)
        else:
            progress.did(ente, found)
    progress.end(needs_gate=needs_gate)
    yield from _materialised(context)


def each_batch(
    context: AssetExecutionContext,
    installation: Installation,
    asked: RunParameters,
    step: str,
    *,
    take: Callable[[str], T],
    together: Callable[[Iterable[T]], Iterator[list[T]]],
    work: Callable[[Sequence[T]], Mapping[str, Mapping[str, Metadata] | Exception]],
    needs_gate: bool = False,
) -> Iterator[MaterializeResult]:
    """As `each_ente`, for work that many enti share: `take` gives what an ente's work is over, `together` which of these are
    done at once, and `work` does so; it returns each ente's metadata by asset, or what stopped that ente alone."""
    progress = _Progress(context, installation, step, enti_of(context, asked))

    def taken() -> Iterator[T]:
        for ente in progress.open(needs_gate=needs_gate):
            try:
                one = take(ente)
            except Exception as error:
                progress.failed(ente, error)
            else:
                yield one

    for batch in together(taken()):
        for ente, found in work(batch).items():
            if isinstance(found, Exception):
                progress.failed(ente, found)
            else:
                progress.did(ente, found)
    progress.end(needs_gate=needs_gate)
    yield from _materialised(context)


class _Progress:
    """How far a step came with its enti, and which of them are put aside."""

    def __init__(self, context: AssetExecutionContext, installation: Installation, step: str, enti: Sequence[str]) -> None:
        self._context = context
        self._store = installation.store
        self._step = step
        self._enti = enti
        self._alone = len(enti) == 1
        self._aside: dict[str, list[str]] = {}
        self._told: dict[str, Mapping[str, Metadata]] = {}

    def open(self, *, starts: bool = False, needs_gate: bool = False) -> Iterator[str]:
        """The enti that nothing stands against, one by one; the others are put aside."""
        for ente in self._enti:
            gate = Gate(self._store, ente)
            reasons = gate.reasons(self._step) if needs_gate else gate.problems() if not (starts or self._alone) else []
            if reasons:
                self._context.log.warning(f"{ente}: {self._step} left out: {'; '.join(reasons)}")
                self._aside[ente] = reasons
                continue
            if starts:
                gate.begin(STEPS)
            yield ente

    def failed(self, ente: str, error: Exception) -> None:
        """Puts an ente aside. Raises the error where it is the only one."""
        message = f"{type(error).__name__}: {error}"[:500]
        Gate(self._store, ente).set(self._step, error=message)
        if self._alone:
            raise error
        trace = "".join(traceback.format_exception(error))
        self._context.log.error(f"{ente}: {self._step} failed, the other enti go on\n{trace}")
        self._aside[ente] = [message]

    def did(self, ente: str, found: Mapping[str, Metadata]) -> None:
        """Notes that an ente's work is done; Dagster is told of many at once."""
        Gate(self._store, ente).set(self._step)
        self._told[ente] = found
        if len(self._told) >= TOLD_TOGETHER:
            self.tell()

    def tell(self) -> None:
        """Tells Dagster of the enti that it was not told of yet."""
        told, self._told = self._told, {}
        report(self._context, told)

    def end(self, *, needs_gate: bool = False) -> None:
        """Tells Dagster of the last enti. For the last step (`needs_gate`) raises Failure naming those put aside, if any."""
        self.tell()
        self._mended()
        if needs_gate and self._aside:
            words = "; ".join(f"{ente}: {', '.join(reasons)}" for ente, reasons in self._aside.items())
            published = sorted(set(self._enti) - set(self._aside))
            raise Failure(
                f"Not published, readers keep the previous state of: {words}",
                metadata={NOT_PUBLISHED: {ente: "; ".join(why) for ente, why in self._aside.items()}, "published": published},
            )

    def _mended(self) -> None:
        """Says of a run that tries again what failed, and bears the former one's tags, that it did not fail."""
        tags = {failed_tag(ente): "tried again" for ente in self._enti if failed_tag(ente) in self._context.run.tags}
        if tags:
            self._context.instance.add_run_tags(self._context.run_id, tags)


def _materialised(context: AssetExecutionContext) -> Iterator[MaterializeResult]:
    """The results of a step, in the order that Dagster demands: what is read before what reads it."""
    place = {AssetKey(name): position for position, name in enumerate(model_order())}
    for key in sorted(context.selected_asset_keys, key=lambda key: place.get(key, -1)):
        yield MaterializeResult(asset_key=key)


def report(context: AssetExecutionContext, found: Mapping[str, Mapping[str, Metadata]]) -> None:
    """Tells Dagster what was made for enti: by ente, metadata by asset."""
    if not reports_itself(context):
        for ente, made in found.items():
            for name, metadata in made.items():
                context.add_asset_metadata(dict(metadata), asset_key=AssetKey(name), partition_key=ente)
        return
    step = context.op_execution_context.get_step_execution_context()
    by_asset: dict[str, list[AssetMaterialization]] = {}
    for ente, made in found.items():
        for name, metadata in made.items():
            by_asset.setdefault(name, []).append(AssetMaterialization(AssetKey(name), partition=ente, metadata=dict(metadata)))
    # Events of one asset can be written together; `log_event` writes each by itself, at several times its cost.
    for events in by_asset.values():
        batch = uuid4().hex
        for place, event in enumerate(events, 1):
            DagsterEvent.asset_materialization(step, event, DagsterEventBatchMetadata(batch, place == len(events)))


def sample_table(samples: Sequence[Mapping[str, Any]]) -> str:
    """Sample rows as a markdown table; columns in order of first appearance."""
    columns = list(dict.fromkeys(name for row in samples for name in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in samples:
        cells = [str(row.get(name, "")).replace("|", "\\|").replace("\n", " ") for name in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def table_schema(table: Table) -> TableSchema:
    """A table's columns as Dagster shows them, from its description."""
    columns = []
    for column in table.columns:
        demands = [f"one of {', '.join(column.allowed)}"] if column.allowed else []
        demands += [f"matches {column.pattern}"] if column.pattern else []
        demands += [f"at least {column.minimum}"] if column.minimum is not None else []
        words = column.meaning + (f" [{column.unit}]" if column.unit else "")
        columns.append(
            TableColumn(
                column.name,
                column.type,
                description=words + (f" ({column.source})" if column.source else ""),
                constraints=TableColumnConstraints(
                    nullable=not column.required, unique=table.key == (column.name,), other=demands
                ),
            )
        )
    return TableSchema(columns)


def table_freshness() -> FreshnessPolicy:
    """When a table counts as old: nothing was calculated for any ente so long. What each ente owes is told by its deadlines."""
    return FreshnessPolicy.time_window(fail_window=FAILS, warn_window=WARNS)


def nightly(hour: int, minute: int = 0) -> FreshnessPolicy:
    """What is made every night: old when it was not made in the hours before a time of day in Italy."""
    return FreshnessPolicy.cron(f"{minute} {hour} * * *", timedelta(hours=4), "Europe/Rome")


def described(table: Table) -> dict[str, Any]:
    """Metadata of the definition that every table has: schema, grain and key."""
    known: dict[str, Any] = {"dagster/column_schema": table_schema(table), "grain": table.grain}
    if table.key:
        known["key"] = MetadataValue.text(", ".join(table.key))
    return known
