"""The service's whole tree is killed in the middle of a run: the next start takes the work up again."""

from __future__ import annotations

import signal
from contextlib import suppress
from datetime import date
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from dagster import DagsterRunStatus, RunsFilter
from serving import RUN, serving, until

from assets.run import opened
from assets.workers import AT_WORK
from pcc_pipeline.arrival.delivery import deliver
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.demo import write_provider


def kill_tree(pid: int) -> None:
    """Kills a process and all it started."""
    root = psutil.Process(pid)
    killed = [root, *root.children(recursive=True)]
    for process in killed:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(killed, 10)


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
        kill_tree(int((settings.home / "serve.lock").read_text()))

    published = sa.select(table("stock").c.ente).distinct()

    def done() -> bool:
        with engine(settings).connect() as connection:
            return sorted(connection.scalars(published)) == enti

    with serving(server_home) as (settings, _, _):
        until(done, RUN, lambda: (server_home / "serve.log").read_text()[-3000:])
        with opened(settings) as instance:
            until(lambda: not instance.get_runs(filters=RunsFilter(statuses=AT_WORK)), RUN, lambda: "a run is still at work")
            failed = instance.get_runs(filters=RunsFilter(statuses=[DagsterRunStatus.FAILURE]))
        assert failed, "the killed run does not count as failed"
