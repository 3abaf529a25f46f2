"""The desk's connections: signed in as a role of its own, each in a scope that the database checks (`wall`).

The application asks for one ente in each of its queries; the wall behind it holds where a query forgets. A connection of
`tenant` may only read, and sees the rows of one ente alone; `tenant_engine` gives connections for work that opens its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from pcc_pipeline.database import engine as owner
from pcc_pipeline.settings import Settings
from portal import wall

ROLE = "pcc_desk"

#: Connections that a process keeps for pages, and how many more it may open for a moment: the desk has forty threads, each
#: of which may need two at once. Those for accounts are short.
PAGES, MORE_PAGES = 20, 40
KEPT, MORE = 5, 15

#: All that makes a transaction one ente's, in one round trip; it ends with the transaction. A page reads few rows for one
#: of many people: helpers for one query would only take the processors from the others.
_RESTRICT = sa.text(
    f"SELECT set_config('{wall.SCOPE}', :scope, true), set_config('{wall.TICKET}', :ticket, true), "
    "set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)"
)


def desk_url(settings: Settings) -> URL:
    """Where and as whom the desk signs in: PCC_DESK_DATABASE_URL, else the tables' own address as the role `pcc_desk`."""
    if settings.desk_database_url is not None:
        return make_url(settings.desk_database_url).set(drivername="postgresql+psycopg")
    address = owner.database_url(settings)
    return URL.create(
        address.drivername, ROLE, None, address.host, address.port, address.database, address.query
    )  # without the owner's password: the desk's own comes from PGPASSWORD, .pgpass or a certificate


class DeskDatabase:
    """The desk's side of the database; nothing is opened before it is asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = Lock()
        self._key: bytes | None = None
        self._engines: dict[str, sa.Engine] = {}

    def open(self) -> None:
        """Builds the wall as the owner of the tables, then lets go of the owner's connections; costs nothing again.

        Raises what `wall.build` does, and OperationalError where the desk's role cannot sign in.
        """
        with self._lock:
            if self._key is not None:
                return
            url, owning = desk_url(self.settings), owner.engine(self.settings)
            if not url.username:
                raise wall.UnsafeRole("PCC_DESK_DATABASE_URL names no role")
            key = wall.build(owning, url.username)
            owning.dispose()
            self._engines = {
                "pages": sa.create_engine(url, pool_pre_ping=True, pool_size=PAGES, max_overflow=MORE_PAGES),
                "accounts": sa.create_engine(
                    _in_scope(url, key, wall.ACCOUNTS_SCOPE), pool_pre_ping=True, pool_size=KEPT, max_overflow=MORE
                ),
                "letters": sa.create_engine(
                    _in_scope(url, key, wall.PROVIDER_SCOPE), pool_pre_ping=True, pool_size=1, max_overflow=MORE
                ),
                "support": sa.create_engine(
                    _in_scope(url, key, wall.SUPPORT_SCOPE), pool_pre_ping=True, pool_size=KEPT, max_overflow=MORE
                ),
            }
            self._key = key

    @property
    def accounts(self) -> sa.Engine:
        """Connections for accounts, sessions, tokens and the log: they see no ente's rows."""
        self.open()
        return self._engines["accounts"]

    @property
    def support(self) -> sa.Engine:
        """Connections for the support desk of all enti: for the provider's people alone, which the caller has made sure of."""
        self.open()
        return self._engines["support"]

    @property
    def letters(self) -> sa.Engine:
        """Connections for the letters to all enti: for the provider's people alone, which the caller has made sure of."""
        self.open()
        return self._engines["letters"]

    @contextmanager
    def tenant(self, ente: str) -> Iterator[sa.Connection]:
        """A read-only transaction that sees one ente's rows, and one state of them, whatever is asked."""
        with self._reading(wall.ente_scope(ente)) as connection:
            yield connection

    @contextmanager
    def provider(self) -> Iterator[sa.Connection]:
        """The same for the overview of all enti: for the provider's people alone, which the caller has made sure of."""
        with self._reading(wall.PROVIDER_SCOPE) as connection:
            yield connection

    @contextmanager
    def tenant_engine(self, ente: str) -> Iterator[sa.Engine]:
        """An engine whose connections all see one ente, and add decisions of that ente alone: for what opens its own."""
        self.open()
        assert self._key is not None
        restricted = sa.create_engine(_in_scope(desk_url(self.settings), self._key, wall.ente_scope(ente)))
        try:
            yield restricted
        finally:
            restricted.dispose()

    def close(self) -> None:
        """Closes the connections; the next use opens them anew."""
        with self._lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines, self._key = {}, None

    @contextmanager
    def _reading(self, scope: str) -> Iterator[sa.Connection]:
        self.open()
        assert self._key is not None
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._engines["pages"].connect().execution_options(**options) as connection:
            connection.execute(_RESTRICT, {"scope": scope, "ticket": wall.ticket(self._key, scope)})
            yield connection


def _in_scope(url: URL, key: bytes, scope: str) -> URL:
    """The address with a scope for all of a connection's life."""
    options = f"-c {wall.SCOPE}={scope} -c {wall.TICKET}={wall.ticket(key, scope)}"
    given = url.query.get("options", ())
    before = [given] if isinstance(given, str) else list(given)
    return url.update_query_dict({"options": " ".join([*before, options])})
