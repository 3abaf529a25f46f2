"""How a step goes through its enti and says what it did: shared by the assets of every layer.

In a run of several enti they are independent: one that fails is put aside, its reason kept at its gate, and
the others go on; publication ends by failing the run with the names of those put aside.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    Failure,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableSchema,
)

from assets.partitions import REPORTS_ITSELF
from assets.resources import Installation, RunParameters
from pcc_pipeline.calculator import model_order
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.tables import Table

Metadata = Mapping[str, Any]

#: Steps in order, as gates name them.
LANDING, STAGING, PUBLISHED, REPORT = "landing", "staging", "published", "bonifica_report"
LAYERS = ("deliveries", "staging", "reconciliation", "debt", "indicators", "service")
MODEL_LAYERS = LAYERS[1:]
STEPS = (
    LANDING,
    STAGING,
    *(f"models_{layer}" for layer in MODEL_LAYERS),
    *(f"checks_{layer}" for layer in LAYERS),
    PUBLISHED,
)


def enti_of(context: Any, asked: RunParameters) -> list[str]:
    """The enti a step works on."""
    return list(asked.enti) or list(context.partition_keys)


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
    enti = enti_of(context, asked)
    alone = len(enti) == 1
    aside: dict[str, list[str]] = {}
    for ente in enti:
        gate = Gate(installation.store, ente)
        reasons = gate.reasons(step) if needs_gate else gate.problems() if not (starts or alone) else []
        if reasons:
            context.log.warning(f"{ente}: {step} left out: {'; '.join(reasons)}")
            aside[ente] = reasons
            continue
        if starts:
            gate.begin(STEPS)
        try:
            found = work(ente)
        except Exception as error:
            message = f"{type(error).__name__}: {error}"[:500]
            gate.set(step, error=message)
            if alone:
                raise
            context.log.error(f"{ente}: {step} failed, the other enti go on\n{traceback.format_exc()}")
            aside[ente] = [message]
            continue
        gate.set(step)
        report(context, ente, found)
    if needs_gate and aside:
        words = "; ".join(f"{ente}: {', '.join(reasons)}" for ente, reasons in aside.items())
        raise Failure(
            f"Not published, readers keep the previous state of: {words}",
            metadata={"not published": sorted(aside), "published": sorted(set(enti) - set(aside))},
        )
    # Dagster demands what is read before what reads it.
    place = {AssetKey(name): position for position, name in enumerate(model_order())}
    for key in sorted(context.selected_asset_keys, key=lambda key: place.get(key, -1)):
        yield MaterializeResult(asset_key=key)


def report(context: AssetExecutionContext, ente: str, found: Mapping[str, Metadata]) -> None:
    """Tells Dagster what was made for an ente: metadata by asset."""
    for name, metadata in found.items():
        if reports_itself(context):
            context.log_event(AssetMaterialization(AssetKey(name), partition=ente, metadata=dict(metadata)))
        else:
            context.add_asset_metadata(dict(metadata), asset_key=AssetKey(name), partition_key=ente)


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


def described(table: Table) -> dict[str, Any]:
    """Metadata of the definition that every table has: schema, grain and key."""
    known: dict[str, Any] = {"dagster/column_schema": table_schema(table), "grain": table.grain}
    if table.key:
        known["key"] = MetadataValue.text(", ".join(table.key))
    return known
