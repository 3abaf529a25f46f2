"""DAGSTER_HOME: the folder and `dagster.yaml` by which Dagster keeps its state in our PostgreSQL.

Assets, sensors and code locations are elsewhere; this only says where runs, events and logs are kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from pcc_pipeline.database.dagster_storage import PARTITION
from pcc_pipeline.database.engine import broker_url, dagster_url
from pcc_pipeline.settings import Settings

#: The queues in which runs wait for a worker: what reads or writes the installation's home (reports, files for PCC, the night,
#: erasures) is done on its own machine; what touches store and database alone, by any.
AT_HOME, ANYWHERE = "home", "anywhere"
#: Seconds between looks: for runs to hand to a worker, for runs whose worker is gone, of a worker whether its run is to end.
DEQUEUE, MONITOR, CANCEL = 0.5, 15, 2
#: Seconds after which a run is ended, whatever it does: the last net.
LONGEST_RUN = 12 * 3600


def dagster_home(settings: Settings) -> Path:
    """The folder that DAGSTER_HOME must name."""
    return settings.home / "dagster"


def configuration(settings: Settings) -> dict[str, Any]:
    """The content of dagster.yaml. Starts the embedded database, whose address it holds."""
    home = dagster_home(settings)
    database = {"postgres_url": dagster_url(settings)}
    return {
        "run_storage": {"module": "assets.storage", "class": "RunStorage", "config": database},
        "event_log_storage": {"module": "assets.storage", "class": "EventLog", "config": dict(database)},
        "schedule_storage": {"module": "assets.storage", "class": "ScheduleStorage", "config": dict(database)},
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(home / "artifacts")},
        },
        "compute_logs": {
            "module": "dagster._core.storage.local_compute_log_manager",
            "class": "LocalComputeLogManager",
            "config": {"base_dir": str(home / "logs")},
        },
        # Workers that are there already: a process of its own for each run would first import for ten seconds. A killed run
        # would count as running for ever, and its ente would wait: the launcher tells who is alive.
        "run_launcher": {
            "module": "assets.workers",
            "class": "WorkerRunLauncher",
            "config": {"broker": broker_url(settings), "backend": "disabled://", "default_queue": AT_HOME},
        },
        "run_monitoring": {
            "enabled": True,
            "poll_interval_seconds": MONITOR,
            "cancellation_thread_poll_interval_seconds": CANCEL,
            # Where several machines share the runs, one may have to wait for a worker that is free.
            "start_timeout_seconds": 60 if settings.runs_at_once is None else 600,
            "max_runtime_seconds": LONGEST_RUN,
        },
        # A sensor that looks every two seconds and finds nothing leaves a tick each time.
        "retention": {
            "sensor": {"purge_after_days": {"skipped": 1, "success": 30, "failure": 30}},
            "schedule": {"purge_after_days": 90},
        },
        "run_coordinator": {
            "module": "assets.workers",
            "class": "RunQueue",
            "config": {
                "max_concurrent_runs": settings.runs_at_once or settings.workers,
                # A second run of an ente waits for the first; at once, the first would find its landing overtaken.
                "tag_concurrency_limits": [{"key": PARTITION, "value": {"applyLimitPerUniqueValue": True}, "limit": 1}],
            },
        },
    }


def write_dagster_home(settings: Settings, changes: Mapping[str, Any] | None = None) -> Path:
    """Writes dagster.yaml (top-level entries of `changes` override) and returns the folder.

    The file may hold a password, so its owner alone may read it; it is replaced whole, if it changed.
    """
    home = dagster_home(settings)
    for folder in (home, home / "artifacts", home / "logs"):
        folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump({**configuration(settings), **(changes or {})}, sort_keys=False)
    target = home / "dagster.yaml"
    if not target.exists() or target.read_text() != text:
        temporary = home / f".dagster-{uuid4().hex}.yaml"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
        temporary.replace(target)
    return home
