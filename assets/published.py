"""The last layer: what readers see, replaced one ente at a time once its blocking checks have passed."""

import time
from collections.abc import Iterator, Mapping, Sequence

from dagster import AssetExecutionContext, AssetSpec, MaterializeResult, multi_asset

from assets.partitions import ENTI, ONE_RUN
from assets.resources import Installation, RunParameters, inputs_of
from assets.steps import PUBLISHED, Metadata, described, each_batch, table_freshness
from pcc_pipeline.database.publish import Published
from pcc_pipeline.runs.inputs import Inputs
from pcc_pipeline.runs.pipeline import published_tables
from pcc_pipeline.runs.together import batches, publish_each
from pcc_pipeline.tables.describe import MODEL_LAYERS
from pcc_pipeline.tables.register import PUBLICATIONS

SOURCES = tuple(published_tables())


@multi_asset(
    name="publish",
    specs=[
        AssetSpec(
            PUBLISHED,
            deps=list(SOURCES),
            group_name="published",
            description=f"What readers see in PostgreSQL, in one transaction an ente: {', '.join(SOURCES)}.",
            metadata=described(PUBLICATIONS),
            kinds={"postgres"},
            freshness_policy=table_freshness(),
        )
    ],
    partitions_def=ENTI,
    backfill_policy=ONE_RUN,
)
def published(context: AssetExecutionContext, installation: Installation, asked: RunParameters) -> Iterator[MaterializeResult]:
    """Publishes each ente that nothing stands against; fails at the end naming the others."""

    def work(batch: Sequence[Inputs]) -> dict[str, Mapping[str, Metadata] | Exception]:
        started = time.perf_counter()
        found = publish_each(installation, batch, context.run.run_id)
        share = round((time.perf_counter() - started) / len(batch), 3)
        return {ente: done if isinstance(done, Exception) else _told(done, share) for ente, done in found.items()}

    yield from each_batch(
        context,
        installation,
        asked,
        PUBLISHED,
        take=lambda ente: inputs_of(context, installation, ente, asked, made=True),
        together=lambda given: batches(installation, MODEL_LAYERS, given),
        work=work,
        needs_gate=True,
    )


def _told(done: Published, seconds: float) -> Mapping[str, Metadata]:
    """What Dagster is told of a publication."""
    return {
        PUBLISHED: {
            "dagster/row_count": done.rows,
            "publication": done.publication,
            "reference_date": done.reference_date.isoformat(),
            "observed_at": done.observed_at.isoformat(),
            "seconds": seconds,
        }
    }
