"""Runs of `pcc run` whose process is gone: nobody watches them as the service watches its own."""

from __future__ import annotations

import os
import socket

import psutil
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

#: The tag that names the process of a run: its machine, number and start (seconds since 1970).
PROCESS = "pcc.process"
_AT_WORK = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]


def this_process() -> str:
    """This process as the tag names it."""
    return f"{socket.gethostname()} {os.getpid()} {psutil.Process().create_time()}"


def end_killed_runs(instance: DagsterInstance) -> list[str]:
    """Ends the runs of `pcc run` that count as under way and whose process on this machine is gone; returns their ids.

    Else they count as under way for ever, and an erasure of their enti would wait for them.
    """
    ended = []
    for run in instance.get_runs(filters=RunsFilter(statuses=_AT_WORK)):
        named = run.tags.get(PROCESS, "").rsplit(" ", 2)
        if len(named) == 3 and named[0] == socket.gethostname() and not _lives(int(named[1]), float(named[2])):
            instance.report_run_failed(run, message="The process of this run was killed")
            ended.append(run.run_id)
    return ended


def _lives(number: int, start: float) -> bool:
    try:
        process = psutil.Process(number)
        # One of the same number that began at another time is another.
        return abs(process.create_time() - start) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
