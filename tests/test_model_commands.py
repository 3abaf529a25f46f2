"""Writing files for PCC from the command line and from the launchpad: each operation once, whoever writes."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from launchpad import run
from typer.testing import CliRunner

from assets.model_files import write_model_files
from pcc_pipeline.cli import app
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.operations import Selection, decide_operations
from pcc_pipeline.settings import Settings

USER = "RSSMRA80A01H501U"


def test_what_is_approved_is_written_once_by_command_and_job(
    database: sa.Engine, installation: Installation, settings: Settings, tmp_path: Path
) -> None:
    with database.begin() as connection:
        office = {
            "cf_amministrazione": "80012345678",
            "codice_ufficio": "UFABCD",
            "progressivo_registrazione": "100000000001",
            "id_fiscale_beneficiario": "IT00743110157",
        }
        connection.execute(sa.update(table("operations")).values(office))
    decide_operations(database, "alfa", "approve", Selection(("a1", "a2", "c1")), who="Rossi")

    def pcc(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["model", *arguments], env={**settings.environment(), "COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    first = pcc("write", "--ente", "alfa", "--user", USER, "--out", str(tmp_path / "out"))
    assert "3 operations in 1 new files" in first
    (written,) = (tmp_path / "out").iterdir()
    assert USER.encode() in written.read_bytes()

    again = pcc("write", "--ente", "alfa", "--user", USER, "--out", str(tmp_path / "again"))
    assert "0 operations in 0 new files" in again
    done = run(write_model_files, "write_files", installation, {"ente": "alfa", "user": USER, "out": str(tmp_path / "job")})
    (output,) = [e for e in done.all_events if e.event_type_value == "STEP_OUTPUT"]
    assert output.step_output_data.metadata["operations"].value == 0

    assert written.name in pcc("list", "--ente", "alfa")
    pcc("get", "--ente", "alfa", written.name, "--out", str(tmp_path / "copy"))
    assert (tmp_path / "copy" / written.name).read_bytes() == written.read_bytes()
    assert CliRunner().invoke(app, ["check-model", str(written)]).exit_code == 0


@pytest.mark.parametrize("user", ["", "nobody", "RSSMRA80A01H501X"])
def test_whoever_transmits_has_a_fiscal_code(
    database: sa.Engine, installation: Installation, settings: Settings, tmp_path: Path, user: str
) -> None:
    decide_operations(database, "alfa", "approve", Selection(("a1",)), who="Rossi")
    command = ["model", "write", "--ente", "alfa", "--user", user, "--out", str(tmp_path)]
    done = CliRunner().invoke(app, command, env=settings.environment())
    assert done.exit_code == 1 and "codice fiscale" in done.output
    # Left empty in the launchpad, what would be written is shown.
    form = {"ente": "alfa", "user": user, "out": str(tmp_path)}
    run(write_model_files, "write_files", installation, form, fails=bool(user))
    assert not list(tmp_path.glob("**/*.csv"))
