"""Runs that count as under way while nobody works on them; and the end of those of `pcc run`, which no service watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from pcc_pipeline.database.dagster_storage import ENTE_TAG
from pcc_pipeline.database.engine import is_worked_on

#: What such a run's tags have of each ente for what there is to do: somebody asked for all of it.
HEADLESS = "headless"
_AT_WORK = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]


def unattended(instance: DagsterInstance, engine: sa.Engine, statuses: Sequence[DagsterRunStatus]) -> Iterator[DagsterRun]:
    """The runs of these statuses whose lock nobody holds."""
    for run in instance.get_runs(filters=RunsFilter(statuses=list(statuses))):
        if not is_worked_on(engine, run.run_id):
            yield run


def end_killed_runs(instance: DagsterInstance, engine: sa.Engine) -> list[str]:
    """Ends the runs of `pcc run` that count as under way and that nobody works on; returns their ids.

    Such a run has its lock before it is there. Without it, it would count as under way for ever, and an erasure of its enti
    would wait for it.
    """
    ended = []
    for run in unattended(instance, engine, _AT_WORK):
        if any(tag.startswith(ENTE_TAG) and mark == HEADLESS for tag, mark in run.tags.items()):
            instance.report_run_failed(run, message="The process of this run was killed")
            ended.append(run.run_id)
    return ended
