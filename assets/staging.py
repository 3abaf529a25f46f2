"""The second layer: each kind of delivery as typed rows, and what was refused (`pcc_pipeline.staging`)."""

import time
from collections.abc import Iterator, Mapping

import pyarrow.compute as pc
from dagster import AssetExecutionContext, AssetSpec, MaterializeResult, multi_asset

from assets.partitions import ENTI, ONE_RUN
from assets.resources import Installation, RunParameters
from assets.steps import LANDING, STAGING, Metadata, described, each_ente
from pcc_pipeline.formats import Counts
from pcc_pipeline.staging import stage
from pcc_pipeline.tables import FEEDS, QUARANTINE

#: The kinds that an ente's folder may hold; `enti` is the provider's.
KINDS = tuple(kind for kind in FEEDS if kind != "enti")


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
        )
        for table in (*(FEEDS[kind] for kind in KINDS), QUARANTINE)
    ],
    partitions_def=ENTI,
    backfill_policy=ONE_RUN,
)
def staging(
    context: AssetExecutionContext, installation: Installation, asked: RunParameters
) -> Iterator[MaterializeResult]:
    """Reads each ente's deliveries that were not read yet."""

    def work(ente: str) -> Mapping[str, Metadata]:
        started = time.perf_counter()
        done = stage(installation.settings, installation.store, installation.register, ente)
        seconds = round(time.perf_counter() - started, 3)
        for file, reason in done.refused.items():
            context.log.warning(f"{ente}: {file}: {reason}")
        totals = _totals(installation, ente)
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
            }
        found[QUARANTINE.name] = {
            "dagster/row_count": sum(defects for _, _, defects in totals.values()),
            "files_refused": len(done.refused),
        }
        return found

    yield from each_ente(context, installation, asked, STAGING, work)


def _totals(installation: Installation, ente: str) -> dict[str, tuple[int, int, int]]:
    """Rows, refused rows and defects of an ente by kind, as registered."""
    deliveries = installation.register.deliveries(ente).select(["kind", "rows", "refused", "defects"])
    sums = deliveries.group_by("kind").aggregate([("rows", "sum"), ("refused", "sum"), ("defects", "sum")])
    columns = [pc.fill_null(sums[f"{name}_sum"], 0).to_pylist() for name in ("rows", "refused", "defects")]
    return dict(zip(sums["kind"].to_pylist(), zip(*columns, strict=True), strict=True))
