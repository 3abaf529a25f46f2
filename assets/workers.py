"""Which runs have a living process, and what becomes of those that have none.

Dagster's own launcher cannot tell, so a run that was killed would stay "started" for ever: its ente would wait, and one of
the few places for runs would be taken.
"""

from __future__ import annotations

import psutil
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.events import EngineEventData
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus

from assets.run import opened
from pcc_pipeline.settings import Settings

#: What a run is that should have a process of its own.
AT_WORK = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


def worker_of(instance: DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """The number of the process that works on a run and when it said so (seconds since 1970); None before it did."""
    found = None
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.ENGINE_EVENT):
        data = entry.dagster_event.event_specific_data if entry.dagster_event else None
        pid = data.metadata.get("pid") if isinstance(data, EngineEventData) else None
        if pid is not None and str(pid.value).isdigit():
            found = int(str(pid.value)), entry.timestamp
    return found


def is_alive(worker: tuple[int, float] | None) -> bool:
    """Whether that very process lives: one of the same number that began later is another."""
    if worker is None:
        return False
    pid, said = worker
    try:
        process = psutil.Process(pid)
        return process.create_time() <= said + 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's launcher of processes on this machine, which also tells whether a run's process still lives."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """True: the daemon's monitoring asks, and fails a run whose process is gone."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """RUNNING while the run's process lives, else FAILED with its number."""
        worker = worker_of(self._instance, run.run_id)
        if is_alive(worker):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"its process {worker[0] if worker else ''} is gone")


def end_dead_runs(settings: Settings) -> list[str]:
    """Ends what the store calls under way and nobody runs, before a service starts; a line for each.

    A run that was being cancelled is cancelled, any other has failed. The inbox sensor does the work again.
    """
    told = []
    with opened(settings) as instance:
        for run in instance.get_runs(filters=RunsFilter(statuses=AT_WORK)):
            if is_alive(worker_of(instance, run.run_id)):
                continue
            reason = "The process of this run was gone when the service started"
            if run.status == DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, message=reason)
            else:
                instance.report_run_failed(run, message=reason)
            told.append(f"Run {run.run_id[:8]} ({run.job_name}): its process is gone, it counts as failed")
    return told
