"""Workers: processes that wait for runs with everything imported, and how it is known which runs somebody works on.

Dagster's Celery launcher hands a run to a worker of this machine or of another. A worker holds the run's lock in PostgreSQL
while it works: whoever can take that lock knows that nobody does.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import ForkProcess
from os import EX_OK
from typing import Any
from uuid import uuid4

import psutil
from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_ready
from celery.worker import state
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.execution.run_cancellation_thread import start_run_cancellation_thread
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.make_app import make_app
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG
from dagster_celery.tasks import create_execute_job_task
from kombu import Queue
from kombu.transport import sqlalchemy as database_transport

from assets.killed import unattended
from assets.partitions import REPORTS_ITSELF
from assets.run import opened
from assets.storage import told_later
from pcc_pipeline.calculator import let_go
from pcc_pipeline.checks.suite import imported
from pcc_pipeline.database.dagster_home import ANYWHERE, AT_HOME, DEQUEUE, LONGEST_RUN
from pcc_pipeline.database.engine import broker_url, engine, is_worked_on, run_lock
from pcc_pipeline.scratch import clear, settle
from pcc_pipeline.settings import Settings

log = logging.getLogger(__name__)

#: What a run is that should have somebody at work on it, and those of them that wait for a worker still.
AT_WORK = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]

#: After so many runs, or with more memory than that at the end of one (bytes), a worker process makes way for a fresh one.
RUNS_OF_A_PROCESS, MEMORY_OF_A_PROCESS = 200, 1536 << 20

#: Seconds between looks of a worker where the queue is a table; Redis and RabbitMQ tell by themselves.
LOOK = 0.15


class WorkerRunLauncher(CeleryRunLauncher):
    """Dagster's Celery launcher, which asks the database whether a run is worked on, and needs no results kept."""

    def __init__(self, **configured: Any) -> None:
        super().__init__(**configured)
        _name_queues(self.celery)

    def terminate(self, run_id: str) -> bool:
        """Has a run end: its worker looks every few seconds whether it is to. False when there is no such run."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """RUNNING while a process holds the run's lock, else FAILED."""
        if is_worked_on(engine(Settings.from_environment()), run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "the process that worked on it is gone")

    @property
    def supports_resume_run(self) -> bool:
        """False: a run is not taken up in its middle; the inbox sensor starts the work again."""
        return False


class RunQueue(QueuedRunCoordinator):
    """Dagster's queue of runs, looked at more often than its own configuration can say."""

    @property
    def dequeue_interval_seconds(self) -> float:  # type: ignore[override]
        """Seconds between looks."""
        return DEQUEUE


def _name_queues(app: Celery) -> None:
    """Has an application know both queues."""
    app.conf.task_queues = [Queue(name, routing_key=f"{name}.#") for name in (AT_HOME, ANYWHERE)]


def celery_app(settings: Settings) -> Celery:
    """The Celery application of a worker: the one task that executes a run."""
    database_transport.Transport.polling_interval = LOOK
    app = make_app({"broker": broker_url(settings), "backend": "disabled://", "task_default_queue": AT_HOME})
    _name_queues(app)
    app.conf.update(
        # One run in hand: a second would wait for this process while another is free.
        worker_prefetch_multiplier=1,
        worker_concurrency=1,
        # Else a worker that is busy would keep a run waiting which another could take.
        task_acks_late=True,
        # A process hears nothing while it works on a run; whether it lives is known by the run's lock.
        broker_heartbeat=0,
        worker_hijack_root_logger=False,
        # What Dagster prints of each event is on the run's page.
        worker_redirect_stdouts_level="DEBUG",
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
    )
    if (settings.broker_url or "").startswith("redis"):
        # Later, Redis would give a run that is still under way to a second worker.
        app.conf.broker_transport_options = {"visibility_timeout": 2 * LONGEST_RUN}
    create_execute_job_task(app)
    return app


def work(settings: Settings, processes: int, *, anywhere: bool = False) -> None:
    """Works on runs in so many processes until told to end; with `anywhere` only on those that any machine may do.

    Everything a run needs is imported first, once for all. Each process asks the queue by itself and is replaced when it
    ends, however it ends. (One that Celery's own pool hands work to may be killed holding the lock of what is handed out;
    then none gets any more.)
    """
    import assets.definitions  # noqa: F401

    imported()

    logging.basicConfig(level=logging.WARNING, stream=sys.__stderr__)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    # Its reading end tells the processes, by its end, that this one is gone or wants to be.
    reading, writing = os.pipe()
    context = multiprocessing.get_context("fork")

    def begin() -> ForkProcess:
        process = context.Process(target=_one_process, args=(settings, anywhere, reading, writing))
        process.start()
        return process

    team = [begin() for _ in range(processes)]
    try:
        while True:
            wait_for([process.sentinel for process in team])
            for place, process in enumerate(team):
                if process.is_alive():
                    continue
                process.join()
                if process.exitcode:
                    log.warning("worker process %s ended with code %s: another takes its place", process.pid, process.exitcode)
                    time.sleep(1)  # one that cannot begin is not begun without end
                clear(settings)
                team[place] = begin()
    except KeyboardInterrupt:
        os.close(writing)
        for process in team:
            process.join()
        clear(settings)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _one_process(settings: Settings, anywhere: bool, reading: int, writing: int) -> None:
    """Takes runs from the queue, one after another, until its time has come or `reading` ends."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.close(writing)
    settle(settings)
    app, done = celery_app(settings), 0
    consumers: list[Any] = []

    @worker_ready.connect(weak=False)
    def ready(sender: Any, **_: object) -> None:
        consumers.append(sender)

    threading.Thread(target=_end_with, args=(reading, consumers), daemon=True).start()
    under: dict[str, ExitStack] = {}

    @task_prerun.connect(weak=False)
    def begin(task_id: str, kwargs: Mapping[str, Any], **_: object) -> None:
        run_id = unpack_value(kwargs["execute_job_args_packed"], as_type=ExecuteRunArgs).run_id
        under[task_id] = held = ExitStack()
        held.enter_context(run_lock(engine(settings), run_id))
        held.callback(let_go)
        instance = held.enter_context(DagsterInstance.get())
        run = instance.get_run_by_id(run_id)
        if run and run.tags.get(REPORTS_ITSELF):
            held.enter_context(told_later(run_id))
        thread, ended = start_run_cancellation_thread(instance, run_id)
        held.callback(thread.join)
        held.callback(ended.set)

    @task_postrun.connect(weak=False)
    def end(task_id: str, **_: object) -> None:
        nonlocal done
        if held := under.pop(task_id, None):
            held.close()
        done += 1
        if done >= RUNS_OF_A_PROCESS or psutil.Process().memory_info().rss > MEMORY_OF_A_PROCESS:
            _take_no_more(consumers)

    name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:6]}"
    queues = ANYWHERE if anywhere else f"{AT_HOME},{ANYWHERE}"
    app.worker_main([
        *("worker", "--queues", queues, "--pool", "solo", "--hostname", name, "--loglevel", "WARNING"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ])  # fmt: skip


def _end_with(reading: int, consumers: Sequence[Any]) -> None:
    """Has this process take no further run once the other end is closed."""
    os.read(reading, 1)
    _take_no_more(consumers)


def _take_no_more(consumers: Sequence[Any]) -> None:
    """Ends this process after what it is at. Celery's loop would look into the queue once more before it ends."""
    for consumer in consumers:
        consumer.call_soon(consumer.task_consumer.cancel)
    state.should_stop = EX_OK


def end_dead_runs(settings: Settings) -> list[str]:
    """Ends what the store calls under way and nobody works on, before a service starts; a line for each.

    A run that was being cancelled is cancelled, any other has failed. The inbox sensor does the work again. Where other
    machines work on the same database, runs that wait for a worker are left to Dagster's monitoring.
    """
    told = []
    shared = settings.database_url is not None
    asked = [status for status in AT_WORK if not shared or status in (DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)]
    with opened(settings) as instance:
        for run in unattended(instance, engine(settings), asked):
            reason = "Nobody worked on this run when the service started"
            if run.status == DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, message=reason)
            else:
                instance.report_run_failed(run, message=reason)
            told.append(f"Run {run.run_id[:8]} ({run.job_name}): nobody works on it, it counts as failed")
    return told


def end_lost_runs(instance: DagsterInstance, settings: Settings, seen: Collection[str]) -> tuple[list[str], list[str]]:
    """Ends the runs that a worker took from its queue and was killed at before they started; returns their ids, and the ids of
    those that seem so for the first time: `seen` at the next look, some seconds later.

    Dagster asks for the health of a run once it has started. Until then one may wait for a worker that is free; but not where
    nothing waits in its queue and nobody holds its lock, which a worker takes a moment after the run.
    """
    starting = list(unattended(instance, engine(settings), [DagsterRunStatus.STARTING]))
    if not starting:
        return [], []
    empty = [queue for queue, messages in _waiting(settings).items() if not messages]
    lost = [run.run_id for run in starting if run.tags.get(DAGSTER_CELERY_QUEUE_TAG, AT_HOME) in empty]
    ended = []
    for run_id in (run_id for run_id in lost if run_id in seen):
        run = instance.get_run_by_id(run_id)
        if run and run.status == DagsterRunStatus.STARTING:  # else it started, and ended too, since it was looked up
            instance.report_run_failed(run, message="The worker that took this run is gone; it had not started it")
            ended.append(run_id)
    return ended, [run_id for run_id in lost if run_id not in seen]


def _waiting(settings: Settings) -> dict[str, int]:
    """How many messages wait in each queue."""
    with celery_app(settings).connection_for_read() as connection:
        found = {}
        for name in (AT_HOME, ANYWHERE):
            with connection.channel() as channel:
                try:
                    found[name] = channel.queue_declare(queue=name, passive=True).message_count
                except connection.channel_errors:  # Redis has no queue that is empty
                    found[name] = 0
                if isinstance(channel, database_transport.Channel):
                    channel.session.close()  # else it keeps its connection until it is collected
        return found
