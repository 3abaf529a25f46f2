"""Runs of `pcc run` whose process is gone: no service watches them."""

from __future__ import annotations

import sqlalchemy as sa
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from pcc_pipeline.database.dagster_storage import ENTE_TAG
from pcc_pipeline.database.engine import is_worked_on

#: What such a run's tags have of each ente for what there is to do: somebody asked for all of it.
HEADLESS = "headless"
_AT_WORK = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]


def end_killed_runs(instance: DagsterInstance, engine: sa.Engine) -> list[str]:
    """Ends the runs of `pcc run` that count as under way and that nobody works on; returns their ids.

    Such a run has its lock before it is there. Without it, it would count as under way for ever, and an erasure of its enti
    would wait for it.
    """
    ended = []
    for run in instance.get_runs(filters=RunsFilter(statuses=_AT_WORK)):
        headless = any(tag.startswith(ENTE_TAG) and mark == HEADLESS for tag, mark in run.tags.items())
        if headless and not is_worked_on(engine, run.run_id):
            instance.report_run_failed(run, message="The process of this run was killed")
            ended.append(run.run_id)
    return ended
