"""One ente's report, HTML and Excel, written to the store from what is published and linked in the metadata."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from dagster import AssetExecutionContext, AssetSpec, MaterializeResult, MetadataValue, multi_asset

from assets.partitions import ENTI, ONE_RUN
from assets.resources import Installation, RunParameters
from assets.steps import PUBLISHED, REPORT, Metadata, each_ente
from pcc_pipeline.reports.write import write_bonifica


@multi_asset(
    name="report",
    specs=[
        AssetSpec(
            REPORT,
            deps=[PUBLISHED],
            group_name="published",
            description="The state before and after the operations: stocks, waterfall, work, questions (reports/<ente>).",
            kinds={"html", "xlsx"},
        )
    ],
    partitions_def=ENTI,
    backfill_policy=ONE_RUN,
)
def bonifica_report(
    context: AssetExecutionContext, installation: Installation, asked: RunParameters
) -> Iterator[MaterializeResult]:
    """Writes each ente's report as it is published now."""

    def work(ente: str) -> Mapping[str, Metadata]:
        store, metadata = installation.store, {}
        with tempfile.TemporaryDirectory(prefix="pcc-report-") as folder:
            for kind in ("html", "xlsx"):
                file = Path(folder) / f"{ente}.{kind}"
                found = write_bonifica(installation.engine, ente, file)
                store.write_bytes(f"reports/{ente}/{file.name}", file.read_bytes())
                metadata[kind] = MetadataValue.url(store.uri(f"reports/{ente}/{file.name}"))
        return {
            REPORT: {
                **metadata,
                **{f"stock {view}": str(amount) for view, amount in found.stocks.items()},
                "documents to work on": found.documents,
                "questions": found.questions,
            }
        }

    yield from each_ente(context, installation, asked, REPORT, work)
