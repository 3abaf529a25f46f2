"""The Dagster side: what is declared, and headless runs over a small synthetic provider."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from dagster import AssetKey, DagsterInstance

import assets.checks as asset_checks
import assets.run
from assets.definitions import defs
from assets.run import run_headless
from pcc_pipeline.arrival.work import RUNS_OF_ONE
from pcc_pipeline.calculator import at_hand, load_models
from pcc_pipeline.checks import count as real_count
from pcc_pipeline.checks import shown_checks
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.publish import current
from pcc_pipeline.demo import write_provider
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import FEEDS, MODELS, TABLES

D, O = date(2025, 12, 31), date(2026, 1, 20)  # noqa: E741 (the rules' own letters)


@pytest.fixture
def provider(settings: Settings) -> Path:
    """The inbox of a provider with three small enti."""
    inbox = settings.home / "delivered"
    write_provider(inbox, enti=3, documents=20, seed=3, reference_date=D, observed_at=O)
    return inbox


def enti_of(inbox: Path) -> list[str]:
    return sorted(folder.name for folder in inbox.iterdir() if not folder.name.startswith("_"))


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Makes the first blocking check of a table fail for one ente."""

    def breaks(ente: str, table: str) -> None:
        def run(described, paths, **more):  # type: ignore[no-untyped-def]
            found = real_count(described, paths, **more)
            if described.name == table and ente in found.rows:
                found.tally.add(ente, found.checks[0].name, 1, [{"ente": ente, "line": 7}])
            return found

        monkeypatch.setattr(asset_checks, "count", run)

    yield breaks


def test_every_table_is_an_asset_with_schema_and_dependencies_read_from_the_sql() -> None:
    graph = defs.resolve_asset_graph()
    for name, model in load_models().items():
        node = graph.get(AssetKey(name))
        assert {key.to_user_string() for key in node.parent_keys} == {*model.depends_on, *model.feeds}
        assert node.group_name == model.layer
        shown = [column.name for column in node.metadata["dagster/column_schema"].columns]
        assert shown == TABLES[name].column_names
        assert model.sql.strip() in node.metadata["sql"].value
    lineage = graph.get(AssetKey("stock")).metadata["dagster/column_lineage"].deps_by_column
    assert ("debt_positions", "stock") in {(dep.asset_key.to_user_string(), dep.column_name) for dep in lineage["amount"]}
    kinds = [kind for kind in FEEDS if kind != "enti"]
    assert all(graph.get(AssetKey(kind)).parent_keys == {AssetKey("landing")} for kind in kinds)


def test_every_check_of_a_model_is_an_asset_check() -> None:
    declared = {(k.asset_key.to_user_string(), k.name) for k in defs.resolve_asset_graph().asset_check_keys}
    assert {(name, check) for name, table in MODELS.items() for check in shown_checks(table)} <= declared
    assert {(kind, "as_described") for kind in FEEDS if kind != "enti"} <= declared


def test_a_run_of_several_enti_publishes_those_whose_checks_hold_and_records_each(
    installation: Installation,
    settings: Settings,
    provider: Path,
    broken: Callable[[str, str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    enti = enti_of(provider)
    bad, *good = enti
    assert run_headless(installation, enti[:2], D, O, inbox=provider)
    before = {ente: current(engine(settings), ente) for ente in enti}
    assert all(state is not None and state.rows > 0 and state.reference_date == D for state in list(before.values())[:2])
    with DagsterInstance.from_config(str(settings.home / "dagster")) as instance:
        for name in ("landing", "erp_invoices", "stock", "published"):
            assert set(instance.get_materialized_partitions(AssetKey(name))) == set(enti[:2])
        latest = instance.get_latest_materialization_event(AssetKey("stock"))
        assert latest is not None and latest.asset_materialization is not None
        assert latest.asset_materialization.metadata["dagster/row_count"].value > 0
    assert not [record.message for record in caplog.records if "in halves" in record.message], "worked out together"
    # A blocking check fails: readers keep that ente's previous state, the others go on.
    broken(bad, "erp_documents")
    assert not run_headless(installation, enti, D, O, inbox=provider)
    assert current(engine(settings), bad) == before[bad]
    assert all(current(engine(settings), ente) not in (None, before[ente]) for ente in good)
    assert any("erp_documents" in reason for reason in Gate(Store(settings.store_url), bad).problems())


def test_many_enti_are_done_by_processes_side_by_side_and_again_where_one_is_killed(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, killed = settings.home / "delivered", settings.home / "killed"
    write_provider(inbox, enti=RUNS_OF_ONE + 1, documents=5, seed=3, reference_date=D, observed_at=O, sdi_share=0)
    enti = enti_of(inbox)
    really = assets.run._run

    def run(one: Installation, order: assets.run.Commission) -> bool:
        if enti[0] in order.enti and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return really(one, order)

    monkeypatch.setattr(assets.run, "_run", run)
    two = Installation(replace(settings, threads=2))
    with at_hand(two.settings, two.store):
        pass  # a database that is open before the fork, whose threads are not there after it
    assert run_headless(two, enti, D, O, inbox=inbox)
    assert killed.exists()
    published = [current(engine(settings), ente) for ente in enti]
    assert all(state is not None and state.rows > 0 for state in published)
    assert len({state.run_id for state in published if state}) == 2


def test_the_gate_stays_shut_until_every_step_was_done(store: Store) -> None:
    gate = Gate(store, "alfa")
    assert gate.reasons("published") == []
    gate.begin(["landing", "models", "published"])
    gate.set("landing")
    assert gate.reasons("published") == ["not done since the last landing: models"]
    gate.set("models", blocking=["stock.types"], failed=["stock.types"])
    assert "stock.types" in gate.reasons("published")[0]
    gate.begin(["models"])
    assert gate.problems() == [] and gate.failed("models") == {"stock.types"}
    gate.set("models")
    assert gate.reasons("published") == []
    assert json.loads(store.open("checks/alfa/gate.json").read())["models"]["failed"] == []
