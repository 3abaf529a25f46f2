"""Fixtures shared by all tests: one embedded PostgreSQL a session, a fresh database and home a test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import corpus as corpora
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from proposed import named, operation
from samples import GOLDEN, Golden

from pcc_pipeline.database import embedded, migrate
from pcc_pipeline.database.engine import create_database, dispose, engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.amounts import judge, read_changes
from pcc_pipeline.review.operations import OperationsDecided, decide_operations
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

TEMPLATE = "pcc_template"


@pytest.fixture(scope="session", params=GOLDEN, ids=[found.ente for found in GOLDEN])
def golden(request: pytest.FixtureRequest) -> Golden:
    """Each golden ente at hand: the project's own, and that of ../shared, where present."""
    made: Golden = request.param
    return made


@pytest.fixture(params=corpora.CORPORA)
def corpus(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    """Invoices and messages as files: the project's own, and those of ../shared, where present."""
    return corpora.files(request.param, tmp_path / "written")


@pytest.fixture
def server_home() -> Iterator[Path]:
    """An empty folder for an embedded server of its own, which is stopped afterwards.

    Not pytest's: as root the server runs as another user, whom pytest's folders shut out.
    """
    with TemporaryDirectory(prefix="pcc-test-") as folder:
        yield Path(folder)
        embedded.release(Path(folder))
        embedded.stop(Path(folder))


@pytest.fixture(scope="session")
def server() -> Iterator[sa.URL]:
    """One embedded server for the session (one a worker with pytest-xdist), with a migrated template."""
    folder = TemporaryDirectory(prefix="pcc-test-")
    home = Path(folder.name)
    url = sa.make_url(embedded.url(home)).set(drivername="postgresql+psycopg")
    admin = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:  # no test pulls the plug
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(sa.text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    create_database(url, TEMPLATE)
    engine = sa.create_engine(url.set(database=TEMPLATE), poolclass=sa.NullPool)
    migrate.upgrade(engine)
    yield url
    embedded.release(home)
    folder.cleanup()


@pytest.fixture(scope="session")
def commit() -> int:
    """A number for what is sampled: the same in all processes of a run, another one with another commit."""
    return _turn()


@pytest.fixture
def settings(server: sa.URL, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty installation: its own home, store and inbox, and a fresh migrated database."""
    name = f"test_{uuid4().hex[:12]}"
    create_database(server, name, TEMPLATE)
    url = server.set(database=name).render_as_string(hide_password=False)
    made = Settings.at(tmp_path / "home", database_url=url, memory_limit="1GiB", quiet_seconds=0)
    made.inbox.mkdir(parents=True)
    yield made
    dispose(made)
    admin = sa.create_engine(server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture
def installation(settings: Settings) -> Installation:
    """The installation of the settings: empty, with a database of its own."""
    return Installation(settings)


@pytest.fixture
def store(installation: Installation) -> Store:
    """The installation's store."""
    return installation.store


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own PCC_ variables must not reach the tests."""
    for name in list(os.environ):
        if name.startswith("PCC_"):
            monkeypatch.delenv(name)


@pytest.fixture
def database(settings: Settings) -> sa.Engine:
    """Document A: booking, then payment; B above the limit; C a due date."""
    bind = engine(settings)
    paid = {"azione": "CP", "stato_debito": None, "numero_mandato": "7", "data_mandato": date(2025, 3, 1)}
    rows = [
        operation("a1", "A", 1),
        operation("a2", "A", 2, **paid),
        operation("b1", "B", 1, importo=90_000, importo_totale=90_000, original_creditor="00000000002"),
        operation(
            "c1",
            "C",
            1,
            code="DUE_DATE_DIFFERS",
            azione="CS",
            stato_debito=None,
            natura_spesa=None,
            cig=None,
            cup=None,
            data_scadenza=date(2025, 2, 14),
        ),
        operation("other", "A", 1, ente="beta"),
    ]
    with bind.begin() as connection:
        for row in rows:
            connection.execute(sa.insert(table("operations")), row)
    return bind


@pytest.fixture
def change(database: sa.Engine, installation: Installation) -> Callable[..., OperationsDecided]:
    """Changes an operation of document A, of which 800.00 are unbooked and 300.00 liquidato."""
    rows = [
        {
            "id_documento": "A",
            "progressivo_registrazione": "PA",
            "new_on_pcc": False,
            "commercial_amount": Decimal("1300.00"),
            "unbooked": Decimal("1000.00"),
            "liquidated": Decimal("300.00"),
            "suspended": Decimal(0),
            "not_payable": Decimal(0),
        }
    ]
    with installation.store.write("models/alfa/remedies.parquet") as target:
        pq.write_table(pa.Table.from_pylist(rows), target)

    def changing(name: str, **values: Any) -> OperationsDecided:
        given = read_changes(values)
        return decide_operations(
            database, "alfa", "change", named(name), who="rossi", changes=given, judge=judge(installation, "alfa")
        )

    return changing


#: Files of few but long tests. They go first, else one of them is all that the last worker has left to do.
_LONGEST = (
    "test_portal_browser.py",
    "test_killed_service.py",
    "test_batch.py",
    "test_browser.py",
    "test_operators.py",
    "test_end_to_end.py",
    "test_cases.py",
    "test_definitions.py",
    "test_gone_end_to_end.py",
    "test_golden.py",
    "test_erasure.py",
    "test_private_home.py",
    "test_inputs.py",
    "test_kills.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the longest files first. Of the slow tests one runs, another one each commit; `-m slow` runs them all. What takes
    an hour runs with `-m whole` only."""
    if "whole" not in config.option.markexpr:
        hours = [item for item in items if item.get_closest_marker("whole")]
        items[:] = [item for item in items if item not in hours]
        config.hook.pytest_deselected(items=hours)
    slow = sorted((item for item in items if item.get_closest_marker("slow")), key=lambda item: item.nodeid)
    if len(slow) > 1 and not config.option.markexpr:
        left_out = slow[: (at := _turn() % len(slow))] + slow[at + 1 :]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


def _turn() -> int:
    """A number that is the same in all processes of a run, and another one with another commit."""
    told = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, cwd=Path(__file__).parent, check=False)
    return int(told.stdout.strip() or b"0", 16)


#: Why a test may be skipped: a bare machine may lack a browser or servers. Any other reason fails the run.
_MAY_BE_SKIPPED = ("no Chromium", "no Redis or nginx")
_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remembers tests that were skipped for another reason."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if report.skipped and not hasattr(report, "wasxfail") and not any(words in reason for words in _MAY_BE_SKIPPED):
        _skipped.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run in which a test was skipped without need has failed."""
    if _skipped and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the tests that were skipped without need."""
    for line in _skipped:
        terminalreporter.write_line(f"skipped without need: {line}", red=True)
