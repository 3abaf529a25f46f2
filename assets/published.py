"""The last layer: what readers see, replaced one ente at a time once its blocking checks have passed."""

import time
from collections.abc import Iterator, Mapping

from dagster import AssetExecutionContext, AssetSpec, MaterializeResult, multi_asset

from assets.partitions import ENTI, ONE_RUN
from assets.resources import Installation, RunParameters, inputs_of
from assets.steps import PUBLISHED, Metadata, described, each_ente
from pcc_pipeline.arrival.quarantine import write_quarantine
from pcc_pipeline.calculator import prepare
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.runs import pipeline
from pcc_pipeline.tables import PROVIDER_TABLES, TABLES
from pcc_pipeline.tables.describe import MODEL_LAYERS
from pcc_pipeline.tables.register import PUBLICATIONS

SOURCES = tuple(name for name, table in TABLES.items() if table.published and name not in PROVIDER_TABLES)


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
        )
    ],
    partitions_def=ENTI,
    backfill_policy=ONE_RUN,
)
def published(context: AssetExecutionContext, installation: Installation, asked: RunParameters) -> Iterator[MaterializeResult]:
    """Publishes each ente that nothing stands against; fails at the end naming the others."""

    def work(ente: str) -> Mapping[str, Metadata]:
        started = time.perf_counter()
        given = inputs_of(context, installation, ente, asked, made=True)
        with installation.register.lock(ente):
            write_quarantine(installation, ente, given.registered)
            done = publish(
                installation.engine,
                ente,
                pipeline.published_sources(installation.store, ente),
                Publication(
                    given.parameters.reference_date,
                    given.parameters.observed_at,
                    context.run.run_id,
                    Gate(installation.store, ente).seen(MODEL_LAYERS),
                ),
                lambda connection: prepare(connection, installation.store),
                installation.settings,
            )
        return {
            PUBLISHED: {
                "dagster/row_count": done.rows,
                "publication": done.publication,
                "reference_date": done.reference_date.isoformat(),
                "observed_at": done.observed_at.isoformat(),
                "seconds": round(time.perf_counter() - started, 3),
            }
        }

    yield from each_ente(context, installation, asked, PUBLISHED, work, needs_gate=True)
