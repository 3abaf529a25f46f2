"""What a run tells Dagster is all there in the end, in order, whenever it was written; what the end and a failure tell is there at once."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from dagster import AssetKey, AssetMaterialization, DagsterEvent, DagsterEventType, DagsterInstance, EventLogEntry
from dagster._core.events import JobFailureData, StepMaterializationData
from dagster._core.execution.plan.objects import StepFailureData, StepSuccessData

from assets import storage
from assets.run import opened
from assets.storage import EventLog, told_later
from pcc_pipeline.database import embedded
from pcc_pipeline.database import engine as database
from pcc_pipeline.database.engine import dispose
from pcc_pipeline.settings import Settings

MADE, STEP_ENDS = DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.STEP_SUCCESS
RUN = "run"


@pytest.fixture
def instance(settings: Settings) -> Iterator[DagsterInstance]:
    with opened(settings) as found:
        yield found


def _event(kind: DagsterEventType, name: str = "") -> EventLogEntry:
    data = {
        MADE: lambda: StepMaterializationData(AssetMaterialization(AssetKey(name), partition="alfa")),
        STEP_ENDS: lambda: StepSuccessData(1.0),
        DagsterEventType.STEP_FAILURE: lambda: StepFailureData(None, None),
        DagsterEventType.RUN_FAILURE: lambda: JobFailureData(None),
    }.get(kind, lambda: None)()
    told = DagsterEvent(kind.value, "reconcile_ente", event_specific_data=data, message=name)
    return EventLogEntry(None, 10, "", RUN, time.time(), dagster_event=told)


def _written(settings: Settings) -> Sequence[str]:
    """What another process reads of the run."""
    with opened(settings) as other:
        events = [entry.get_dagster_event() for entry in other.all_logs(RUN)]
    return [f"{event.event_type_value} {event.message or ''}".strip() for event in events]


def test_events_of_a_step_are_written_with_its_end(settings: Settings, instance: DagsterInstance) -> None:
    log = instance.event_log_storage
    assert isinstance(log, EventLog)
    for name in ("one", "two"):
        log.store_event(_event(MADE, name))
    assert _written(settings) == []
    log.store_event(_event(STEP_ENDS))
    assert _written(settings) == ["ASSET_MATERIALIZATION one", "ASSET_MATERIALIZATION two", "STEP_SUCCESS"]
    assert {record.asset_entry.asset_key.to_user_string() for record in log.get_asset_records()} >= {"one", "two"}


@pytest.mark.parametrize("last", [DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE, DagsterEventType.STEP_FAILURE])
def test_a_run_told_later_is_whole_once_it_ends_or_fails(
    settings: Settings, instance: DagsterInstance, last: DagsterEventType
) -> None:
    log = instance.event_log_storage
    with told_later(RUN):
        log.store_event(_event(MADE, "one"))
        log.store_event(_event(STEP_ENDS))
        assert _written(settings) == []
        log.store_event(_event(last))
        assert _written(settings) == ["ASSET_MATERIALIZATION one", "STEP_SUCCESS", last.value]
    assert [record.asset_entry.asset_key for record in log.get_asset_records([AssetKey("one")])] == [AssetKey("one")]


def test_a_long_run_told_later_is_told_within_seconds(
    settings: Settings, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "LATEST", 0.05)
    log = instance.event_log_storage
    with told_later(RUN):
        log.store_event(_event(MADE, "one"))
        time.sleep(0.1)
        log.store_event(_event(STEP_ENDS))
        assert len(_written(settings)) == 2


def _connection(instance: Any) -> set[int]:
    """The processes of the server that answer each storage of an instance."""
    found = set()
    for connect in (
        instance.run_storage.connect,
        instance.event_log_storage.index_connection,
        instance.schedule_storage.connect,
    ):
        with connect() as connection:
            found.add(connection.exec_driver_sql("select pg_backend_pid()").scalar_one())
    return found


def test_storage_opened_again_asks_over_the_same_connection_and_nothing_twice(settings: Settings) -> None:
    with opened(settings) as first, opened(settings) as second:
        assert _connection(first) == _connection(second)
        assert len(_connection(first)) == 1
        first.all_instigator_state()
        asked: list[str] = []
        runs: Any = second.run_storage
        sa.event.listen(runs._engine, "before_cursor_execute", lambda *what: asked.append(what[2]))
        with opened(settings) as third:
            third.all_instigator_state()
            third.get_runs()
        assert [statement for statement in asked if "pg_catalog" in statement or "secondary_indexes" in statement] == []


def test_a_database_begun_anew_at_the_same_address_gets_its_tables(server_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.at(server_home)
    for _ in range(2):
        monkeypatch.setattr(database, "_made", set())  # another process makes it
        with opened(settings) as instance:
            assert (instance.get_runs(), instance.all_instigator_state()) == ([], [])
            instance.add_dynamic_partitions("enti", ["alfa"])
            assert instance.get_dynamic_partitions("enti") == ["alfa"]
        dispose(settings)
        embedded.stop(settings.home)
        shutil.rmtree(settings.home / "postgres")


def test_a_server_that_began_anew_is_asked_again(server_home: Path) -> None:
    settings = Settings.at(server_home)
    with opened(settings) as instance:
        instance.add_dynamic_partitions("enti", ["alfa"])
    embedded.stop(settings.home)
    with opened(settings) as instance:
        assert instance.get_dynamic_partitions("enti") == ["alfa"]
