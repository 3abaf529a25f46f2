"""Who works on a run is known by a lock that its process holds: what nobody works on ends, the rest is left alone."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import create_run_for_test
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG

from assets.run import opened
from assets.workers import WorkerRunLauncher, celery_app, end_dead_runs, end_lost_runs
from pcc_pipeline.database.dagster_home import ANYWHERE, AT_HOME
from pcc_pipeline.database.engine import engine, is_worked_on, run_lock
from pcc_pipeline.settings import Settings


def test_a_lock_tells_who_works_on_a_run(settings: Settings) -> None:
    database = engine(settings)
    assert not is_worked_on(database, "one")
    with run_lock(database, "one"):
        assert is_worked_on(database, "one") and not is_worked_on(database, "two")
    assert not is_worked_on(database, "one")


def test_only_runs_that_nobody_works_on_are_ended(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    with opened(settings) as instance, ExitStack() as held:
        runs = {
            status: create_run_for_test(instance, job_name="reconcile_ente", status=status)
            for status in (DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING, DagsterRunStatus.STARTING)
        }
        living = create_run_for_test(instance, job_name="reconcile_ente", status=DagsterRunStatus.STARTED)
        held.enter_context(run_lock(engine(settings), living.run_id))

        launcher = instance.run_launcher
        assert isinstance(launcher, WorkerRunLauncher)
        assert launcher.check_run_worker_health(living).status == WorkerStatus.RUNNING
        assert launcher.check_run_worker_health(runs[DagsterRunStatus.STARTED]).status == WorkerStatus.FAILED

        assert len(end_dead_runs(settings)) == 2
        assert _status(instance, living.run_id) == DagsterRunStatus.STARTED
        ended = {status: _status(instance, run.run_id) for status, run in runs.items()}
        assert ended == {
            DagsterRunStatus.STARTED: DagsterRunStatus.FAILURE,
            DagsterRunStatus.CANCELING: DagsterRunStatus.CANCELED,
            # Another machine's worker may take it yet: the database is not this installation's alone.
            DagsterRunStatus.STARTING: DagsterRunStatus.STARTING,
        }
        assert launcher.terminate(living.run_id) and not launcher.terminate(runs[DagsterRunStatus.STARTED].run_id)
        assert _status(instance, living.run_id) == DagsterRunStatus.CANCELING


def test_runs_whose_worker_was_killed_before_they_started_are_ended(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)

    def run(status: DagsterRunStatus, queue: str) -> DagsterRun:
        return create_run_for_test(instance, job_name="reconcile_ente", status=status, tags={DAGSTER_CELERY_QUEUE_TAG: queue})

    with opened(settings) as instance, ExitStack() as held:
        # A worker for that queue is wanting: which of its runs is the one that waits, nobody knows.
        celery_app(settings).send_task("any", queue=AT_HOME, routing_key=f"{AT_HOME}.any")
        waiting = run(DagsterRunStatus.STARTING, AT_HOME)
        killed = run(DagsterRunStatus.STARTING, ANYWHERE)
        living = run(DagsterRunStatus.STARTING, ANYWHERE)
        done = run(DagsterRunStatus.SUCCESS, ANYWHERE)
        held.enter_context(run_lock(engine(settings), living.run_id))

        # At the first look a worker may be about to take its lock.
        assert end_lost_runs(instance, settings, []) == ([], [killed.run_id])
        assert end_lost_runs(instance, settings, [killed.run_id, waiting.run_id, done.run_id]) == ([killed.run_id], [])
        assert _status(instance, killed.run_id) == DagsterRunStatus.FAILURE
        for left in (waiting, living, done):
            assert _status(instance, left.run_id) == left.status
        assert end_lost_runs(instance, settings, []) == ([], [])


def _status(instance: DagsterInstance, run_id: str) -> DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status
