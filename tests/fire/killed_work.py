"""Work that is killed: what a child process does, stage by stage, and the points at which it may be made to end."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from assets.definitions import defs
from assets.run import run_headless
from assets.steps import STEPS
from pcc_pipeline.arrival import landing, leftovers
from pcc_pipeline.arrival.quarantine import write_quarantine
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import load_models, prepare
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.enti.overview import publish_overview
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.sending import hand_out, send
from pcc_pipeline.runs import pipeline
from pcc_pipeline.runs.inputs import begin
from pcc_pipeline.scratch import settle
from pcc_pipeline.service.erasure import erase
from pcc_pipeline.settings import Settings

D, O, GONE = date(2025, 12, 31), date(2026, 1, 20), date(2026, 3, 2)  # noqa: E741
WHO = "RSSMRA80A01H501U"
STAGES = ("landing", "staging", "calculating", "publishing", "sending", "erasing", "whole run")
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree", "tempfile.mkdtemp"}

# What a process has ready when it begins: a fork of it pays for none of this.
defs.resolve_job_def("reconcile_ente")
for _model in load_models().values():
    _ = _model.sql, _model.reads


@dataclass(frozen=True)
class Order:
    """What to do for which ente; where to end: before the point of that number in that stage (None: at no point)."""

    settings: Settings
    action: str
    ente: str
    out: Path
    kill: tuple[str, int] | None = None
    #: Seconds after which what a killed process left behind is cleared; None as the program says.
    aged: float | None = None


class Points:
    """The moments just before something outside changes: a file's name, a file opened to be written, a statement, a commit.

    `passed` has them by stage, in words. The process ends before the one that `kill` names.
    """

    def __init__(self, kill: tuple[str, int] | None, folders: tuple[str, ...]) -> None:
        self.passed: dict[str, list[str]] = {}
        self._stage, self._kill, self._folders = "", kill, folders
        self._lock = threading.Lock()
        sys.addaudithook(self._audit)
        sa.event.listen(sa.Engine, "before_cursor_execute", self._statement)
        sa.event.listen(sa.Engine, "commit", lambda connection: self._point("commit"))
        write = psycopg.Copy.write

        def counted(copy: psycopg.Copy[Any], data: Any) -> None:
            self._point("copy")
            write(copy, data)

        psycopg.Copy.write = counted  # type: ignore[method-assign, assignment]

    def begin(self, stage: str) -> None:
        """From now on points are this stage's."""
        self._stage = stage

    def _point(self, what: str) -> None:
        if not self._stage:
            return
        with self._lock:
            passed = self.passed.setdefault(self._stage, [])
            passed.append(what)
            if self._kill == (self._stage, len(passed) - 1):
                os.kill(os.getpid(), signal.SIGKILL)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        path = str(arguments[0]) if writes or event in _CHANGES else ""
        for folder in self._folders:
            if path.startswith(folder):
                self._point(f"{event} {path[len(folder) :]}")

    def _statement(self, connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if not statement.lstrip().lower().startswith(("select", "show")):
            self._point(" ".join(statement.split())[:80])


def work(order: Order, told: Connection) -> None:
    """Does the work of an order; tells that it began, then the points of each stage."""
    os.environ.update(order.settings.environment())
    with (order.out.parent / "work.log").open("ab", buffering=0) as log:
        for number in (1, 2):
            os.dup2(log.fileno(), number)
    if order.aged is not None:
        leftovers.LEFT_BEHIND = order.aged
    settle(order.settings)
    points = Points(order.kill, (str(order.settings.home), str(order.out)))
    told.send("begun")
    try:
        ACTIONS[order.action](Installation(order.settings), order, points.begin)
        told.send(points.passed)
    except BaseException as error:
        told.send(f"{type(error).__name__}: {error}")
        raise


def _run(installation: Installation, order: Order, begun: Callable[[str], None]) -> None:
    """The steps of `pcc run` without Dagster and without checks."""
    store, ente = installation.store, order.ente
    begun("landing")
    pipeline.read_provider(installation, drain=True)
    gate, facts = Gate(store, ente), ente_facts(installation, ente)
    gate.begin(STEPS)
    landing.land(installation, None, ente, drain=True)
    begun("staging")
    stage(installation, ente, facts.layout)
    given = begin(installation, ente, "run", D, O)
    begun("calculating")
    installation.calculator.run_inputs(given)
    begun("publishing")
    with installation.register.lock(ente):
        write_quarantine(installation, ente, given.registered)
        sources = pipeline.published_sources(store, ente)
        publication = Publication(D, O, "run", given.seen)
        publish(installation.engine, ente, sources, publication, lambda opened: prepare(opened, store), installation.settings)
    publish_overview(installation, O)


def _whole_run(installation: Installation, order: Order, begun: Callable[[str], None]) -> None:
    """`pcc run`, Dagster's records and checks and all."""
    begun("whole run")
    pipeline.read_provider(installation, drain=True)
    if not run_headless(installation, [order.ente], D, O):
        raise RuntimeError("the run failed")
    publish_overview(installation, O)


def _clear(installation: Installation, order: Order, begun: Callable[[str], None]) -> None:
    """A later run of all enti, for which everything that was left behind is old: it finds nothing to do."""
    for one in (PROVIDER, *(row.name for row in (order.settings.home / "store" / "landing").iterdir())):
        landing.land(installation, None, one, drain=True)
        stage(installation, one, None if one == PROVIDER else ente_facts(installation, one).layout)
    hand_out(installation, order.ente, order.out)


def _send(installation: Installation, order: Order, begun: Callable[[str], None]) -> None:
    begun("sending")
    send(installation, order.ente, WHO, order.out, name="Ente di prova", cf="00488410010", rows=4)


def _erase(installation: Installation, order: Order, begun: Callable[[str], None]) -> None:
    begun("erasing")
    erase(installation, order.ente, GONE)


ACTIONS: dict[str, Callable[[Installation, Order, Callable[[str], None]], None]] = {
    "run": _run,
    "whole run": _whole_run,
    "send": _send,
    "erase": _erase,
    "clear": _clear,
}
