"""The first layer: what lies in the inbox is kept and registered, once. How is in `pcc_pipeline.arrival.landing`."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from dagster import AssetExecutionContext, AssetSpec, MaterializeResult, MetadataValue, multi_asset

from assets.partitions import ENTI, ONE_RUN
from assets.resources import Installation, RunParameters
from assets.steps import LANDING, Metadata, described, each_ente, table_freshness
from pcc_pipeline.arrival.landing import land
from pcc_pipeline.runs.inputs import facts_of_run
from pcc_pipeline.tables.register import DELIVERIES

#: At most this many file names are shown.
SHOWN = 50


class RefusedEnteError(RuntimeError):
    """The ente may not be processed (docs/rules.md#rule-10)."""


@multi_asset(
    name="land",
    specs=[
        AssetSpec(
            LANDING,
            group_name="landing",
            description="Delivered files, their bytes kept by content and registered exactly once.\n\n" + DELIVERIES.grain,
            metadata=described(DELIVERIES),
            kinds={"file"},
            freshness_policy=table_freshness(),
        )
    ],
    partitions_def=ENTI,
    backfill_policy=ONE_RUN,
)
def landing(context: AssetExecutionContext, installation: Installation, asked: RunParameters) -> Iterator[MaterializeResult]:
    """Lands each ente's files from the inbox."""

    def work(ente: str) -> Mapping[str, Metadata]:
        started = time.perf_counter()
        facts = facts_of_run(installation, ente, context.run.run_id)
        if facts.refusal:
            raise RefusedEnteError(f"{ente} is {facts.refusal}")
        inbox = Path(asked.inbox) if asked.inbox else None
        found = land(installation, inbox, ente, drain=inbox is None)
        for refusal in found.refused:
            context.log.warning(f"{ente}: {refusal.path}: {refusal.reason}")
        metadata: dict[str, object] = {
            "dagster/row_count": len(found.new),
            "duplicates": len(found.duplicates),
            "refused": len(found.refused),
            "bytes": sum(delivery.size for delivery in found.new),
            "seconds": round(time.perf_counter() - started, 3),
        }
        if found.new:
            lines = [f"| {d.kind} | {d.file} | {d.size} |" for d in found.new[:SHOWN]]
            head = ["| kind | file | bytes |", "|---|---|---|"]
            metadata["files"] = MetadataValue.md("\n".join([*head, *lines]))
        return {LANDING: metadata}

    yield from each_ente(context, installation, asked, LANDING, work, starts=True)
