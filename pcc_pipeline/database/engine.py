"""Connections: the engine of our own tables, the URL of Dagster's storage, locks that any process respects.

The embedded server itself is in `embedded`; tables in `schema`; their history in `migrate`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from pcc_pipeline.database import embedded, migrate
from pcc_pipeline.settings import Settings

DATABASE = "pcc"
DAGSTER = "dagster"

#: Connections that a process keeps once it needed them, and how many more it may open for a moment. The desk has
#: forty threads, each of which may need two at once: with fewer they would wait for one another.
KEPT, MORE = 20, 60

#: How the server notices that the machine at the other end is gone: PostgreSQL's settings, in seconds and tries.
KEEPALIVE = {"tcp_keepalives_idle": 20, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}

_guard = threading.Lock()
_engines: dict[str, sa.Engine] = {}


def _forget() -> None:
    """In a fork: the connections are the parent's."""
    global _guard
    _guard = threading.Lock()
    for found in _engines.values():
        found.dispose(close=False)


os.register_at_fork(after_in_child=_forget)


def engine(settings: Settings) -> sa.Engine:
    """The engine (psycopg 3) of the settings' database, migrated to this program's version; one a process.

    Starts the embedded server where no PCC_DATABASE_URL is given. Raises sqlalchemy's OperationalError when
    the server cannot be reached, and RuntimeError when the database is newer than the program.
    """
    url = database_url(settings)
    name = url.render_as_string(hide_password=False)
    with _guard:
        found = _engines.get(name)
        if found is None:
            found = sa.create_engine(url, pool_pre_ping=True, pool_size=KEPT, max_overflow=MORE)
            migrate.upgrade(found)
            _engines[name] = found
        return found


def dispose(settings: Settings) -> None:
    """Closes this process's connections and lets the embedded server go."""
    with _guard:
        if settings.database_url is None:
            if not embedded.running(settings.home):
                return
            name = _embedded(settings, DATABASE).render_as_string(hide_password=False)
        else:
            name = database_url(settings).render_as_string(hide_password=False)
        if found := _engines.pop(name, None):
            found.dispose()
    if settings.database_url is None:
        embedded.release(settings.home)


def database_url(settings: Settings) -> URL:
    """Our own URL, psycopg 3, driver named. The embedded server is started and its database made."""
    if settings.database_url is None:
        return _embedded(settings, DATABASE)
    return make_url(settings.database_url).set(drivername="postgresql+psycopg")


def dagster_url(settings: Settings) -> str:
    """URL of Dagster's run, event and schedule storage, psycopg2 (what dagster-postgres speaks).

    Embedded: a database `dagster` of the same server. With PCC_DATABASE_URL: the same database, where a
    search path set in the URL keeps Dagster's tables in a schema `dagster` of their own. Its events wait for no disk: they are
    no truth of ours, and a run whose last ones a power cut took counts as given up.
    """
    options = ["-csynchronous_commit=off"]
    if settings.database_url is None:
        url = _embedded(settings, DAGSTER)
    else:
        ours = make_url(settings.database_url)
        connection = sa.create_engine(ours.set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
        with connection.begin() as session, lock(session, "schema"):
            session.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {DAGSTER}"))
        given = ours.query.get("options", "")
        options = [*([given] if isinstance(given, str) else given), *options, f"-csearch_path={DAGSTER}"]
        url = ours
    url = url.update_query_dict({"options": " ".join(options).strip()})
    return url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


def broker_url(settings: Settings) -> str:
    """Where runs wait for a worker, as Celery takes it: PCC_BROKER_URL, else Dagster's own database."""
    return settings.broker_url or f"sqla+{dagster_url(settings)}"


@contextmanager
def lock(connection: sa.Connection, name: str) -> Iterator[None]:
    """Holds the lock `name` until the transaction of `connection` ends; others wait."""
    statement = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
    connection.execute(statement, {"name": f"pcc {name}"})
    yield


def decision_lock(connection: sa.Connection, ente: str) -> AbstractContextManager[None]:
    """Holds what people decide for an ente, and how it stands, until the transaction ends; others wait."""
    return lock(connection, f"decide {ente}")


def set_based(connection: sa.Connection) -> None:
    """No nested loops for the rest of the transaction: after a bulk write statistics are old, many rows pass for one."""
    connection.execute(sa.text("set local enable_nestloop = off"))


@contextmanager
def ente_lock(engine: sa.Engine, *enti: str) -> Iterator[None]:
    """Holds the work of one ente or several for this caller: another process (or thread) asking for one of them waits.

    Two runs of one ente at once would do the same work twice; under this lock the second finds it done. Several are taken
    in the order of their names, so that no two callers wait for each other.
    """
    with _held(engine, *(f"pcc work {ente}" for ente in sorted(set(enti)))):
        yield


@contextmanager
def run_lock(engine: sa.Engine, run_id: str) -> Iterator[None]:
    """Holds the sign that somebody works on a run of Dagster: the server takes it back when that process, or its machine, is
    gone. Others ask by `is_worked_on`."""
    with _held(engine, f"pcc run {run_id}"):
        yield


def is_worked_on(engine: sa.Engine, run_id: str) -> bool:
    """Whether a process anywhere holds the `run_lock` of a run."""
    statement = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
    with engine.begin() as connection:
        return not connection.execute(statement, {"name": f"pcc run {run_id}"}).scalar_one()


@contextmanager
def _held(engine: sa.Engine, *names: str) -> Iterator[None]:
    """Locks of one session, until the end of the block or of the process."""
    held: list[dict[str, str]] = []
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # A machine that is gone says nothing: the server asks it, and frees its locks within a minute. No use over a socket.
        for setting, seconds in KEEPALIVE.items():
            connection.execute(sa.text(f"SET {setting} = {seconds}"))
        try:
            for name in names:
                connection.execute(sa.text("SELECT pg_advisory_lock(hashtextextended(:name, 0))"), {"name": name})
                held.append({"name": name})
            yield
        finally:
            for given in held:
                connection.execute(sa.text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), given)


def _embedded(settings: Settings, database: str) -> URL:
    server = make_url(embedded.url(settings.home)).set(drivername="postgresql+psycopg")
    url = server.set(database=database)
    if url.render_as_string() not in _made:
        create_database(server, database)
        _made.add(url.render_as_string())
    return url


_made: set[str] = set()


def create_database(server: URL, name: str, template: str | None = None) -> None:
    """Makes a database on `server` unless it is there; with `template`, as a copy of that one."""
    admin = sa.create_engine(server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        # A session lock: CREATE DATABASE cannot run in a transaction.
        connection.execute(sa.text("SELECT pg_advisory_lock(hashtextextended('pcc create', 0))"))
        known = connection.execute(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
        if known.first() is None:
            suffix = f' TEMPLATE "{template}"' if template else ""
            connection.execute(sa.text(f'CREATE DATABASE "{name}"{suffix}'))
