"""`pcc models`: the SQL models as they are run."""

from __future__ import annotations

from typer.testing import CliRunner

from pcc_pipeline.calculator import load_models
from pcc_pipeline.cli import app


def test_every_model_is_listed() -> None:
    listed = CliRunner(env={"COLUMNS": "300"}).invoke(app, ["models", "list"])
    assert listed.exit_code == 0
    assert all(name in listed.output for name in load_models())


def test_a_model_is_shown_as_it_is_run() -> None:
    shown = CliRunner(env={"COLUMNS": "300"}).invoke(app, ["models", "show", "pairs"])
    assert shown.exit_code == 0
    assert "{%" not in shown.output
    assert load_models()["pairs"].sql.strip() in shown.output
    assert "One row per pair of documents that a tier found" in shown.output
    assert all(name in shown.output for name in load_models()["pairs"].depends_on)


def test_an_unknown_model_is_said() -> None:
    told = CliRunner().invoke(app, ["models", "show", "nothing"])
    assert told.exit_code == 1
    assert isinstance(told.exception, SystemExit)
