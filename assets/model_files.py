"""A job that writes the files for PCC, from the launchpad. What it writes: `pcc_pipeline.review.sending`."""

from dagster import Config, MetadataValue, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from assets.forms import of_ente, show
from assets.resources import Installation
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.review import sent
from pcc_pipeline.review.sending import send


class ModelFiles(Config):
    """What is to be written."""

    ente: str = Field("", description="Tenant code of the ente")
    user: str = Field("", description="Fiscal code of who transmits the files to PCC; empty: what would be written is shown")
    out: str = Field("", description="Folder for the files; empty: PCC_HOME/outbox/<ente>")


@op
def write_files(context: OpExecutionContext, config: ModelFiles, installation: Installation) -> None:
    """Writes what is approved and not yet sent; a second run writes nothing anew."""
    from pathlib import Path

    settings, ente = installation.settings, of_ente(context, config.ente)
    facts = ente_facts(installation, ente)
    if facts.refusal:
        raise ValueError(facts.refusal)
    if not config.user:
        with installation.engine.connect() as connection:
            rows = sent.approved_operations(connection, ente)
        columns = ("operation_id", "model", "code", "id_documento", "progressivo_registrazione", "azione", "importo")
        show(context, "to write", rows, columns, "Fill in user: the fiscal code of who transmits the files to PCC")
        return
    folder = Path(config.out) if config.out else settings.home / "outbox" / ente
    report = send(installation, ente, config.user, folder, name=facts.name, cf=facts.cf)
    for held in report.held:
        context.log.warning(f"{held.document} held back: {held.finding.field}: {held.finding.message}")
    late = sent.overdue(installation.engine, ente)
    for row in late:
        document = row["progressivo_registrazione"] or row["id_documento"]
        context.log.warning(f"{document}: {row['azione']} sent on {row['sent_at']:%Y-%m-%d} is not seen done ({row['state']})")
    context.add_output_metadata(
        {
            "files": MetadataValue.json([str(path) for path in report.handed]),
            "operations": report.operations,
            "held back": len(report.held),
            "overdue": len(late),
        }
    )


@job(
    executor_def=in_process_executor,
    description="Writes Modello 003 and 002 for one ente: approved operations only, each once.",
)
def write_model_files() -> None:
    """Files for PCC from what was approved."""
    write_files()
