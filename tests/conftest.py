"""Fixtures shared by all tests: one embedded PostgreSQL a session, a fresh database and home a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
import sqlalchemy as sa

from pcc_pipeline.database import embedded, migrate
from pcc_pipeline.database.engine import create_database, dispose
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

TEMPLATE = "pcc_template"


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
    create_database(url, TEMPLATE)
    engine = sa.create_engine(url.set(database=TEMPLATE), poolclass=sa.NullPool)
    migrate.upgrade(engine)
    yield url
    embedded.release(home)
    folder.cleanup()


@pytest.fixture
def settings(server: sa.URL, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty installation: its own home, store and inbox, and a fresh migrated database."""
    name = f"test_{uuid4().hex[:12]}"
    create_database(server, name, TEMPLATE)
    url = server.set(database=name).render_as_string(hide_password=False)
    made = Settings.at(tmp_path / "home", database_url=url, memory_limit="1GiB")
    made.inbox.mkdir(parents=True)
    yield made
    dispose(made)
    admin = sa.create_engine(server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture
def store(settings: Settings) -> Store:
    """The settings' store."""
    return Store(settings.store_url)


@pytest.fixture
def installation(settings: Settings) -> Installation:
    """The installation of the settings: empty, with a database of its own."""
    return Installation(settings)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own PCC_ variables must not reach the tests."""
    for name in list(os.environ):
        if name.startswith("PCC_"):
            monkeypatch.delenv(name)
