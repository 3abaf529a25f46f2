"""Dagster's own PostgreSQL storage, told of a run's many small events together and over connections that stay open.

Dagster opens its storage anew for each look of a sensor, with new connections, and asks what tables there are before each
question to its schedules: a service that did nothing took a third of a core with it.

A run of one ente tells of some six hundred things, most of them outputs and checks. Dagster writes each by itself, with
questions whose answer never changes, and in a worker over a new connection each time: more than half of a small run's time.
A run that reports itself (`partitions`) is told of later still (`told_later`): its ente's readers do not wait for its events.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from dagster import AssetKey, DagsterEventType, EventLogEntry
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.event_log import SqlEventLogStorageTable
from dagster._core.storage.event_log.base import AssetRecord
from dagster._serdes import ConfigurableClassData
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy.engine import Connection

from pcc_pipeline.forks import OfProcess

#: What is told in the middle of a step, and always followed by the step's end: it may wait for it.
WAIT = frozenset({
    DagsterEventType.STEP_INPUT,
    DagsterEventType.STEP_OUTPUT,
    DagsterEventType.LOADED_INPUT,
    DagsterEventType.HANDLED_OUTPUT,
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_CHECK_EVALUATION,
})  # fmt: skip
#: What else may wait in a run that is told of later.
LATER = WAIT | {DagsterEventType.STEP_START, DagsterEventType.STEP_SUCCESS, DagsterEventType.ENGINE_EVENT}
#: As many events wait at most, and so many seconds; so many seconds an ente is known to be a partition, without asking again.
TOGETHER, LATEST, KNOWN = 1000, 10.0, 10.0
#: Connections that a process holds, seconds after which one is opened anew, and how many more there may be for a moment.
POOL: Mapping[str, int] = {"pool_size": 5, "pool_recycle": 3600, "max_overflow": 20}
#: Databases whose connections a process holds; tests use many.
KEPT = 2

#: Runs of this process that are told of later.
_LATER: set[str] = set()


@contextmanager
def told_later(run_id: str) -> Iterator[None]:
    """Within the block the events of that run, which this process works on, are written some seconds late. Those of its end
    and of a failure are not. No record of an asset is read meanwhile: the run notes no versions of what it reads."""
    _LATER.add(run_id)
    try:
        yield
    finally:
        _LATER.discard(run_id)


class _Database:
    """Connections to a database of Dagster's, and what is true of it and stays so: what its tables are."""

    def __init__(self, url: str) -> None:
        self.true: set[tuple[str, ...]] = set()
        self.engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", **POOL)
        # Behind a new connection there may be a server begun anew.
        sa.event.listen(self.engine, "connect", lambda *_: self.true.clear())


_databases: OfProcess[_Database] = OfProcess()


def _database(url: str) -> _Database:
    """The one of this process for an address; there is a connection to it that answers."""
    with _databases.guard:
        found = _databases.pop(url, None) or _Database(url)
        for known in [*_databases][: -(KEPT - 1)]:
            _databases.pop(known).engine.dispose()
        _databases[url] = found
    try:
        with found.engine.connect() as connection:
            connection.exec_driver_sql("select 1")
    except sa.exc.DBAPIError:  # the server began anew; its connections are given up with this
        with found.engine.connect():
            pass
    return found


def _lasting(question: Callable[..., bool]) -> Callable[..., bool]:
    """A question to a storage whose answer yes stands: it is asked until then."""

    def asked(self: _Open, *about: Any) -> bool:
        key = (type(self).__name__, question.__name__, *(what for what in about if isinstance(what, str)))
        if key in self.true:
            return True
        if found := question(self, *about):
            self.true.add(key)
        return found

    return asked


class _Open:
    """A storage whose connections stay open, whoever opens it, and which is asked what does not change once."""

    @cached_property
    def true(self) -> set[tuple[str, ...]]:
        """What is known to be true of the database."""
        return set()

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Any:
        """The storage that dagster.yaml describes."""
        url = pg_url_from_config(config_value)
        database = _database(url)
        there = (cls.__name__, "made")
        made: Any = cls(url, should_autocreate_tables=there not in database.true, inst_data=inst_data)  # type: ignore[call-arg]
        database.true.add(there)
        made._engine, made.true = database.engine, database.true
        return made


class RunStorage(_Open, PostgresRunStorage):
    """Runs in PostgreSQL."""

    has_built_index = _lasting(PostgresRunStorage.has_built_index)
    has_run_stats_index_cols = _lasting(PostgresRunStorage.has_run_stats_index_cols)
    has_bulk_actions_selector_cols = _lasting(PostgresRunStorage.has_bulk_actions_selector_cols)


class ScheduleStorage(_Open, PostgresScheduleStorage):
    """Sensors, schedules and their looks in PostgreSQL."""

    _has_instigators_table = _lasting(PostgresScheduleStorage._has_instigators_table)
    _has_asset_daemon_asset_evaluations_table = _lasting(PostgresScheduleStorage._has_asset_daemon_asset_evaluations_table)
    has_secondary_index_table = _lasting(PostgresScheduleStorage.has_secondary_index_table)
    has_built_index = _lasting(PostgresScheduleStorage.has_built_index)


class EventLog(_Open, PostgresEventLogStorage):
    """Events in PostgreSQL; those in the middle of a step are written together, at its end or when many wait."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self._inside = threading.local()
        self._partitions: dict[tuple[str, str], float] = {}
        self._waiting: list[EventLogEntry] = []
        self._lock = threading.RLock()
        super().__init__(*given, **named)

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        held = getattr(self._inside, "connection", None)
        if held is not None:
            yield held
            return
        with super()._connect() as connection:
            yield connection

    has_table = _lasting(PostgresEventLogStorage.has_table)
    has_secondary_index = _lasting(PostgresEventLogStorage.has_secondary_index)
    has_asset_key_col = _lasting(PostgresEventLogStorage.has_asset_key_col)

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether an ente is a partition; for some seconds the answer yes stands."""
        asked = (partitions_def_name, partition_key)
        if time.monotonic() - self._partitions.get(asked, -KNOWN) < KNOWN:
            return True
        if found := super().has_dynamic_partition(partitions_def_name, partition_key):
            self._partitions[asked] = time.monotonic()
        return found

    def get_asset_records(self, asset_keys: Sequence[AssetKey] | None = None) -> Sequence[AssetRecord]:
        """What is known of assets; nothing within `told_later`."""
        return [] if _LATER else super().get_asset_records(asset_keys)

    def store_event(self, event: EventLogEntry) -> None:
        """Writes an event with those that wait for it, or has it wait."""
        with self._lock:
            self._waiting.append(event)
            waits = event.dagster_event_type in (LATER if event.run_id in _LATER else WAIT)
            late = event.timestamp - self._waiting[0].timestamp > LATEST
            if not waits or late or len(self._waiting) >= TOGETHER:
                self._write()

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Writes events of one asset together; of a run that is told of later they wait with all others."""
        if all(event.run_id in _LATER and event.dagster_event_type in LATER for event in events):
            for event in events:
                self.store_event(event)
        else:
            super().store_event_batch(events)

    def dispose(self) -> None:
        """Writes what waits, and ends."""
        with self._lock:
            self._write()
        super().dispose()

    def _write(self) -> None:
        """Writes what waits. After an error it waits on: nothing of it was written, or its rows stand and lack their index."""
        if not self._waiting:
            return
        with self._connect() as connection:
            self._inside.connection = connection
            try:
                self._write_over(connection)
            finally:
                del self._inside.connection

    def _write_over(self, connection: Connection) -> None:
        events = self._waiting
        statement = self.prepare_insert_event_batch(events)
        numbers = [int(row[0]) for row in connection.execute(statement.returning(SqlEventLogStorageTable.c.id)).fetchall()]
        self._waiting = []
        told = [(event, number) for event, number in zip(events, numbers, strict=True) if event.is_dagster_event]
        assets = [
            (event, number)
            for event, number in told
            if event.dagster_event_type in ASSET_EVENTS and event.get_dagster_event().asset_key
        ]
        if assets:
            # An asset's own row keeps the last of each kind of event.
            last = {
                (event.get_dagster_event().asset_key, event.dagster_event_type): (event, number) for event, number in assets
            }
            with self.index_transaction() as transaction:
                self._store_asset_event_tags(transaction, *zip(*assets, strict=True))
                for event, number in sorted(last.values(), key=lambda known: known[1]):
                    self._store_asset_event(transaction, event, number)
        for event, number in told:
            if event.dagster_event_type in ASSET_CHECK_EVENTS:
                self.store_asset_check_event(event, number)
