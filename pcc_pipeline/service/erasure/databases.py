"""Erases an ente from PostgreSQL: our tables, and Dagster's (`database.dagster_storage` knows them).

At the end the tables are written anew (VACUUM FULL), so that no dead row is left in the database's files, and its log is
cut off where that is allowed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from pcc_pipeline.database import dagster_storage
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import SCHEMA, columns_by_table
from pcc_pipeline.service.erasure.journal import Journal
from pcc_pipeline.service.erasure.traces import Traces
from pcc_pipeline.settings import Settings

log = logging.getLogger(__name__)

STRUCK = "erased"
#: Free texts in which people may have named the ente in another's rows: the name is struck out, the row stays.
FREE_TEXTS = {"support_tickets": ("subject",), "support_messages": ("words",), "support_mails": ("words",)}


@contextmanager
def databases(settings: Settings) -> Iterator[list[tuple[sa.Engine, str, str]]]:
    """(engine, schema, whose) of our tables and Dagster's."""
    with dagster_storage.opened(settings) as (dagster, schema):
        yield [(engine(settings), SCHEMA, "ours"), (dagster, schema, "dagster")]


def erase_ours(engine: sa.Engine, schema: str, journal: Journal) -> None:
    """Removes every row of our tables that is the ente's or names it."""
    traces = journal.traces
    rows = 0
    with engine.begin() as connection:
        for name, columns in columns_by_table(engine, schema).items():
            if name == "alembic_version":
                continue
            owned = [column for column in ("ente", "codice_ente") if column in columns]
            tests = [f'"{column}" = :ente' for column in owned]
            if "ente" not in columns:
                tests.append("given::text ~* :pattern")
            elif name != "deliveries":  # the provider's own rows that name it; another ente's row never does
                tests.append("(ente = '_provider' and given::text ~* :pattern)")
            statement = f'delete from "{schema}"."{name}" as given where {" or ".join(tests)}'
            given = {"ente": traces.ente, "pattern": traces.sql_pattern, "struck": STRUCK}
            rows += connection.execute(sa.text(statement), given).rowcount
            for column in FREE_TEXTS.get(name, ()):
                struck = f"regexp_replace({column}, :pattern, :struck, 'gi')"
                naming = f'update "{schema}"."{name}" set {column} = {struck} where {column} ~* :pattern'
                rows += connection.execute(sa.text(naming), given).rowcount
        journal.at_least("database", rows=rows)


def erase_dagster(engine: sa.Engine, schema: str, journal: Journal) -> list[str]:
    """Removes the ente from Dagster's storage; returns the runs that went whole, whose logs must go, too."""
    traces = journal.traces
    with dagster_storage.erasing(engine, schema, traces.ente, traces.sql_pattern, STRUCK) as (rows, whole):
        journal.at_least("dagster", rows=rows, runs=len(whole))
    return whole


def compact(engine: sa.Engine) -> bool:
    """Writes all tables anew, and their statistics, then cuts off the server's log of changes.

    False where the server does not allow the last (no superuser): its administrator's archives follow their own rules.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum full"))
        try:
            # Statistics keep frequent values, and those of a table that became empty stay as they were.
            connection.execute(sa.text("delete from pg_catalog.pg_statistic"))
            connection.execute(sa.text("analyze"))
            connection.execute(sa.text("vacuum full pg_catalog.pg_statistic"))
            connection.execute(sa.text("alter system set wal_recycle = off"))
            connection.execute(sa.text("select pg_reload_conf()"))
            for _ in range(3):
                connection.execute(sa.text("checkpoint"))
                connection.execute(sa.text("select pg_switch_wal()"))
            connection.execute(sa.text("checkpoint"))
        except sa.exc.DBAPIError as error:
            log.warning("The server's log of changes was not cut off: %s", error.orig)
            return False
    return True


def found(engine: sa.Engine, schema: str, traces: Traces) -> list[str]:
    """Tables and columns in which a row still names the ente (never the text itself)."""
    left = []
    with engine.connect() as connection:
        for name in columns_by_table(engine, schema):
            query = f'select count(*) from "{schema}"."{name}" as given where given::text ~* :pattern'
            count = connection.execute(sa.text(query), {"pattern": traces.sql_pattern}).scalar_one()
            if count:
                left.append(f"{schema}.{name}: {count} rows")
    return left
