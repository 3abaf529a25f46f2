"""Runs without a web interface or daemon: everything for some enti, in this process, recorded in the same
Dagster instance as all other runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from dagster import DagsterInstance
from dagster._core.utils import make_new_run_id

from assets.killed import HEADLESS, end_killed_runs
from assets.partitions import ENTI_NAME, run_tags
from assets.storage import told_later
from pcc_pipeline.database.dagster_home import write_dagster_home
from pcc_pipeline.database.engine import run_lock
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings


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
    """Materialises and checks everything for the enti in one run in this process, then publishes.

    `inbox` None drains the installation's own inbox; another folder is left as it is. The dates default to
    today in Italy. False when anything failed (then the enti it concerns keep their previous published
    state; the others are published); the reasons are logged. Earlier runs of this kind that were killed count as failed.
    """
    if not enti:
        return True
    from assets.definitions import defs

    asked = {
        "enti": list(enti),
        "reference_date": reference_date.isoformat() if reference_date else "",
        "observed_at": observed_at.isoformat() if observed_at else "",
        "inbox": str(inbox) if inbox else "",
    }
    with opened(installation.settings) as instance:
        end_killed_runs(instance, installation.engine)
        known = set(instance.get_dynamic_partitions(ENTI_NAME))
        instance.add_dynamic_partitions(ENTI_NAME, [ente for ente in enti if ente not in known])
        tags = run_tags(dict.fromkeys(enti, HEADLESS), instance.get_dynamic_partitions(ENTI_NAME))
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
    return result.success
