"""Kills processes of a running service at a random moment between a delivery and its figures, and says what then differs
from a service that nobody disturbed.

A seed says what dies: a worker's process in the middle of a run, the workers' parent, Dagster's daemon, or all at once.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import killed_states as states
import psutil
import sqlalchemy as sa
from dagster import RunsFilter
from kills import Attempt
from serving import serving

from assets.run import opened
from assets.workers import AT_WORK
from pcc_pipeline.arrival.work import to_do
from pcc_pipeline.database import embedded
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.demo import write_provider
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings

#: What dies, and how often each is chosen.
EVERYTHING = "everything"
SHARES = {"a worker's process": 5, "the workers' parent": 2, "the daemon": 1, EVERYTHING: 4}
#: Seconds within which everything is to be published again after a kill or the next start.
PUBLISHED_AGAIN = 120.0
#: What two undisturbed enti take on a quiet machine of two cores; where they take longer, so may all else.
QUIET = 15.0
LONGEST = 300.0
#: What depends on the moment, on the order in which files were taken in, on how many runs it took, on whether last night was
#: caught up with yet: it differs between two services that nobody disturbed. And what was left unfinished, until it is a day old.
BY_CHANCE = re.compile(
    r"home |store models/(_provider/|[^/]+/(inputs/|night/|sla_|ticket_contacts))|.*\.tmp-"
    r"|store (closed|watch)/|store reports/[^/]+/service\.html"
    r"|table (publications|service_\w+|sla_\w+|ticket_contacts)$"
)
_OF_A_DELIVERY = ("ente", "kind", "sha256", "status", "rows", "refused", "defects", "reason")


class ServiceGround:
    """Files of two enti, and what a service that nobody disturbed makes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_provider(
            folder / "files", enti=2, documents=30, seed=5, reference_date=date(2025, 12, 31), observed_at=date(2026, 1, 20),
            sdi_share=0.3, bad_rows=False,
        )  # fmt: skip
        self.seconds, self.wanted = self._undisturbed()

    def _undisturbed(self) -> tuple[float, states.State]:
        with self._home() as home:
            with serving(home) as (settings, _, _):
                began = self._deliver(settings)
                assert _finished(settings, began + LONGEST), (home / "serve.log").read_text()[-3000:]
                seconds = time.monotonic() - began
            return seconds, _state(settings)

    def attempt(self, seed: int, what: str | None = None) -> Attempt:
        """Kills what the seed says (or that) at the seed's moment, and compares when all is published again."""
        random = Random(seed)
        chosen = random.choices([*SHARES], [*SHARES.values()])[0]
        what, after = what or chosen, random.uniform(0, self.seconds)
        made = Attempt(f"{seed}", "a service at work", what, f"after {after:.1f} of {self.seconds:.1f} s")
        with self._home() as home:
            with serving(home) as (settings, _, _):
                began = self._deliver(settings)
                time.sleep(max(0.0, began + after - time.monotonic()))
                made.killed = kill(settings, what)
                again = time.monotonic()
                if what != EVERYTHING:
                    self._judge_time(made, settings, again)
            if what == EVERYTHING:
                again = time.monotonic()
                with serving(home) as (settings, _, _):
                    self._judge_time(made, settings, again)
            made.problems += states.differences(self.wanted, _state(settings))
            made.problems += [f"{settings.home} still has process {left}" for left in _left(home)]
        return made

    def _judge_time(self, made: Attempt, settings: Settings, again: float) -> None:
        allowed = PUBLISHED_AGAIN * max(1.0, self.seconds / QUIET)
        if not _finished(settings, again + allowed):
            made.problems.append(f"not all was published within {allowed:.0f} s: {_left_to_do(settings)}")
            _finished(settings, again + LONGEST)
        made.where += f", published again after {time.monotonic() - again:.0f} s"

    @contextmanager
    def _home(self) -> Iterator[Path]:
        home = self.folder / "home"  # views name the place
        home.mkdir()
        try:
            yield home
        finally:
            embedded.release(home)
            embedded.stop(home)
            shutil.rmtree(home)

    def _deliver(self, settings: Settings) -> float:
        """Puts all files into the inbox at once; returns the moment."""
        for folder in sorted((self.folder / "files").iterdir()):
            shutil.copytree(folder, settings.inbox / folder.name, dirs_exist_ok=True)
        return time.monotonic()


def _finished(settings: Settings, until: float) -> bool:
    """Whether, before that moment, nothing was left to do and nobody was at work."""
    with opened(settings) as instance:
        installation = Installation(replace(settings, quiet_seconds=0))  # what is not quiet yet is to be done, too
        while time.monotonic() < until:
            if not to_do(installation, sweep=True) and not instance.get_runs(filters=RunsFilter(statuses=[*AT_WORK])):
                return True
            time.sleep(1)
    return False


def _left_to_do(settings: Settings) -> str:
    with opened(settings) as instance:
        runs = [f"{run.job_name} {run.status.value}" for run in instance.get_runs(filters=RunsFilter(statuses=[*AT_WORK]))]
    return f"{[*to_do(Installation(replace(settings, quiet_seconds=0)), sweep=True)]} {runs}"


def kill(settings: Settings, what: str) -> bool:
    """Kills processes of the service of a home (see `SHARES`); False where there was nothing of the kind."""
    root = psutil.Process(int((settings.home / "serve.lock").read_text()))
    family = [root, *root.children(recursive=True)]
    doomed = [process for process in family if what == EVERYTHING or what == _role(process)]
    for process in doomed:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(doomed, 10)
    return bool(doomed)


def _role(process: psutil.Process) -> str | None:
    """What a process of the service is, in the words of `SHARES`."""
    with suppress(psutil.NoSuchProcess):
        line, parent = process.cmdline(), process.parent()
        if "daemon" in line:
            return "the daemon"
        if "worker" in line:
            inside = parent is not None and "worker" in parent.cmdline()
            return "a worker's process" if inside else "the workers' parent"
    return None


def _state(settings: Settings) -> states.State:
    return certain(states.state(settings, settings.home / "out"), settings)


def certain(found: states.State, settings: Settings) -> states.State:
    """What of a state no chance decides."""
    columns = [table("deliveries").c[name] for name in _OF_A_DELIVERY]
    with engine(settings).connect() as connection:
        found["table deliveries"] = sorted(str(row) for row in connection.execute(sa.select(*columns)))
    return {name: content for name, content in found.items() if not BY_CHANCE.match(name)}


def _left(home: Path) -> list[int]:
    """Processes that a service of that home left behind."""
    found = []
    for process in psutil.process_iter(["pid", "name", "environ"]):  # the server of the database goes with its last user
        named = (process.info["environ"] or {}).get("PCC_HOME")
        if named == str(home) and process.pid != os.getpid() and "postgres" not in process.info["name"]:
            found.append(process.pid)
    return found


@contextmanager
def ground() -> Iterator[ServiceGround]:
    """A ground in a temporary folder."""
    with TemporaryDirectory(prefix="pcc-test-") as folder:
        yield ServiceGround(Path(folder))
