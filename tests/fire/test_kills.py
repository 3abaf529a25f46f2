"""Work killed at random points of landing, staging, calculating, publishing, sending, erasing is as if nobody had once it
is done again; and what killed processes leave behind goes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import kills
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.utils import make_new_run_id

from assets.definitions import defs
from assets.killed import HEADLESS, end_killed_runs
from pcc_pipeline.arrival import leftovers
from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.staging import read_anew, stage
from pcc_pipeline.arrival.suspects import Suspects
from pcc_pipeline.database.dagster_storage import ENTE_TAG
from pcc_pipeline.database.engine import run_lock
from pcc_pipeline.installation import Installation

#: Kills in the whole run.
WHOLE = 200
#: Points of an erasure at which a kill once left traces of the ente, a wrong receipt, or an erasure that never ended.
ONCE = (
    r"os\.rename /erasures/",
    r"os\.remove /store/landing/_provider",
    r"os\.rename /store/receipts",
    r"os\.remove /erasures/",
)


@pytest.fixture(scope="module")
def ground() -> Iterator[kills.Ground]:
    with kills.ground() as made:
        yield made


def test_work_killed_at_random_is_done_again(ground: kills.Ground, commit: int) -> None:
    """Other kills with each commit; `benchmarks/kills.py` does as many as it is told."""
    attempts = [ground.attempt(commit, action) for action in ("run", ("send", "erase")[commit % 2])]
    assert [str(attempt) for attempt in attempts if attempt.problems] == []


@pytest.mark.slow
def test_an_erasure_killed_where_it_once_went_wrong(ground: kills.Ground) -> None:
    points = ground.undisturbed("erase", "montefiore").points["erasing"]
    wrong = []
    for once in ONCE:
        number = next(number for number, words in enumerate(points) if re.match(once, words))
        wrong += [
            str(attempt) for attempt in [ground.killed_before("erase", "montefiore", "erasing", number)] if attempt.problems
        ]
    assert wrong == []


@pytest.mark.whole
def test_two_hundred_kills() -> None:
    seed = Random().randrange(1 << 30)
    with kills.ground(whole=True) as ground:
        attempts = [ground.attempt(seed + number) for number in range(WHOLE)]
    assert [str(attempt) for attempt in attempts if attempt.problems] == []
    assert sum(attempt.killed for attempt in attempts) > WHOLE // 2


def deliver(installation: Installation, name: str) -> None:
    path = installation.settings.inbox / "alfa" / "open_list" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"piva_fornitore;numero;data_emissione;importo\n00743110157;{name};2025-01-31;10,00\n")


def test_unfinished_files_go_and_what_is_referred_to_stays(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(installation, "a.csv")
    land(installation, drain=True)
    stage(installation, "alfa")
    read_anew(installation, "alfa", kind="open_list")  # the former reading's rows stay, too
    store = installation.store
    kept = store.list()
    left = [
        "landing/alfa/.tmp-1",
        "models/alfa/x.parquet.tmp-2",
        "sent/alfa/ab/c.tmp-3",
        "staging/alfa/open_list/never.parquet",
    ]
    for name in (*left, "landing/beta/.tmp-1", "staging/beta/open_list/never.parquet"):
        path = Path(store.root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    stage(installation, "alfa")
    assert all(Path(store.root, name).exists() for name in left), "somebody may still write them"
    old = time.time() - leftovers.LEFT_BEHIND - 1
    for name in (*kept, *left):
        os.utime(Path(store.root, name), (old, old))
    stage(installation, "alfa")
    assert not any(Path(store.root, name).exists() for name in left)
    assert store.list() == sorted([*kept, "staging/beta/open_list/never.parquet"])
    assert Path(store.root, "landing/beta/.tmp-1").exists()


def test_a_run_that_died_after_it_had_read_leaves_no_suspect(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(installation, "a.csv")
    land(installation, drain=True)
    write = Suspects._write
    with monkeypatch.context() as patch:  # no time for the note to go
        patch.setattr(Suspects, "_write", lambda self, names: write(self, names) if names else None)
        stage(installation, "alfa")
    assert installation.store.exists("staging/alfa/reading.json")
    stage(installation, "alfa")
    assert not installation.store.exists("staging/alfa/reading.json")


def test_a_killed_run_counts_as_failed(installation: Installation) -> None:
    """One of `pcc run` that nobody works on; not one that somebody does, nor a service's."""
    job = defs.resolve_job_def("reconcile_ente")
    with DagsterInstance.ephemeral() as instance, run_lock(installation.engine, living := make_new_run_id()):
        killed, service = make_new_run_id(), make_new_run_id()
        for run_id, mark in ((living, HEADLESS), (killed, HEADLESS), (service, "fingerprint")):
            instance.create_run_for_job(job, run_id=run_id, tags={f"{ENTE_TAG}alfa": mark}, status=DagsterRunStatus.STARTED)
        assert end_killed_runs(instance, installation.engine) == [killed]
        states = {run.run_id: run.status for run in instance.get_runs()}
    assert states.pop(killed) == DagsterRunStatus.FAILURE
    assert states == dict.fromkeys((living, service), DagsterRunStatus.STARTED)
