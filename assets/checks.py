"""Data quality as Dagster asset checks: for each table one of all its description demands, one a reconciliation; one step
a layer. Which demand fails, and on which rows, stands in the check's metadata.

With one ente a blocking check that fails ends the run before the next layer. In a run of several enti it
only puts that ente aside (see `steps`): each ente's failure is recorded under its own partition, and so is
its recovery; what passes for all is recorded once a check, since an event costs more than the check.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    MetadataValue,
    Output,
    multi_asset_check,
)

from assets.models import layer_of
from assets.partitions import ENTI
from assets.resources import Installation, RunParameters, inputs_of
from assets.staging import KINDS
from assets.steps import LAYERS, enti_of, names_enti, sample_table
from pcc_pipeline.calculator import OWNER, at_hand, beside, held_batch, load_models, source
from pcc_pipeline.calculator.batch import Batch
from pcc_pipeline.calculator.small import InMemory, in_memory
from pcc_pipeline.checks import (
    CheckResult,
    Counted,
    checks_of,
    count,
    judged,
    relations_of,
    shown_as,
    shown_checks,
    way_out,
)
from pcc_pipeline.checks.failing import keep_failing
from pcc_pipeline.checks.frames import OWNER as CHECKED_OWNER
from pcc_pipeline.checks.frames import Known, Marked
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.runs.inputs import Inputs
from pcc_pipeline.runs.together import batches, few, layers_read
from pcc_pipeline.tables import FEEDS, MODELS, Column, Table
from pcc_pipeline.tables.describe import MODEL_LAYERS


def _delivered(table: Table) -> Table:
    """A feed's table with the demands left out that parsers make of each row (and its model again)."""
    columns = tuple(Column(c.name, c.type, c.meaning, fields=c.fields) for c in table.columns)
    return replace(table, columns=columns, key=(), one_of=())


def tables_of(layer: str) -> list[Table]:
    """The tables whose checks run after a layer's step."""
    if layer == "deliveries":
        return [_delivered(FEEDS[kind]) for kind in KINDS]
    return [table for name, table in MODELS.items() if layer_of(name) == layer]


def evaluation(key: AssetCheckKey, ente: str, results: Sequence[CheckResult], *, stops: bool) -> AssetCheckEvaluation:
    """Results that are shown as one, as Dagster records them, under the ente's partition; `stops` lets a blocking one end
    the run."""
    wrong = [result for result in results if not result.passed]
    metadata: dict[str, Any] = {
        "ente": ente,
        "failing_rows": sum(result.failing_rows for result in wrong),
        "rows": max(result.rows for result in results),
    }
    for result in wrong:
        name = "samples" if len(results) == 1 else result.check
        metadata[name] = MetadataValue.md(f"{_words(result)}\n\n{sample_table(result.samples)}")
    blocking = any(result.blocking for result in wrong or results)
    told = "; ".join(_words(result) for result in wrong)
    if wrong:
        metadata["what to do"] = way_out(key.asset_key.to_user_string(), key.name)
    return AssetCheckEvaluation(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not wrong,
        metadata=metadata,
        severity=AssetCheckSeverity.ERROR if blocking else AssetCheckSeverity.WARN,
        description=told or (results[0].description if len(results) == 1 else "The table is as described"),
        blocking=blocking and stops,
        partition=ente,
    )


def _words(result: CheckResult) -> str:
    return f"{result.failing_rows} rows fail: {result.description}"


def _files(
    installation: Installation, table: str, enti: Mapping[str, Inputs], batch: Batch | None, memory: InMemory | None
) -> Mapping[str, list[str]]:
    """The Parquet files of a table by ente, or the query of what is in memory or a view; none where nothing was made."""
    store = installation.store
    if table in FEEDS:
        names: dict[str, list[str]] = {}
        for ente, given in enti.items():
            known = given.registered.select(["kind", "part"]).to_pylist()
            parts = sorted({row["part"] for row in known if row["kind"] == table and row["part"]})
            names[ente] = [f"staging/{ente}/{table}/{part}.parquet" for part in parts]
    elif memory is not None:
        return {ente: [memory.source(table)] for ente in enti}
    elif batch is not None and (load_models()[table].is_view or batch.has(table)):
        # A view of many enti is asked for once: planned ente by ente it costs more than all else.
        query = f"SELECT {OWNER} AS {CHECKED_OWNER}, * EXCLUDE ({OWNER}) FROM ({batch.rows(table)})"
        return {ente: [Marked(f"({query})")] for ente in enti}
    elif load_models()[table].is_view:
        return {ente: [source(store, ente, table)] for ente in enti}
    else:
        names = {ente: [f"models/{ente}/{table}.parquet"] for ente in enti}
    return {ente: [store.uri(rel) for rel in rels if store.exists(rel)] for ente, rels in names.items()}


def _registered(table: str, enti: Mapping[str, Inputs]) -> dict[str, int] | None:
    """Rows of a feed that the register counts, by ente; None for a model's table."""
    if table not in FEEDS:
        return None
    counts = {}
    for ente, given in enti.items():
        known = given.registered.select(["kind", "rows"]).to_pylist()
        counts[ente] = sum(row["rows"] or 0 for row in known if row["kind"] == table)
    return counts


def _in_memory(opened: ExitStack, installation: Installation, tables: Sequence[Table], given: Inputs) -> InMemory | None:
    """What the checks of an ente's tables read of its models, in memory; None where they read none, or one was not made."""
    read = {name for table in tables for name in (table.name, *relations_of(table.name)) if name in MODELS}
    try:
        return opened.enter_context(in_memory(installation.settings, installation.store, given, read)) if read else None
    except FileNotFoundError:
        return None  # the checks say what is missing


def _judged(
    installation: Installation, tables: Sequence[Table], enti: Mapping[str, Inputs], wanted: Collection[AssetCheckKey]
) -> Iterator[tuple[AssetCheckKey, dict[str, list[CheckResult]]]]:
    """Each check wanted, table by table, with the results it shows by ente; all are judged at once."""
    asked = [table for table in tables if enti and any(key.asset_key == AssetKey(table.name) for key in wanted)]
    settings, store = installation.settings, installation.store
    with ExitStack() as opened:
        batch = opened.enter_context(held_batch(settings, store, list(enti.values()))) if len(enti) > 1 else None
        small = batch is None and few(installation, enti.values())
        memory = _in_memory(opened, installation, asked, *enti.values()) if small else None
        shared = batch or memory
        connect = shared.beside if shared else partial(beside, opened.enter_context(at_hand(settings, store)))
        known: Known = {}

        def counts(table: Table) -> Counted:
            return count(
                table,
                _files(installation, table.name, enti, batch, memory),
                connect=connect,
                related={name: _files(installation, name, enti, batch, memory) for name in relations_of(table.name)},
                expected_rows=_registered(table.name, enti),
                known=known,
            )

        pool = opened.enter_context(ThreadPoolExecutor(settings.threads if small else 1))
        counted = list(pool.map(counts, asked))
    for table, results in zip(asked, judged(counted), strict=True):
        shown = {check.name: shown_as(check) for check in checks_of(table)}
        for name in dict.fromkeys(shown.values()):
            key = AssetCheckKey(AssetKey(table.name), name)
            if key in wanted:
                yield key, {ente: [r for r in results[ente] if shown[r.check] == name] for ente in enti}


def with_way_out(table: str, check: str, description: str) -> str:
    """A check's description as operators read it: what to do when it fails comes first, since the rest may be long."""
    return f"If it fails: {way_out(table, check)}\n\n{description}"


def _specs(table: Table) -> list[AssetCheckSpec]:
    return [
        AssetCheckSpec(
            check.name,
            asset=table.name,
            description=with_way_out(table.name, check.name, check.description),
            blocking=check.blocking,
            partitions_def=ENTI,
        )
        for check in shown_checks(table).values()
    ]


def _read_by(layer: str) -> frozenset[str]:
    """The layers of models that the checks of a layer read."""
    return frozenset() if layer == LAYERS[0] else layers_read(layer) | {layer}


def build_checks(layer: str) -> AssetChecksDefinition:
    """The checks of one layer's tables, any of which can be run alone."""
    tables = tables_of(layer)
    step = f"checks_{layer}"

    @multi_asset_check(name=step, specs=[spec for table in tables for spec in _specs(table)], can_subset=True)
    def checks(
        context: AssetCheckExecutionContext, installation: Installation, asked: RunParameters
    ) -> Iterator[AssetCheckEvaluation | Output[None]]:
        enti = enti_of(context, asked)
        alone = len(enti) == 1
        gates = {ente: Gate(installation.store, ente) for ente in enti}
        everyone = not (names_enti(context) or asked.enti)
        if everyone:
            enti = [ente for ente in enti if gates[ente].inputs(MODEL_LAYERS)]  # of all there are, those calculated once
        elif not alone:
            enti = [ente for ente in enti if not gates[ente].problems()]
        wanted = context.selected_asset_check_keys
        whole = len(wanted) == sum(len(shown_checks(table)) for table in tables)
        failed: dict[str, dict[str, CheckResult]] = {ente: {} for ente in enti}
        # A layer is checked over what its models were made of; deliveries over what there is.
        given = {ente: inputs_of(context, installation, ente, asked, made=everyone or layer != LAYERS[0]) for ente in enti}
        before = {ente: gates[ente].failed(step) for ente in enti}
        for batch in batches(installation, _read_by(layer), given.values()):
            for key, found in _judged(installation, tables, {one.ente: one for one in batch}, wanted):
                table = key.asset_key.to_user_string()
                names = {f"{table}.{result.check}" for result in found[batch[0].ente]}
                told = [enti[0]] if enti[0] in found else []  # something is told of every check
                for ente, results in found.items():
                    wrong = {f"{table}.{result.check}": result for result in results if not result.passed}
                    failed[ente] |= wrong
                    # What changed or fails is told ente by ente.
                    if (wrong or names & before[ente]) and ente not in told:
                        told.append(ente)
                for ente in told:
                    yield evaluation(key, ente, found[ente], stops=alone)
        for ente, by_name in failed.items():
            blocking = [name for name, result in by_name.items() if result.blocking]
            if whole or by_name:
                gates[ente].set(step, blocking=blocking, failed=list(by_name))
            if blocking:
                context.log.error(f"{ente}: not published, blocking checks fail: {sorted(blocking)}")
        keep_failing(installation.engine, step, {ente: found for ente, found in failed.items() if whole or found})
        for key in wanted:
            yield Output(None, output_name=f"{key.asset_key.to_python_identifier()}_{key.name}")

    return checks


ASSET_CHECKS = [build_checks(layer) for layer in LAYERS]
