"""The service's whole tree is killed in the middle of a run: the next start takes the work up again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import killed_services
import pytest
import sqlalchemy as sa
from dagster import DagsterRunStatus, RunsFilter
from killed_services import EVERYTHING, PUBLISHED_AGAIN, kill
from serving import RUN, serving, until

from assets.run import opened
from assets.workers import AT_WORK
from pcc_pipeline.arrival.delivery import deliver
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.demo import write_provider


@pytest.fixture(scope="module")
def ground() -> Iterator[killed_services.ServiceGround]:
    with killed_services.ground() as made:
        yield made


@pytest.mark.slow
def test_a_service_killed_at_random_publishes_what_it_would_have(ground: killed_services.ServiceGround, commit: int) -> None:
    """Another process and moment with each commit; `benchmarks/kills.py N SEED service` does as many as it is told."""
    attempt = ground.attempt(commit)
    assert attempt.problems == [], str(attempt)


@pytest.mark.whole
def test_ten_kills_of_each_kind_of_process(ground: killed_services.ServiceGround) -> None:
    attempts = [ground.attempt(seed, what) for what in killed_services.SHARES for seed in range(10)]
    assert [str(attempt) for attempt in attempts if attempt.problems] == []


@pytest.mark.slow
def test_what_a_killed_service_was_at_is_done_at_its_next_start(server_home: Path, tmp_path: Path) -> None:
    delivered = tmp_path / "delivered"
    write_provider(delivered, enti=2, documents=20, seed=5, reference_date=date(2025, 12, 31), sdi_share=0, bad_rows=False)
    enti = sorted(folder.name for folder in delivered.iterdir() if not folder.name.startswith("_"))

    with serving(server_home) as (settings, _, _):
        for folder in sorted(path for ente in enti for path in (delivered / ente).iterdir()):
            for file in folder.iterdir():
                deliver(settings.inbox, folder.parent.name, folder.name, file)
        with opened(settings) as instance:

            def at_work() -> bool:
                return bool(instance.get_runs(filters=RunsFilter(statuses=[DagsterRunStatus.STARTED])))

            until(at_work, RUN, lambda: "no run was started")
        kill(settings, EVERYTHING)

    published = sa.select(table("stock").c.ente).distinct()

    def done() -> bool:
        with engine(settings).connect() as connection:
            return sorted(connection.scalars(published)) == enti

    with serving(server_home) as (settings, _, _):
        # Two minutes on a machine of its own (`ServiceGround` measures); tests share theirs.
        until(done, 2 * PUBLISHED_AGAIN, lambda: (server_home / "serve.log").read_text()[-3000:])
        with opened(settings) as instance:
            until(lambda: not instance.get_runs(filters=RunsFilter(statuses=AT_WORK)), RUN, lambda: "a run is still at work")
            failed = instance.get_runs(filters=RunsFilter(statuses=[DagsterRunStatus.FAILURE]))
        assert failed, "the killed run does not count as failed"
