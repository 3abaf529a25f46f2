"""Reports as assets: an ente's files and the provider's page, listed with links. `pcc_pipeline.reports` writes them."""

from collections.abc import Iterator

from dagster import (
    AssetExecutionContext,
    AssetSelection,
    DefaultScheduleStatus,
    Failure,
    MaterializeResult,
    MetadataValue,
    RunRequest,
    ScheduleEvaluationContext,
    asset,
    define_asset_job,
    in_process_executor,
    schedule,
)

from assets.partitions import ENTI, ENTI_NAME, ONE_RUN, run_tags
from assets.resources import Installation, RunParameters
from assets.steps import PUBLISHED, enti_of, nightly, report
from pcc_pipeline.enti.facts import ente_names
from pcc_pipeline.reports.facts import NothingPublished
from pcc_pipeline.reports.write import listed, write_ente, write_provider

REPORTS = "ente_reports"


@asset(
    name=REPORTS,
    deps=[PUBLISHED],
    group_name="reports",
    partitions_def=ENTI,
    backfill_policy=ONE_RUN,
    kinds={"excel", "html", "pdf"},
    freshness_policy=nightly(6),
    description="Workbook, page, PDF and the table of art. 33 D.Lgs. 33/2013 of each ente, from what is published.",
)
def ente_reports(
    context: AssetExecutionContext, installation: Installation, asked: RunParameters
) -> Iterator[MaterializeResult]:
    """Writes each ente's reports; an ente without a published state is left out."""
    names = ente_names(installation)
    failed = {}
    for ente in enti_of(context, asked):
        try:
            files = write_ente(installation, ente, names.get(ente))
        except NothingPublished as error:
            context.log.warning(str(error))
            continue
        except Exception as error:
            context.log.exception(f"{ente}: no reports")
            failed[ente] = str(error)
            continue
        folder = MetadataValue.path(str(files[0].parent))
        report(context, {ente: {REPORTS: {"files": MetadataValue.md(listed(files)), "folder": folder}}})
    if failed:
        raise Failure(f"No reports for {', '.join(f'{ente}: {why}' for ente, why in failed.items())}")
    yield MaterializeResult(asset_key=REPORTS)


@asset(
    deps=[PUBLISHED],
    group_name="reports",
    kinds={"html"},
    freshness_policy=nightly(6),
    description="One line an ente: stocks, indicators, FGDC, what is still to be done; all published enti.",
)
def provider_report(installation: Installation) -> MaterializeResult:
    """Writes the provider's page."""
    names = ente_names(installation)
    files = write_provider(installation, names)
    return MaterializeResult(metadata={"files": MetadataValue.md(listed(files)), "enti": len(names)})


REPORT_ASSETS = [ente_reports, provider_report]

write_ente_reports = define_asset_job(
    "write_ente_reports",
    selection=AssetSelection.assets(REPORTS),
    executor_def=in_process_executor,
    description="The reports of some enti, from what is published.",
)

write_provider_report = define_asset_job(
    "write_provider_report",
    selection=AssetSelection.assets("provider_report"),
    executor_def=in_process_executor,
    description="The provider's report over all enti.",
)

REPORT_JOBS = [write_ente_reports, write_provider_report]


@schedule(
    job=write_ente_reports,
    cron_schedule="30 3 * * *",
    execution_timezone="Europe/Rome",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Every night at 03:30: the reports of all enti.",
)
def nightly_reports(context: ScheduleEvaluationContext) -> list[RunRequest]:
    """One run for all enti; none where there is no ente."""
    enti = list(context.instance.get_dynamic_partitions(ENTI_NAME))
    if not enti:
        return []
    config = {"resources": {"asked": {"config": {"enti": enti}}}}
    return [RunRequest(run_config=config, tags=run_tags(dict.fromkeys(enti, "reports"), enti))]


@schedule(
    job=write_provider_report,
    cron_schedule="45 3 * * *",
    execution_timezone="Europe/Rome",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Every night at 03:45: the provider's report.",
)
def nightly_provider_report() -> RunRequest:
    """One run."""
    return RunRequest()


REPORT_SCHEDULES = [nightly_reports, nightly_provider_report]
