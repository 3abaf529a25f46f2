"""The inbox sensor: nothing lost, nothing twice, nothing for ever, many enti in few runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from dagster import DagsterInstance, DagsterRunStatus, SensorResult, SkipReason, build_sensor_context
from dagster._core.test_utils import create_run_for_test
from hypothesis import given
from hypothesis import strategies as st

from pcc_pipeline.arrival import work
from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.work import ATTEMPTS, BATCH, RUNS_OF_ONE, Attempts, portions, quiet, split, to_do, unpublished
from pcc_pipeline.connector.connect import connect
from pcc_pipeline.connector.sources import load_sources
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.database.register import Outcome, Register
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings
from sensors.connections import connections
from sensors.inbox import inbox


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(autouse=True)
def _installed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)


def drop(settings: Settings, ente: str, text: str = "x") -> Path:
    folder = settings.inbox / ente / "erp_invoices"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{len(list(folder.iterdir()))}.csv"
    file.write_text(text)
    return file


def look(instance: DagsterInstance, cursor: str | None = None) -> SensorResult | SkipReason:
    resources = {"installation": Installation.from_environment()}
    context = build_sensor_context(instance=instance, cursor=cursor, resources=resources)
    found = inbox(context)
    assert isinstance(found, SensorResult | SkipReason)
    return found


def started(instance: DagsterInstance, found: object, status: DagsterRunStatus) -> None:
    """Does what the daemon does: adds the partitions, makes the runs."""
    assert isinstance(found, SensorResult)
    for request in found.dynamic_partitions_requests or []:
        instance.add_dynamic_partitions("enti", list(request.partition_keys))
    for request in found.run_requests or []:
        create_run_for_test(instance, job_name=request.job_name, tags=dict(request.tags), status=status)


def test_a_quiet_inbox_costs_one_query_and_opens_no_file(
    instance: DagsterInstance, installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(instance)
    drop(settings, "alfa").rename(settings.inbox / "alfa" / "erp_invoices" / "unfinished.csv.part")
    queries: list[str] = []
    sa.event.listen(installation.engine, "after_cursor_execute", lambda *said: queries.append(said[2]))
    with monkeypatch.context() as patch:
        for opener in ("io.open", "builtins.open"):  # pathlib opens with the first
            patch.setattr(opener, lambda *asked, **how: pytest.fail(f"opened {asked[0]}"))
        assert to_do(installation, sweep=False) == {}
    assert len(queries) == 1
    assert isinstance(look(instance), SkipReason)


def test_a_few_enti_get_a_run_each_and_their_partition(instance: DagsterInstance, settings: Settings) -> None:
    for ente in ("alfa", "beta"):
        drop(settings, ente)
    found = look(instance)
    assert isinstance(found, SensorResult) and found.run_requests and found.dynamic_partitions_requests
    assert [request.tags["dagster/partition"] for request in found.run_requests] == ["alfa", "beta"]
    assert list(found.dynamic_partitions_requests[0].partition_keys) == ["alfa", "beta"]
    assert found.run_requests[0].run_config["resources"]["asked"]["config"]["enti"] == ["alfa"]


def test_many_enti_share_runs(instance: DagsterInstance, settings: Settings) -> None:
    for number in range(RUNS_OF_ONE + 2):
        drop(settings, f"ente_{number}")
    found = look(instance)
    assert isinstance(found, SensorResult) and found.run_requests
    asked = [request.run_config["resources"]["asked"]["config"]["enti"] for request in found.run_requests]
    assert asked == [["ente_0", "ente_1", "ente_2"], ["ente_3", "ente_4", "ente_5"]], "a run for each worker"
    assert {f"pcc.ente/ente_{n}" for n in range(3)} <= set(found.run_requests[0].tags)


def test_no_second_run_while_one_is_under_way(instance: DagsterInstance, settings: Settings) -> None:
    drop(settings, "alfa")
    started(instance, look(instance), DagsterRunStatus.STARTED)
    drop(settings, "alfa", "more")
    drop(settings, "beta")
    found = look(instance)
    assert isinstance(found, SensorResult) and found.run_requests
    assert [request.tags["dagster/partition"] for request in found.run_requests] == ["beta"]


def test_files_delivered_together_are_read_together(installation: Installation, settings: Settings) -> None:
    waits = Installation(replace(settings, quiet_seconds=60), installation.engine)
    file = drop(settings, "alfa")
    assert set(to_do(installation, sweep=False)) == {"alfa"}
    assert to_do(waits, sweep=False) == {}
    now = file.stat().st_ctime
    assert not quiet(waits.settings, "alfa", now + 59)
    assert quiet(waits.settings, "alfa", now + 61)
    with patch.object(work.time, "time", lambda: now + 59.5), patch.object(work.time, "sleep") as slept:
        assert "alfa" not in to_do(waits, sweep=False, patience=0.3) and not slept.called
        to_do(waits, sweep=False, patience=0.7)  # soon enough: it is waited for
        assert slept.called and 0 < slept.call_args.args[0] <= 0.71
    (file.parent / "second.csv.part").write_text("begun")
    assert not quiet(waits.settings, "alfa", now + 59)
    # An inbox that is never quiet is read all the same, and another ente's does not wait for it.
    assert quiet(waits.settings, "beta", now)
    shown = patch.object(work, "_changed", lambda path: now if path.is_dir() else now - 60 * work.LONGEST_UNQUIET)
    with shown:
        assert quiet(waits.settings, "alfa", now + 1)


def test_looking_twice_asks_for_the_same_run(instance: DagsterInstance, settings: Settings) -> None:
    drop(settings, "alfa")
    keys = [found.run_requests[0].run_key for found in (look(instance), look(instance))]  # type: ignore[union-attr,index]
    assert keys[0] == keys[1]


def test_failed_work_is_tried_again_twice_then_left(instance: DagsterInstance, settings: Settings) -> None:
    drop(settings, "alfa")
    keys = set()
    for _ in range(ATTEMPTS):
        found = look(instance)
        assert isinstance(found, SensorResult) and found.run_requests
        keys.add(found.run_requests[0].run_key)
        started(instance, found, DagsterRunStatus.FAILURE)
    assert len(keys) == ATTEMPTS
    assert isinstance(look(instance), SkipReason)
    drop(settings, "alfa", "something new")
    assert isinstance(look(instance), SensorResult)


def test_the_register_is_trusted_not_the_cursor(
    installation: Installation, instance: DagsterInstance, settings: Settings
) -> None:
    drop(settings, "alfa")
    land(installation, drain=True)  # and then the run died
    assert not list((settings.inbox / "alfa" / "erp_invoices").iterdir())
    found = look(instance, cursor=str(time.time()))
    assert isinstance(found, SensorResult) and found.run_requests


def test_what_failed_goes_alone_and_batches_are_bounded() -> None:
    enti = [f"e{n:03}" for n in range(2 * BATCH + 1)]
    tried = dict.fromkeys(enti, Attempts()) | {"e001": Attempts(1, 1)}
    groups = split(enti, tried)
    assert ["e001"] in groups
    assert sorted(ente for group in groups for ente in group) == enti
    assert all(len(group) <= BATCH for group in groups)


@given(st.integers(1, 4 * BATCH), st.integers(1, 7))
def test_portions_are_of_like_size_and_all_have_some(enti: int, at_once: int) -> None:
    found = portions([f"e{n}" for n in range(enti)], at_once)
    assert [ente for portion in found for ente in portion] == [f"e{n}" for n in range(enti)]
    sizes = [len(portion) for portion in found]
    assert max(sizes) <= BATCH and max(sizes) - min(sizes) <= 1
    assert len(found) % at_once == 0 or len(found) == enti


def test_the_daemon_can_evaluate_a_sweep_that_starts_runs(instance: DagsterInstance, settings: Settings) -> None:
    drop(settings, "alfa")
    context = build_sensor_context(instance=instance, cursor=None, resources={"installation": Installation.from_environment()})
    tick = inbox.evaluate_tick(context)  # as the daemon does: it refuses what a direct call lets pass
    assert [request.tags["pcc.ente/alfa"] for request in tick.run_requests or []]
    assert tick.cursor and float(tick.cursor) > 0


def test_what_lands_while_a_publication_is_worked_out_is_noticed(installation: Installation, settings: Settings) -> None:
    register = Register(engine(settings))
    for text in ("one", "two"):
        drop(settings, "alfa", text)
        land(installation, drain=True)
    register.settle([Outcome(row["delivery"], "staged") for row in register.deliveries("alfa").to_pylist()])
    sequences = register.deliveries("alfa")["sequence"].to_pylist()
    publish(register.engine, "alfa", {}, Publication(date(2025, 12, 31), date(2026, 1, 20), None, sequences[0]))
    assert unpublished(register) == {"alfa": f"delivery {sequences[1]}"}  # though it was received before
    publish(register.engine, "alfa", {}, Publication(date(2025, 12, 31), date(2026, 1, 20), None, sequences[1]))
    assert unpublished(register) == {}
    # A run that began earlier and published last shows its readers less: noticed, too.
    publish(register.engine, "alfa", {}, Publication(date(2025, 12, 31), date(2026, 1, 20), None, sequences[0]))
    assert list(unpublished(register)) == ["alfa"]


def test_what_is_read_out_of_order_counts_only_up_to_the_first_gap(installation: Installation, settings: Settings) -> None:
    register = Register(engine(settings))
    for text in ("one", "two", "three"):
        drop(settings, "alfa", text)
        land(installation, drain=True)
    first, second, third = register.deliveries("alfa").to_pylist()
    assert register.complete_up_to("alfa") == first["sequence"] - 1
    register.settle([Outcome(item["delivery"], "staged") for item in (first, third)])
    assert register.complete_up_to("alfa") == second["sequence"] - 1
    register.settle([Outcome(second["delivery"], "staged")])
    assert register.complete_up_to("alfa") == third["sequence"]


def test_connections_are_read_at_their_own_pace(
    installation: Installation, instance: DagsterInstance, settings: Settings
) -> None:
    context = build_sensor_context(instance=instance, resources={"installation": Installation.from_environment()})
    assert isinstance(connections(context), SkipReason)
    settings.home.mkdir(parents=True, exist_ok=True)
    entries = "alfa: {url: 'sqlite:////none.sqlite'}\nbeta: {url: 'sqlite:////none.sqlite', every_minutes: 0}\n"
    (settings.home / "erp_sources.yaml").write_text(entries)
    found = connections(context)
    assert isinstance(found, SensorResult) and found.run_requests
    assert [request.tags["pcc.connection"] for request in found.run_requests] == ["alfa"]
    again = connections(context)
    assert isinstance(again, SensorResult) and again.run_requests
    assert again.run_requests[0].run_key == found.run_requests[0].run_key
    read = load_sources(settings)["alfa"]
    assert connect(installation, read).outcome == "refused"
    assert isinstance(connections(context), SkipReason)  # its minutes have not passed
