"""Enti kept apart by PostgreSQL itself: row level security, one role for whoever reads at the desk.

The application asks for one ente in each of its queries; this is the second wall behind it. A connection of
`tenant` is that of a role that owns nothing, may only read, and sees the rows of one ente alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from pcc_pipeline.database.engine import lock
from pcc_pipeline.database.schema import SCHEMA, published

ROLE = "pcc_desk"
SETTING = "pcc.ente"

#: Register tables that an ente may read its own rows of.
READABLE = (
    "deliveries", "publications", "match_decisions", "operation_decisions", "approval_limits", "sent_operations", "answers",
)  # fmt: skip

#: All that makes a transaction the desk's, in one round trip; it ends with the transaction. A page reads few rows for one
#: of many people: helpers for one query would only take the processors from the others.
_RESTRICT = sa.text(
    f"SELECT set_config('{SETTING}', :ente, true), set_config('role', '{ROLE}', true), "
    "set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)"
)


def guard(engine: sa.Engine) -> None:
    """Makes the role and the policies where they are missing; costs a few queries when all is there.

    Needs the right to create a role (the embedded server's user has it); else an administrator makes
    `pcc_desk` beforehand. Raises sqlalchemy's ProgrammingError where neither holds.
    """
    with engine.begin() as connection, lock(connection, "row security"):
        known = connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": ROLE})
        if known.first() is None:
            _create_role(connection)
        connection.execute(sa.text(f"GRANT {ROLE} TO CURRENT_USER"))
        connection.execute(sa.text(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {ROLE}"))
        guarded = set(
            connection.execute(
                sa.text("SELECT tablename FROM pg_policies WHERE schemaname = :schema AND policyname = 'tenant'"),
                {"schema": SCHEMA},
            ).scalars()
        )
        for name in sorted({*readable()} - guarded):
            connection.execute(sa.text(f"ALTER TABLE {SCHEMA}.{name} ENABLE ROW LEVEL SECURITY"))
            connection.execute(
                sa.text(
                    f"CREATE POLICY tenant ON {SCHEMA}.{name} FOR SELECT TO {ROLE} "
                    f"USING (ente = current_setting('{SETTING}', true))"
                )
            )
            connection.execute(sa.text(f"GRANT SELECT ON {SCHEMA}.{name} TO {ROLE}"))


def readable() -> tuple[str, ...]:
    """Names of the tables that the desk's role may read, one ente at a time."""
    return (*(name for name, table in published().items() if "ente" in table.column_names), *READABLE)


@contextmanager
def tenant(engine: sa.Engine, ente: str) -> Iterator[sa.Connection]:
    """A read-only transaction that sees one ente's rows, and one state of them, whatever is asked."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection:
        connection.execute(_RESTRICT, {"ente": ente})
        yield connection


@contextmanager
def tenant_engine(engine: sa.Engine, ente: str) -> Iterator[sa.Engine]:
    """An engine all of whose connections are the role's and see one ente: for exports, which open their own."""
    options = f"-c role={ROLE} -c {SETTING}={ente} -c default_transaction_read_only=on"
    given = engine.url.query.get("options", ())
    before = [given] if isinstance(given, str) else list(given)
    url = engine.url.update_query_dict({"options": " ".join([*before, options])})
    restricted = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        yield restricted
    finally:
        restricted.dispose()


def _create_role(connection: sa.Connection) -> None:
    """Roles belong to the server: another database's desk may be making it at this moment."""
    try:
        with connection.begin_nested():
            connection.execute(sa.text(f"CREATE ROLE {ROLE} NOLOGIN"))
    except sa.exc.IntegrityError:
        pass
    except sa.exc.ProgrammingError as error:
        if "already exists" not in str(error):
            raise
