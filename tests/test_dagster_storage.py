"""What a run tells Dagster is all there in the end, in order, whenever it was written; what the end and a failure tell is there at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterEvent, DagsterEventType, DagsterInstance, EventLogEntry
from dagster._core.events import JobFailureData, StepMaterializationData
from dagster._core.execution.plan.objects import StepFailureData, StepSuccessData

from assets import storage
from assets.run import opened
from assets.storage import EventLog, told_later
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
