"""Dagster forgets what is long over, never the last that it knows of an ente, and nothing that is under way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.test_utils import create_run_for_test

from assets.history import purge
from assets.partitions import ENTE_TAG
from assets.run import opened
from pcc_pipeline.settings import Settings


def _run(instance: DagsterInstance, job: str, *enti: str, status: DagsterRunStatus = DagsterRunStatus.SUCCESS) -> str:
    tags = {ENTE_TAG + ente: "x" for ente in enti}
    return create_run_for_test(instance, job_name=job, status=status, tags=tags).run_id


def test_the_last_of_each_ente_stays(settings: Settings) -> None:
    with opened(settings) as instance:
        gone = _run(instance, "reconcile_ente", "alfa")
        of_beta = _run(instance, "reconcile_ente", "alfa", "beta")
        of_alfa = _run(instance, "reconcile_ente", "alfa", status=DagsterRunStatus.FAILURE)
        probes = [_run(instance, "measure_availability") for _ in range(3)]
        night = [_run(instance, "calculate_service_levels") for _ in range(2)]
        at_work = _run(instance, "reconcile_ente", "alfa", status=DagsterRunStatus.STARTED)
        now = datetime.now(UTC)

        def left() -> set[str]:
            return {run.run_id for run in instance.get_runs()}

        assert purge(instance, now) == 0
        assert purge(instance, now + timedelta(days=4)) == 2
        assert left() == {gone, of_beta, of_alfa, probes[-1], *night, at_work}
        assert purge(instance, now + timedelta(days=91)) == 2
        assert left() == {of_beta, of_alfa, probes[-1], night[-1], at_work}
