"""What an operator reads in Dagster: everything is described, no form asks for more than the ente, a failed run says for whom."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from dagster import (
    DagsterInstance,
    Failure,
    MetadataValue,
    build_run_status_sensor_context,
    job,
    op,
    validate_run_config,
)

from assets.definitions import defs
from assets.partitions import ENTE_TAG, ENTI_NAME, PARTITION
from assets.resources import RunParameters
from assets.steps import NOT_PUBLISHED, enti_of
from sensors.failures import report_failure

JOBS = [job for job in defs.resolve_all_job_defs() if not job.name.startswith("__")]
ASIDE: dict[str, str] = {}


@op
def publishes() -> None:
    if ASIDE:
        raise Failure("Not published", metadata={NOT_PUBLISHED: MetadataValue.json(dict(ASIDE))})
    raise ValueError("no such\nfile")


@job
def failing() -> None:
    publishes()


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


def tags_after(instance: DagsterInstance, tags: dict[str, str]) -> dict[str, str]:
    done = failing.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    run = instance.get_run_by_id(done.run_id)
    assert run is not None
    context = build_run_status_sensor_context("report_failure", done.get_run_failure_event(), instance, run)
    report_failure(context.for_run_failure())
    after = instance.get_run_by_id(done.run_id)
    assert after is not None
    return dict(after.tags)


def test_a_failed_run_says_for_whom_and_why(instance: DagsterInstance) -> None:
    found = tags_after(instance, {PARTITION: "alfa"})
    assert found["pcc.failed/alfa"] == "no such file"
    enti = {ENTE_TAG + ente: "mark" for ente in ("alfa", "beta", "gamma")}
    ASIDE["beta"] = "checks_debt: blocking checks failed: stock.every_cent_explained"
    try:
        found = tags_after(instance, enti)
    finally:
        ASIDE.clear()
    assert [name for name in found if name.startswith("pcc.failed/")] == ["pcc.failed/beta"]
    assert "every_cent_explained" in found["pcc.failed/beta"]


def test_a_run_without_partition_is_about_all_enti(instance: DagsterInstance) -> None:
    instance.add_dynamic_partitions(ENTI_NAME, ["alfa", "beta"])

    def context(**tags: str) -> Any:
        return SimpleNamespace(run=SimpleNamespace(tags=tags), instance=instance, partition_keys=["beta"])

    asked = RunParameters(reference_date="", observed_at="", inbox="", enti=[])
    assert enti_of(context(), asked) == ["alfa", "beta"]
    assert enti_of(context(**{PARTITION: "beta"}), asked) == ["beta"]
    assert enti_of(context(), asked.model_copy(update={"enti": ["gamma"]})) == ["gamma"]


def test_everything_is_described() -> None:
    graph = defs.resolve_asset_graph()
    things = [*JOBS, *(defs.sensors or ()), *(defs.schedules or ())]
    assert [thing.name for thing in things if not thing.description] == []
    assert [key for key in graph.get_all_asset_keys() if not graph.get(key).description] == []
    checks = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert [spec.key for spec in checks if not (spec.description or "").startswith("If it fails: ")] == []


def test_no_form_asks_for_more_than_the_ente() -> None:
    for one in JOBS:
        validate_run_config(one, {})  # raises where something without default is asked for


def test_what_stands_still_is_seen() -> None:
    graph = defs.resolve_asset_graph()
    still = {key.to_user_string() for key in graph.materializable_asset_keys if graph.get(key).freshness_policy is None}
    assert still == {"bonifica_report", "service_life"}, "made when somebody asks"
