"""Runs without a web interface or daemon: everything for some enti, by this process or a few forked from it, recorded in the
same Dagster instance as all other runs.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing.connection import wait
from pathlib import Path

from dagster import DagsterInstance
from dagster._core.utils import make_new_run_id

from assets.killed import HEADLESS, end_killed_runs
from assets.partitions import ENTI_NAME, run_tags
from assets.storage import told_later
from pcc_pipeline.arrival.work import RUNS_OF_ONE, portions
from pcc_pipeline.calculator import let_go
from pcc_pipeline.checks.suite import imported
from pcc_pipeline.database.dagster_home import write_dagster_home
from pcc_pipeline.database.engine import run_lock
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings

log = logging.getLogger("pcc.run")

#: How often the portions left are begun again after one of the processes was killed.
TRIES = 2


@dataclass(frozen=True)
class Commission:
    """What a run is asked for: its enti, the dates (None: today in Italy) and where their files lie (None: the
    installation's own inbox, which is drained)."""

    enti: tuple[str, ...]
    reference_date: date | None
    observed_at: date | None
    inbox: Path | None


@contextmanager
def opened(settings: Settings) -> Iterator[DagsterInstance]:
    """Dagster's instance of an installation, whatever the environment says."""
    with DagsterInstance.from_config(str(write_dagster_home(settings))) as instance:
        yield instance


def run_headless(
    installation: Installation,
    enti: Sequence[str],
    reference_date: date | None = None,
    observed_at: date | None = None,
    *,
    inbox: Path | None = None,
) -> bool:
    """Materialises and checks everything for the enti, then publishes: in one run in this process, or where they are many in
    several, side by side in as many processes as there are threads.

    `inbox` None drains the installation's own inbox; another folder is left as it is. The dates default to
    today in Italy. False when anything failed (then the enti it concerns keep their previous published
    state; the others are published); the reasons are logged. Earlier runs of this kind that were killed count as failed.
    """
    if not enti:
        return True
    import assets.definitions  # noqa: F401  # what goes on elsewhere than here is forked with it

    settings = installation.settings
    with opened(settings) as instance:
        end_killed_runs(instance, installation.engine)
        known = set(instance.get_dynamic_partitions(ENTI_NAME))
        instance.add_dynamic_partitions(ENTI_NAME, [ente for ente in enti if ente not in known])
    at_once = 1 if len(enti) <= RUNS_OF_ONE else settings.threads
    orders = [Commission(tuple(some), reference_date, observed_at, inbox) for some in portions(enti, at_once)]
    if at_once > 1:
        return _side_by_side(settings, orders)
    failed = [order for order in orders if not _run(installation, order)]
    return not failed


def _run(installation: Installation, order: Commission) -> bool:
    """One run in this process; whether all went well."""
    from assets.definitions import defs

    asked = {
        "enti": list(order.enti),
        "reference_date": order.reference_date.isoformat() if order.reference_date else "",
        "observed_at": order.observed_at.isoformat() if order.observed_at else "",
        "inbox": str(order.inbox) if order.inbox else "",
    }
    with opened(installation.settings) as instance:
        tags = run_tags(dict.fromkeys(order.enti, HEADLESS), instance.get_dynamic_partitions(ENTI_NAME))
        run_id = make_new_run_id()
        with run_lock(installation.engine, run_id), told_later(run_id):
            result = defs.resolve_job_def("reconcile_ente").execute_in_process(
                instance=instance,
                run_id=run_id,
                resources={"installation": installation},
                tags=tags,
                run_config={
                    "resources": {"asked": {"config": asked}},
                    # A terminal shows what went wrong; the run's page has every event.
                    "loggers": {"console": {"config": {"log_level": "WARNING"}}},
                },
                raise_on_error=False,
            )
    let_go()
    return result.success


def _side_by_side(settings: Settings, orders: Sequence[Commission]) -> bool:
    """The runs in as many processes as there are threads, which share the memory; whether all went well.

    A process that is killed takes all others of its pool with it: what they had not ended is begun again, in a new one.
    """
    imported()  # once, before the fork
    # What is garbage here must not be cleared away there: a closed database would wait for threads that no fork has.
    gc.collect()
    gc.freeze()
    processes = min(settings.threads, len(orders))
    each = replace(settings, threads=max(1, settings.threads // processes))
    if settings.memory_bytes:
        each = replace(each, memory_limit=f"{settings.memory_bytes // processes}B")
    good, left = True, list(orders)
    for _ in range(TRIES):
        with ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _live_with_parent) as pool:
            ended: list[tuple[Commission, Future[bool]]] = [(order, pool.submit(_run_apart, each, order)) for order in left]
        left = [order for order, future in ended if isinstance(future.exception(), BrokenProcessPool)]
        for order, future in ended:
            if order not in left:
                good = future.result() and good
        if not left:
            return good
        log.warning("a process was killed: %d enti are not done", sum(len(order.enti) for order in left))
    return False


def _run_apart(settings: Settings, order: Commission) -> bool:
    return _run(Installation(settings), order)


def _live_with_parent() -> None:
    """Has this process end as soon as its parent has, however that ended: else it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
