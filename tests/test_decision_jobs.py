"""Decisions from Dagster's launchpad: the form has defaults and words for everything, and does what the command does."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from dagster import DagsterInstance
from launchpad import run, shown
from proposed import states

from assets.decisions import DECISION_JOBS, decide_operations_of_ente, read_decisions_file, undo_decisions
from assets.model_files import write_model_files
from pcc_pipeline.installation import Installation


@pytest.mark.parametrize("job", DECISION_JOBS, ids=lambda job: job.name)
def test_every_field_of_the_form_is_described(job: Any) -> None:
    assert job.description
    for node in job.graph.nodes:
        fields = node.definition.config_schema.config_type.fields
        assert [name for name, field in fields.items() if not field.description] == []
        assert [name for name, field in fields.items() if field.is_required] == []


def test_a_bulk_approval_from_the_launchpad(database: sa.Engine, installation: Installation) -> None:
    config = {"ente": "alfa", "who": "rossi", "code": "PAID_NOT_REPORTED", "amount_to": "50.000,00"}
    run(decide_operations_of_ente, "decide_on_operations", installation, config)
    assert states(database) == {"a1": "approved", "a2": "approved", "b1": "proposed", "c1": "proposed"}


def test_what_cannot_be_decided_fails_the_run(database: sa.Engine, installation: Installation, tmp_path: Any) -> None:
    form = {"ente": "alfa", "who": "", "code": "PAID_NOT_REPORTED"}
    run(decide_operations_of_ente, "decide_on_operations", installation, form, fails=True)
    (tmp_path / "d.csv").write_text("decisione;operation_id\nAPPROVA;a1\nAPPROVA;gone\n")
    config = {"ente": "alfa", "who": "rossi", "file": str(tmp_path / "d.csv")}
    run(read_decisions_file, "read_file", installation, config, fails=True)
    assert states(database)["a1"] == "approved"


@pytest.mark.parametrize("job", [*DECISION_JOBS, write_model_files], ids=lambda job: job.name)
def test_with_the_ente_alone_a_job_shows_what_there_is_and_changes_nothing(
    job: Any, database: sa.Engine, installation: Installation
) -> None:
    before = states(database)
    (node,) = job.graph.nodes
    with DagsterInstance.ephemeral() as instance:
        done = run(job, node.name, installation, {"ente": " alfa "}, instance=instance)
        assert instance.get_run_by_id(done.run_id).tags["pcc.ente/alfa"] == job.name
    assert "how to go on" in shown(done, node.name)
    assert states(database) == before


def test_a_form_without_the_ente_says_what_is_missing(database: sa.Engine, installation: Installation) -> None:
    done = run(decide_operations_of_ente, "decide_on_operations", installation, {}, fails=True)
    (failure,) = [event for event in done.all_events if event.is_step_failure]
    assert "Fill in the ente" in failure.step_failure_data.error_display_string


def test_what_can_be_undone_is_shown_by_number(database: sa.Engine, installation: Installation) -> None:
    config = {"ente": "alfa", "who": "rossi", "operations": ["a1"]}
    run(decide_operations_of_ente, "decide_on_operations", installation, config)
    done = shown(run(undo_decisions, "undo_some", installation, {"ente": "alfa"}), "undo_some")
    assert done["decisions that stand"] == 1 and "a1" in done["first"]
