"""Kills work at a random moment, does it again to its end, and says what then differs from work that was never disturbed.

A seed says which work, for which ente, and where it is killed: before a point at which something outside changes (see
`killed_work.Points`), or after so many seconds. `benchmarks/kills.py` does as many as it is told.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import killed_states as states
import psutil
import sqlalchemy as sa

from pcc_pipeline.database import embedded
from pcc_pipeline.database.engine import create_database, dispose, engine
from pcc_pipeline.demo import write_provider
from pcc_pipeline.review.operations import Selection, decide_operations
from pcc_pipeline.settings import Settings

#: Two enti: one that delivers tables as they are, one by its product's layout. The first goes.
ENTI = ("montefiore", "valdossola")
#: How often each work is chosen.
SHARES = {"run": 12, "send": 4, "erase": 3, "whole run": 1}
#: Of so many kills one comes by the clock, the others before a point.
BY_CLOCK = 4
#: Seconds for what a killed process held to be let go, and for work to end.
LET_GO, LONGEST = 20.0, 300.0


@dataclass(frozen=True)
class Undisturbed:
    """Work that nobody killed: the state before it, the points it passed by stage, how long it took, what it left."""

    before: str
    points: Mapping[str, Sequence[str]]
    seconds: float
    left: states.State


@dataclass
class Attempt:
    """One kill: what was killed and where, whether it died of it, and what was wrong afterwards."""

    name: str
    action: str
    ente: str
    where: str
    killed: bool = False
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        said = "; ".join(self.problems) or "as if undisturbed"
        return f"{self.name}: {self.action} of {self.ente}, {self.where}{'' if self.killed else ' (ended before)'}: {said}"


@dataclass
class _Ended:
    code: int | None
    said: object
    seconds: float


class Ground:
    """An installation with a server of its own, brought back to a known state before each kill."""

    def __init__(self, folder: Path, *, whole: bool) -> None:
        self.folder, self.home, self.out = folder, folder / "home", folder / "out"
        self.server = sa.make_url(embedded.url(folder / "server")).set(drivername="postgresql+psycopg")
        self._admin = sa.create_engine(self.server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        self._sql("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")  # a killed process is no power cut
        url = self.server.set(database="at_work").render_as_string(hide_password=False)
        self.settings = Settings.at(self.home, database_url=url, memory_limit="1GiB", threads=1, quiet_seconds=0)
        self._processes = _processes()
        self._known: dict[tuple[str, str], Undisturbed] = {}
        self._begin(whole)

    def _begin(self, whole: bool) -> None:
        """The states from which work begins: files delivered; both enti published and all that may go out approved."""
        write_provider(
            self.settings.inbox, enti=2, documents=40, seed=3, reference_date=date(2025, 12, 31), observed_at=date(2026, 1, 20),
            sdi_share=0.3, bad_rows=False,
        )  # fmt: skip
        self.out.mkdir()
        create_database(self.server, "at_work")
        engine(self.settings)
        self._keep("delivered")
        for ente in ENTI:
            ended = self._do("whole run" if whole else "run", ente)
            assert ended.code == 0, (ended, (self.folder / "work.log").read_text()[-3000:])
            decide_operations(engine(self.settings), ente, "approve", Selection(least=Decimal(0)), who="rossi")
        self._keep("published")

    def undisturbed(self, action: str, ente: str) -> Undisturbed:
        """What an action leaves when nobody kills it; done once."""
        if (action, ente) not in self._known:
            before = "delivered" if action in ("run", "whole run") else "published"
            self._bring(before)
            ended = self._do(action, ente)
            assert isinstance(ended.said, dict), ended
            self._do("clear", ente, aged=0.0)
            left = states.state(self.settings, self.out)
            self._known[action, ente] = Undisturbed(before, ended.said, ended.seconds, left)
        return self._known[action, ente]

    def attempt(self, seed: int, action: str | None = None) -> Attempt:
        """Kills what the seed says (or that action), does it again, and compares."""
        random = Random(seed)
        chosen = random.choices([*SHARES], [*SHARES.values()])[0]
        action, ente = action or chosen, random.choice(ENTI)
        known = self.undisturbed(action, ente)
        if random.randrange(BY_CLOCK):
            stage = random.choice(sorted(known.points))
            return self.killed_before(action, ente, stage, random.randrange(len(known.points[stage])), f"{seed}")
        seconds = random.uniform(0, known.seconds)
        attempt = Attempt(f"{seed}", action, ente, f"after {seconds:.2f} of {known.seconds:.2f} s")
        return self._judged(attempt, known, after=seconds)

    def killed_before(self, action: str, ente: str, stage: str, number: int, name: str = "") -> Attempt:
        """Kills before the point of that number of a stage, does it again, and compares."""
        known = self.undisturbed(action, ente)
        words = f"{stage}, before {number} of {len(known.points[stage])}: {known.points[stage][number]}"
        return self._judged(Attempt(name, action, ente, words), known, kill=(stage, number))

    def _judged(
        self, made: Attempt, known: Undisturbed, *, kill: tuple[str, int] | None = None, after: float | None = None
    ) -> Attempt:
        self._bring(known.before)
        ended = self._do(made.action, made.ente, kill=kill, after=after)
        made.killed = ended.code == -9
        if not made.killed and ended.code != 0:
            made.problems.append(f"it ended by itself: {ended.said}")
        made.problems += self._held()
        again = self._do(made.action, made.ente)
        if again.code != 0:
            made.problems.append(f"done again it failed: {again.said}")
        else:
            self._do("clear", made.ente, aged=0.0)
            made.problems += states.differences(known.left, states.state(self.settings, self.out))
        return made

    def _do(self, action: str, ente: str, kill: tuple[str, int] | None = None, after: float | None = None,
            aged: float | None = None) -> _Ended:  # fmt: skip
        import killed_work

        dispose(self.settings)
        mine, theirs = self._processes.Pipe(duplex=False)
        order = killed_work.Order(self.settings, action, ente, self.out, kill, aged)
        process = self._processes.Process(target=killed_work.work, args=(order, theirs))
        process.start()
        theirs.close()
        said: object = None
        with suppress(EOFError):
            said = mine.recv()
        began = time.monotonic()
        with suppress(EOFError, OSError):  # killed while it told
            if mine.poll(LONGEST if after is None else after):
                said = mine.recv()
                process.join(LET_GO)
        process.kill()
        process.join()
        seconds = time.monotonic() - began
        return _Ended(process.exitcode, said, seconds)

    def _held(self) -> list[str]:
        """What a killed process still holds after some seconds: sessions with their locks, processes it had started."""
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'at_work'"
        until = time.monotonic() + LET_GO
        while time.monotonic() < until:
            held = [*self._sql(sessions)], _readers()
            if held == ([0], []):
                return []
            time.sleep(0.1)
        return [f"still held: {held[0][0]} sessions, processes {held[1]}"]

    def _keep(self, name: str) -> None:
        dispose(self.settings)
        self._sql(f'CREATE DATABASE "{name}" TEMPLATE at_work')
        for folder in (self.home, self.out):
            shutil.copytree(folder, self.folder / f"{name}-{folder.name}")

    def _bring(self, name: str) -> None:
        dispose(self.settings)
        self._sql("DROP DATABASE IF EXISTS at_work WITH (FORCE)", f'CREATE DATABASE at_work TEMPLATE "{name}"')
        for folder in (self.home, self.out):
            shutil.rmtree(folder)
            shutil.copytree(self.folder / f"{name}-{folder.name}", folder)

    def _sql(self, *statements: str) -> list[object]:
        with self._admin.connect() as connection:
            results = [connection.execute(sa.text(statement)) for statement in statements]
            return list(results[-1].scalars()) if results[-1].returns_rows else []


@contextmanager
def ground(*, whole: bool = False) -> Iterator[Ground]:
    """A ground in a temporary folder; `whole` has its published enti made by whole runs, Dagster's records and all."""
    with TemporaryDirectory(prefix="pcc-test-") as folder:
        try:
            yield Ground(Path(folder), whole=whole)
        finally:
            embedded.release(Path(folder) / "server")
            embedded.stop(Path(folder) / "server")


def _processes() -> multiprocessing.context.ForkServerContext:
    """Processes that begin with everything imported: forks of one that did nothing else."""
    import sys

    context = multiprocessing.get_context("forkserver")
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    context.set_forkserver_preload(["killed_work"])
    return context


def _readers() -> list[int]:
    """The processes of this machine that read foreign files and whose parent is gone."""
    found = []
    for process in psutil.process_iter(["cmdline", "ppid", "status"]):
        line = process.info["cmdline"] or []
        if "pcc_pipeline.formats.child" in line and line[-2].isdigit() and not psutil.pid_exists(int(line[-2])):
            found.append(process.pid)
    return found


__all__ = ["Attempt", "Ground", "ground", "replace"]
