"""How long Dagster remembers: each night runs that ended long ago go, with their events, but for the last that tells of an
ente or a job. What was delivered, decided and published is not kept there, so nothing of it goes.
"""

from datetime import UTC, datetime, timedelta

from dagster import (
    AssetExecutionContext,
    AssetSelection,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultScheduleStatus,
    MaterializeResult,
    RunsFilter,
    ScheduleDefinition,
    asset,
    define_asset_job,
    in_process_executor,
)

from assets.partitions import enti_of_tags
from assets.resources import Installation
from assets.steps import nightly
from pcc_pipeline.database.dagster_storage import forget_taken_messages

#: Days that a run is remembered after its end; the probe runs every five minutes, and its measures are deliveries.
DAYS, DAYS_OF = 90, {"measure_availability": 3}
#: Runs read at a time, and removed in one night at most.
PAGE, MOST = 500, 20_000

ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


def _tells_of(run: DagsterRun) -> list[tuple[str, str]]:
    """What a run is remembered for: its job, for each of its enti where it has any."""
    return [(run.job_name, ente) for ente in enti_of_tags(run.tags) or ("",)]


def purge(instance: DagsterInstance, now: datetime) -> int:
    """Removes runs that ended more than DAYS before `now`, but the last one of each job and ente; returns how many."""
    told: set[tuple[str, str]] = set()
    going: list[str] = []
    cursor = None
    # Latest first: what is met first of a job and ente is its last.
    while page := instance.get_run_records(RunsFilter(statuses=ENDED), limit=PAGE, cursor=cursor):
        for record in page:
            run = record.dagster_run
            last = not told.issuperset(_tells_of(run))
            told.update(_tells_of(run))
            days = DAYS_OF.get(run.job_name, DAYS)
            if not last and record.update_timestamp < now - timedelta(days=days):
                going.append(run.run_id)
        cursor = page[-1].dagster_run.run_id
    # The oldest first, where there are more than one night takes.
    for run_id in going[::-1][:MOST]:
        instance.delete_run(run_id)
    return min(len(going), MOST)


@asset(group_name="provider", kinds={"postgres"}, freshness_policy=nightly(6))
def purged_history(context: AssetExecutionContext, installation: Installation) -> MaterializeResult:
    """Runs that ended long ago are forgotten with their events: 90 days, of the probe 3; the last of each ente stays."""
    gone = purge(context.instance, datetime.now(UTC))
    return MaterializeResult(metadata={"runs": gone, "messages": forget_taken_messages(installation.settings)})


purge_history = define_asset_job(
    "purge_history",
    selection=AssetSelection.assets("purged_history"),
    executor_def=in_process_executor,
    description="Has Dagster forget runs that ended long ago; deliveries, decisions and figures are not touched.",
)
nightly_purge = ScheduleDefinition(
    name="purge_history",
    job=purge_history,
    cron_schedule="30 4 * * *",
    execution_timezone="Europe/Rome",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Every night at 04:30: Dagster forgets runs that ended long ago. Paused, nothing else changes.",
)
