"""What the core knows of Dagster's own tables and tags: which runs of an ente are under way, and how an ente leaves them.

Dagster has no call for either: its storage knows partitions, not the ente in an event's text. What is said of its tables
holds for the release that pyproject.toml pins. Where they are kept is in `dagster_home`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.engine import DAGSTER, dagster_url
from pcc_pipeline.database.schema import columns_by_table
from pcc_pipeline.settings import Settings

#: Prefix of the tags that name a run's enti, one a tag; the value is the fingerprint of what is to be done.
ENTE_TAG = "pcc.ente/"
#: Prefix of the tags that name the enti for which a run failed; the value is the reason.
FAILED_TAG = "pcc.failed/"

#: Dagster's own tags that name a run's partition, or a contiguous range of them.
PARTITION = "dagster/partition"
RANGE = "dagster/asset_partition_range_"
RANGE_START, RANGE_END = f"{RANGE}start", f"{RANGE}end"

_UNFINISHED = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")
#: Event types that tell of one partition each: about this ente, they go.
_EVENTS_OF_ONE = ("ASSET_MATERIALIZATION", "ASSET_MATERIALIZATION_PLANNED", "ASSET_OBSERVATION", "ASSET_CHECK_EVALUATION",
                  "ASSET_CHECK_EVALUATION_PLANNED", "ASSET_FAILED_TO_MATERIALIZE")  # fmt: skip


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[sa.Engine, str]]:
    """The engine of Dagster's storage and the schema of its tables."""
    url = sa.make_url(dagster_url(settings)).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        yield engine, "public" if settings.database_url is None else DAGSTER
    finally:
        engine.dispose()


def under_way(settings: Settings, ente: str) -> int:
    """How many runs of an ente have not ended."""
    query = (
        "select count(*) from runs join run_tags using (run_id) where status = any(:unfinished) "
        f"and (key = :tag or (key = '{PARTITION}' and value = :ente))"
    )
    with opened(settings) as (engine, schema):
        if "runs" not in columns_by_table(engine, schema):
            return 0
        with engine.connect() as connection:
            connection.execute(sa.text(f'set search_path to "{schema}"'))
            given = {"tag": ENTE_TAG + ente, "ente": ente, "unfinished": list(_UNFINISHED)}
            return int(connection.execute(sa.text(query), given).scalar_one())


def forget_taken_messages(settings: Settings) -> int:
    """Removes the messages to workers that were taken long ago, which a broker in the database keeps; returns how many."""
    with opened(settings) as (engine, schema):
        if "kombu_message" not in columns_by_table(engine, schema):
            return 0
        with engine.begin() as connection:
            statement = f"delete from \"{schema}\".kombu_message where not visible and timestamp < now() - interval '2 days'"
            return connection.execute(sa.text(statement)).rowcount


def definitions(engine: sa.Engine, schema: str) -> Iterator[bytes]:
    """The texts of the definitions that Dagster keeps, which it compresses."""
    if "snapshots" not in columns_by_table(engine, schema):
        return
    with engine.connect() as connection:
        for body in connection.execute(sa.text(f'select snapshot_body from "{schema}".snapshots')).scalars():
            yield zlib.decompress(bytes(body))


@contextmanager
def erasing(engine: sa.Engine, schema: str, ente: str, pattern: str, struck: str) -> Iterator[tuple[int, list[str]]]:
    """Removes an ente from runs, events, partitions and ticks; gives the rows changed and the runs that go whole, before
    their transaction ends.

    A run of this ente alone goes whole. A run of several enti stays for the others: its events about this ente go, and
    where a text names it (`pattern`, as PostgreSQL writes it) beside others, `struck` stands in its place.
    """
    found = columns_by_table(engine, schema)
    if "runs" not in found:
        yield 0, []
        return
    values = {"ente": ente, "tag": ENTE_TAG + ente, "pattern": pattern, "tags": f"{ENTE_TAG}%", "ranges": f"{RANGE}%"}
    rows = 0
    with engine.begin() as connection:
        connection.execute(sa.text(f'set local search_path to "{schema}"'))

        def run(statement: str, **more: object) -> sa.CursorResult[Any]:
            return connection.execute(sa.text(statement), {**values, **more})

        whole = list(run(
            "select run_id from run_tags group by run_id having "
            f"(bool_or(key = :tag) or bool_or(key = '{PARTITION}' and value = :ente) "
            f"or bool_or(key = '{RANGE_START}' and value = :ente)) "
            "and not bool_or(key like :tags and key <> :tag) "
            "and not bool_or(key like :ranges and value <> :ente)"
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
        rows += run("delete from run_tags where key in (:tag, :failed)", failed=FAILED_TAG + ente).rowcount
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
                        struck=struck,
                    ).rowcount
        yield rows, whole
