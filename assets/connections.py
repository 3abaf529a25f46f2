"""The reading of an ente's accounting system as a job of its own. How it is read is in `pcc_pipeline.connector`."""

from typing import Any

from dagster import Config, Failure, MetadataValue, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from assets.forms import of_ente
from assets.resources import Installation
from pcc_pipeline.connector.connect import connect
from pcc_pipeline.connector.sources import SourceError, load_sources
from pcc_pipeline.tables.connector import FAILED, REFUSED


class ReadingConfig(Config):
    """Which ente's accounting system is read."""

    ente: str = Field("", description="Tenant code of the ente; its connection is in erp_sources.yaml")


def reading_config(ente: str) -> dict[str, Any]:
    """The configuration of a run that reads an ente's accounting system."""
    return {"ops": {"read_erp": {"config": {"ente": ente}}}}


@op
def read_erp(context: OpExecutionContext, config: ReadingConfig, installation: Installation) -> None:
    """Reads what changed since the last reading; a refusal is told, a failure fails the run."""
    ente = of_ente(context, config.ente)
    try:
        sources = load_sources(installation.settings)
    except SourceError as error:
        raise Failure(str(error)) from None
    if ente not in sources:
        known = ", ".join(sorted(sources)) or "none"
        raise Failure(f"No connection to {ente} is configured in erp_sources.yaml (docs/connector.md). There are: {known}")
    report = connect(installation, sources[ente])
    if report.outcome == FAILED:
        raise Failure(f"{ente}: {report.source} could not be read: {report.reason}")
    if report.outcome == REFUSED:
        context.log.warning(f"{ente} was not read: {report.reason}")
    lines = ["| kind | rows | new or changed | replaced or gone | watermark | delivery |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {k.kind} | {k.rows} | {k.unseen} | {k.gone} | {k.watermark} | {k.delivery or 'nothing new'} |" for k in report.kinds
    ]
    context.add_output_metadata(
        {
            "ente": ente,
            "source": report.source,
            "outcome": report.outcome,
            "reason": report.reason or "",
            "kinds": MetadataValue.md("\n".join(lines)),
        }
    )


@job(
    executor_def=in_process_executor,
    description="Reads an ente's accounting system by remote connection, read-only, from its watermark on.",
)
def read_accounting_system() -> None:
    """One reading of one ente."""
    read_erp()
