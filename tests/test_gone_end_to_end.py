"""A whole delivery that takes too much, through the command line: publication stops, is confirmed, asked and answered.

The two runs that are about the check are whole ones; of the others only the steps are taken.
"""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from steps import publish_steps
from typer.testing import CliRunner

from assets.run import run_headless
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.cli import app
from pcc_pipeline.database.export import export
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings

D, O = date(2025, 12, 31), date(2026, 1, 20)  # noqa: E741 - the rules' own letters
HEADER = "id_documento;tipo_documento;piva_fornitore;numero;data_emissione;importo_totale;data_scadenza;stato\n"
ROWS = [f"E{n};TD01;01114601006;{n};2025-05-0{n};{n}00.00;2025-06-0{n};LIQUIDATA\n" for n in (1, 2, 3)]


def _pcc(settings: Settings, *arguments: str, fails: bool = False) -> str:
    done = CliRunner().invoke(app, list(arguments), env=settings.environment())
    assert (done.exit_code != 0) == fails, (done.output, done.exception)
    return " ".join(done.output.split())


def _rows(installation: Installation, table: str) -> list[dict[str, str]]:
    export(installation.engine, table, "alfa", "-", out := io.BytesIO())
    return list(csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig"))))


def _right(installation: Installation) -> str:
    return next(row["amount"] for row in _rows(installation, "stock") if row["view"] == "right")


@pytest.mark.slow
def test_what_a_whole_delivery_takes_away(installation: Installation, settings: Settings, tmp_path: Path) -> None:
    first, second = tmp_path / "prima.csv", tmp_path / "seconda.csv"
    first.write_text(HEADER + "".join(ROWS))
    second.write_text(HEADER + "".join(ROWS[:2]))
    _pcc(settings, "submit", str(first), "--ente", "alfa", "--kind", "erp_invoices")
    publish_steps(installation, "alfa", D, O)
    assert _right(installation) == "600.00"

    again = ("submit", str(second), "--ente", "alfa", "--kind", "erp_invoices", "--whole")
    assert "no span" in _pcc(settings, *again, "2025", fails=True)
    _pcc(settings, *again, "2025-01-01..2025-12-31")
    assert not run_headless(installation, ["alfa"], D, O)
    assert "gone_rows_confirmed" in " ".join(Gate(installation.store, "alfa").problems())
    assert _right(installation) == "600.00"  # readers keep the former state

    deliveries = installation.register.deliveries("alfa").to_pylist()
    delivery = next(str(item["delivery"]) for item in deliveries if item["whole"])
    assert "confirmed" in _pcc(settings, "confirm", delivery, "--ente", "alfa", "--who", "rossi")
    assert run_headless(installation, ["alfa"], D, O)
    assert _right(installation) == "300.00"
    asked = [(row["code"], row["id_documento"]) for row in _rows(installation, "questions") if row["id_documento"] == "E3"]
    assert asked == [("GONE_FROM_ERP", "E3")]

    answers = tmp_path / "risposte.csv"
    answers.write_text("risposta;codice;id_documento\nANCORA_VALIDO;GONE_FROM_ERP;E3\nANCORA_VALIDO;MISSING_ON_PCC;E1\n")
    # The second is no answer.
    _pcc(settings, "review", "answers", str(answers), "--ente", "alfa", "--who", "rossi", fails=True)
    publish_steps(installation, "alfa", D, O)
    assert _right(installation) == "600.00"
    assert "E3" in {row["id_documento"] for row in _rows(installation, "operations")}
