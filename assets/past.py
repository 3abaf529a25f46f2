"""The past as a job: a table for any dates and any moment of knowledge, written to a folder of the installation."""

from datetime import UTC, date, datetime
from pathlib import Path

from dagster import Config, MetadataValue, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from assets.forms import of_ente
from assets.resources import Installation
from pcc_pipeline.clock import today
from pcc_pipeline.runs import asof


class Question(Config):
    """What is asked."""

    ente: str = Field("", description="Tenant code of the ente")
    table: str = Field("stock", description="Table to rebuild: stock, indicators, debt_positions, …")
    reference_date: str = Field("", description="Day the figures are asked for (D), as 2025-12-31; empty: today in Italy")
    known_at: str = Field("", description="Moment of knowledge with its zone, as 2026-01-31T23:59:59+01:00; empty: now")
    observed_at: str = Field("", description="Day up to which facts are seen; empty: the day of known_at")


@op
def rebuild(context: OpExecutionContext, config: Question, installation: Installation) -> None:
    """Rebuilds the table and writes it as CSV under `<home>/reports/<ente>/past`."""
    ente = of_ente(context, config.ente)
    reference_date = date.fromisoformat(config.reference_date) if config.reference_date else today()
    known_at = datetime.fromisoformat(config.known_at) if config.known_at else datetime.now(UTC)
    observed_at = date.fromisoformat(config.observed_at) if config.observed_at else None
    past = asof.rebuild(
        installation,
        ente,
        [config.table],
        reference_date,
        known_at,
        observed_at,
    )
    folder = Path(installation.settings.home) / "reports" / ente / "past"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{config.table}-{reference_date}-{past.folder.rsplit('/', 1)[-1]}.csv"
    rows = asof.write(installation, past, config.table, file)
    installation.store.delete(past.folder)
    context.add_output_metadata(
        {
            "rows": rows,
            "deliveries known": past.deliveries,
            "observed_at": past.parameters.observed_at.isoformat(),
            "file": MetadataValue.path(str(file)),
        }
    )


@job(
    executor_def=in_process_executor,
    description="Any table for any reference date, as it was known at any moment; what is published stays untouched.",
)
def rebuild_past() -> None:
    """One table of the past."""
    rebuild()
