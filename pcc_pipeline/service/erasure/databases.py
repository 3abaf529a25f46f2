"""Erases an ente from PostgreSQL: our tables, and Dagster's runs, events, partitions and ticks.

A run of this ente alone goes whole. A run of several enti stays for the others: its events about this ente go, and
where a text names it beside others the name is struck out. At the end the tables are written anew (VACUUM FULL), so
that no dead row is left in the database's files, and its log is cut off where that is allowed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.engine import DAGSTER, dagster_url, engine
from pcc_pipeline.database.schema import SCHEMA
from pcc_pipeline.service.erasure.journal import Journal
from pcc_pipeline.service.erasure.traces import Traces
from pcc_pipeline.settings import Settings

log = logging.getLogger(__name__)

STRUCK = "erased"
#: Event types that tell of one partition each: about this ente, they go.
_EVENTS_OF_ONE = ("ASSET_MATERIALIZATION", "ASSET_MATERIALIZATION_PLANNED", "ASSET_OBSERVATION", "ASSET_CHECK_EVALUATION",
                  "ASSET_CHECK_EVALUATION_PLANNED", "ASSET_FAILED_TO_MATERIALIZE")  # fmt: skip


@contextmanager
def databases(settings: Settings) -> Iterator[list[tuple[sa.Engine, str, str]]]:
    """(engine, schema, whose) of our tables and Dagster's."""
    ours = engine(settings)
    url = sa.make_url(dagster_url(settings)).set(drivername="postgresql+psycopg")
    dagster = sa.create_engine(url, poolclass=sa.NullPool)
    schema = "public" if settings.database_url is None else DAGSTER
    try:
        yield [(ours, SCHEMA, "ours"), (dagster, schema, "dagster")]
    finally:
        dagster.dispose()


def tables(engine: sa.Engine, schema: str) -> dict[str, list[str]]:
    """Columns by table of a schema."""
    inspected = sa.inspect(engine)
    return {
        name: [column["name"] for column in inspected.get_columns(name, schema)] for name in inspected.get_table_names(schema)
    }


def erase_ours(engine: sa.Engine, schema: str, journal: Journal) -> None:
    """Removes every row of our tables that is the ente's or names it."""
    traces = journal.traces
    rows = 0
    with engine.begin() as connection:
        for name, columns in tables(engine, schema).items():
            if name == "alembic_version":
                continue
            owned = [column for column in ("ente", "codice_ente") if column in columns]
            tests = [f'"{column}" = :ente' for column in owned]
            if "ente" not in columns:
                tests.append("given::text ~* :pattern")
            elif name != "deliveries":  # the provider's own rows that name it; another ente's row never does
                tests.append("(ente = '_provider' and given::text ~* :pattern)")
            statement = f'delete from "{schema}"."{name}" as given where {" or ".join(tests)}'
            rows += connection.execute(sa.text(statement), {"ente": traces.ente, "pattern": traces.sql_pattern}).rowcount
    journal.add("database", rows=rows)


def erase_dagster(engine: sa.Engine, schema: str, journal: Journal) -> list[str]:
    """Removes the ente from Dagster's storage; returns the runs that went whole, whose logs must go, too."""
    found = tables(engine, schema)
    if "runs" not in found:
        return []
    values = {
        "ente": journal.traces.ente,
        "tag": f"pcc.ente/{journal.traces.ente}",
        "pattern": journal.traces.sql_pattern,
    }
    rows = 0
    with engine.begin() as connection:
        connection.execute(sa.text(f'set local search_path to "{schema}"'))

        def run(statement: str, **more: object) -> sa.CursorResult[Any]:
            return connection.execute(sa.text(statement), {**values, **more})

        whole = list(run(
            "select run_id from run_tags group by run_id having "
            "(bool_or(key = :tag) or bool_or(key = 'dagster/partition' and value = :ente) "
            "or bool_or(key = 'dagster/asset_partition_range_start' and value = :ente)) "
            "and not bool_or(key like 'pcc.ente/%' and key <> :tag) "
            "and not bool_or(key like 'dagster/asset_partition_range_%' and value <> :ente)"
        ).scalars())  # fmt: skip
        events = "select id from event_logs where run_id = any(:runs)"
        rows += run(f"delete from asset_event_tags where event_id in ({events})", runs=whole).rowcount
        for name in ("event_logs", "asset_check_executions", "run_tags", "runs"):
            rows += run(f"delete from {name} where run_id = any(:runs)", runs=whole).rowcount
        about = (
            "select id from event_logs where partition = :ente or (event ~* :pattern and "
            "(dagster_event_type is null or dagster_event_type = any(:types)))"
        )
        types = list(_EVENTS_OF_ONE)
        rows += run(f"delete from asset_event_tags where value = :ente or event_id in ({about})", types=types).rowcount
        rows += run(f"delete from event_logs where id in ({about})", types=types).rowcount
        rows += run("delete from asset_check_executions where partition = :ente").rowcount
        rows += run("delete from dynamic_partitions where partition = :ente").rowcount
        rows += run("delete from run_tags where key = :tag").rowcount
        run("update asset_keys set cached_status_data = null")
        run(
            "update asset_keys set last_materialization = (select event from event_logs where "
            "event_logs.asset_key = asset_keys.asset_key and dagster_event_type = 'ASSET_MATERIALIZATION' "
            "order by id desc limit 1) where last_materialization ~* :pattern"
        )
        for name, columns in found.items():
            kinds = {c["name"]: c["type"] for c in sa.inspect(engine).get_columns(name, schema)}
            for column in columns:
                if isinstance(kinds[column], sa.types.String):
                    rows += run(
                        f'update "{name}" set "{column}" = regexp_replace("{column}", :pattern, :struck, \'gi\') '
                        f'where "{column}" ~* :pattern',
                        struck=STRUCK,
                    ).rowcount
    journal.add("dagster", rows=rows, runs=len(whole))
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
        for name in tables(engine, schema):
            query = f'select count(*) from "{schema}"."{name}" as given where given::text ~* :pattern'
            count = connection.execute(sa.text(query), {"pattern": traces.sql_pattern}).scalar_one()
            if count:
                left.append(f"{schema}.{name}: {count} rows")
    return left
