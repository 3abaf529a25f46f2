"""Jobs, named for what an operator does. All run in one process: a process a step costs seconds."""

from typing import Any

from dagster import (
    AssetSelection,
    OpExecutionContext,
    define_asset_job,
    in_process_executor,
    job,
    op,
)
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG

from assets.connections import read_accounting_system
from assets.model_files import write_model_files
from assets.past import rebuild_past
from assets.resources import Installation
from assets.service import SERVICE_GROUPS
from assets.steps import LANDING, REPORT
from pcc_pipeline.database.dagster_home import ANYWHERE
from pcc_pipeline.runs.pipeline import read_provider

#: The group of what is written from published figures, by jobs of its own.
REPORTS = "reports"

#: All that is made ente by ente.
_OF_AN_ENTE = AssetSelection.all() - AssetSelection.assets(REPORT) - AssetSelection.groups(REPORTS, *SERVICE_GROUPS)

#: Store and database are all they need, so a worker on any machine does them.
BY_ANY_WORKER = {DAGSTER_CELERY_QUEUE_TAG: ANYWHERE}

reconcile_ente = define_asset_job(
    "reconcile_ente",
    selection=_OF_AN_ENTE,
    tags=BY_ANY_WORKER,
    executor_def=in_process_executor,
    description="From the inbox to the published stock: one ente, or the enti named in the configuration.",
)

recalculate_ente = define_asset_job(
    "recalculate_ente",
    selection=_OF_AN_ENTE - AssetSelection.assets(LANDING),
    tags=BY_ANY_WORKER,
    executor_def=in_process_executor,
    description="The stock anew from what was already landed, for other dates say.",
)

report_bonifica = define_asset_job(
    "report_bonifica",
    selection=AssetSelection.assets(REPORT),
    executor_def=in_process_executor,
    description="One ente's report, HTML and Excel, of what is published now.",
)


@op
def read_provider_deliveries(context: OpExecutionContext, installation: Installation) -> None:
    """Lands and reads what concerns the provider itself (its register of enti)."""
    done = read_provider(installation, drain=True)
    for file, reason in done.refused.items():
        context.log.warning(f"{file}: {reason}")
    for note in done.notes:
        context.log.warning(note)
    found = {"deliveries": done.deliveries, "rows": done.rows, "refused": done.refused, "enti": done.enti}
    context.add_output_metadata(found)


@job(
    executor_def=in_process_executor,
    description="Reads the provider's own deliveries (inbox folder _provider), which belong to no ente.",
)
def read_provider_register() -> None:
    """The provider's register of enti, from the inbox."""
    read_provider_deliveries()


JOBS: list[Any] = [
    reconcile_ente,
    recalculate_ente,
    report_bonifica,
    write_model_files,
    read_provider_register,
    read_accounting_system,
    rebuild_past,
]
