"""The second layer: each kind of delivery as typed rows, and what was refused (`pcc_pipeline.arrival.staging`)."""

import time
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from dagster import AssetExecutionContext, AssetSpec, MaterializeResult, MetadataValue, multi_asset

from assets.partitions import ENTI, ONE_RUN
from assets.resources import Installation, RunParameters
from assets.steps import LANDING, STAGING, Metadata, described, each_ente, sample_table, table_freshness
from pcc_pipeline.arrival.quarantine import summary
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.database.register import Delivery, Outcome
from pcc_pipeline.formats import Counts
from pcc_pipeline.runs.inputs import begin, facts_of_run
from pcc_pipeline.tables import DELIVERY_NOTES, FEEDS, QUARANTINE, TABLES

#: At most this many deliveries, and reasons, are shown.
SHOWN = 50

#: The kinds that an ente's folder may hold; `enti` is the provider's.
KINDS = tuple(kind for kind in FEEDS if kind != "enti")


#: What publication makes of the quarantine by itself; nothing materialises it.
FOLDED = TABLES["quarantine_summary"]
quarantine_summary = AssetSpec(
    FOLDED.name, deps=[QUARANTINE.name], group_name="deliveries", description=FOLDED.grain, metadata=described(FOLDED)
)


@multi_asset(
    name="stage",
    specs=[
        AssetSpec(
            table.name,
            deps=[LANDING],
            group_name="deliveries",
            description=table.grain,
            metadata=described(table),
            kinds={"parquet"},
            freshness_policy=table_freshness(),
        )
        for table in (*(FEEDS[kind] for kind in KINDS), QUARANTINE, DELIVERY_NOTES)
    ],
    partitions_def=ENTI,
    backfill_policy=ONE_RUN,
)
def staging(context: AssetExecutionContext, installation: Installation, asked: RunParameters) -> Iterator[MaterializeResult]:
    """Reads each ente's deliveries that were not read yet."""

    def work(ente: str) -> Mapping[str, Metadata]:
        started = time.perf_counter()
        facts = facts_of_run(installation, ente, context.run.run_id)
        done = stage(installation, ente, facts.layout)
        registered = begin(installation, ente, context.run.run_id, *asked.dates()).registered
        seconds = round(time.perf_counter() - started, 3)
        for file, reason in done.refused.items():
            context.log.warning(f"{ente}: {file}: {reason}")
        totals = _totals(registered)
        told = _by_delivery(done.outcomes)
        found: dict[str, Metadata] = {}
        for kind in KINDS:
            new = done.counts.get(kind, Counts())
            rows, refused, defects = totals.get(kind, (0, 0, 0))
            found[kind] = {
                "dagster/row_count": rows,
                "refused": refused,
                "defects": defects,
                "new_rows": new.rows,
                "new_refused": new.refused,
                "seconds": seconds,
                **({"deliveries": MetadataValue.md(told[kind])} if kind in told else {}),
            }
        found[QUARANTINE.name] = {
            "dagster/row_count": sum(defects for _, _, defects in totals.values()),
            "files_refused": len(done.refused),
            **_folded(installation, ente, registered),
        }
        found[DELIVERY_NOTES.name] = {
            "layout": done.layout,
            "new_notes": sum(done.notes.values()),
            **{code.lower(): times for code, times in sorted(done.notes.items())},
        }
        return found

    yield from each_ente(context, installation, asked, STAGING, work)


def _by_delivery(outcomes: Sequence[tuple[Delivery, Outcome]]) -> dict[str, str]:
    """What became of each delivery just read, by kind: a table of at most SHOWN, those with defects first."""
    told: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for delivery, outcome in sorted(outcomes, key=lambda item: not (item[1].defects or item[1].reason)):
        counts[delivery.kind] = counts.get(delivery.kind, 0) + 1
        if counts[delivery.kind] <= SHOWN:
            cells = (delivery.file, outcome.status, outcome.rows, outcome.refused, outcome.defects, outcome.reason or "")
            told.setdefault(delivery.kind, []).append("| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |")
    head = "| file | outcome | rows | refused | defects | reason |\n|---|---|---|---|---|---|\n"
    more = {kind: count - SHOWN for kind, count in counts.items() if count > SHOWN}
    return {
        kind: head + "\n".join(lines) + (f"\n\nand {more[kind]} more" if kind in more else "") for kind, lines in told.items()
    }


def _folded(installation: Installation, ente: str, registered: pa.Table) -> Metadata:
    """What stands in quarantine, repeats folded: the most recent deliveries' most frequent reasons."""
    rows = summary(installation, ente, limit=SHOWN, registered=registered).to_pylist()
    if not rows:
        return {}
    names = ("kind", "file", "field", "reason", "times", "first_line", "examples")
    return {"summary": MetadataValue.md(sample_table([{name: row[name] for name in names} for row in rows]))}


def _totals(registered: pa.Table) -> dict[str, tuple[int, int, int]]:
    """Rows, refused rows and defects of an ente by kind, as registered."""
    deliveries = registered.select(["kind", "rows", "refused", "defects"])
    sums = deliveries.group_by("kind").aggregate([("rows", "sum"), ("refused", "sum"), ("defects", "sum")])
    columns = [pc.fill_null(sums[f"{name}_sum"], 0).to_pylist() for name in ("rows", "refused", "defects")]
    return dict(zip(sums["kind"].to_pylist(), zip(*columns, strict=True), strict=True))
