"""A whole delivery that takes too much, through the command line: publication stops, is confirmed, asked and answered."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pcc_pipeline.database import embedded

HEADER = "id_documento;tipo_documento;piva_fornitore;numero;data_emissione;importo_totale;data_scadenza;stato\n"
ROWS = [f"E{n};TD01;01114601006;{n};2025-05-0{n};{n}00.00;2025-06-0{n};LIQUIDATA\n" for n in (1, 2, 3)]


@pytest.fixture
def home(server_home: Path) -> Path:
    embedded.url(server_home)  # held here, so that no command has to start the server anew
    return server_home


def _pcc(home: Path, *arguments: str, fails: bool = False) -> str:
    environment = {**os.environ, "PCC_HOME": str(home)}
    for name in ("PCC_DATABASE_URL", "PCC_STORE_URL", "PCC_INBOX", "DAGSTER_HOME"):
        environment.pop(name, None)
    asked = [sys.executable, "-m", "pcc_pipeline", *arguments]
    done = subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode != 0) == fails, done.stderr[-4000:]
    return done.stdout + done.stderr


def _rows(home: Path, table: str) -> list[dict[str, str]]:
    text = _pcc(home, "export", table, "--ente", "alfa", "--out", "-")
    return list(csv.DictReader(io.StringIO(text[text.index("ente") :].lstrip("\ufeff"))))


def _right(home: Path) -> str:
    return next(row["amount"] for row in _rows(home, "stock") if row["view"] == "right")


def test_what_a_whole_delivery_takes_away(home: Path, tmp_path: Path) -> None:
    run = (
        "run",
        "--inbox",
        str(home / "inbox"),
        "--ente",
        "alfa",
        "--reference-date",
        "2025-12-31",
        "--observed-at",
        "2026-01-20",
    )
    first, second = tmp_path / "prima.csv", tmp_path / "seconda.csv"
    first.write_text(HEADER + "".join(ROWS))
    second.write_text(HEADER + "".join(ROWS[:2]))
    _pcc(home, "submit", str(first), "--ente", "alfa", "--kind", "erp_invoices")
    _pcc(home, *run)
    assert _right(home) == "600.00"

    assert "no span" in _pcc(
        home, "submit", str(second), "--ente", "alfa", "--kind", "erp_invoices", "--whole", "2025", fails=True
    )
    _pcc(home, "submit", str(second), "--ente", "alfa", "--kind", "erp_invoices", "--whole", "2025-01-01..2025-12-31")
    assert "gone_rows_confirmed" in _pcc(home, *run, fails=True)
    assert _right(home) == "600.00"  # readers keep the former state

    delivery = _delivery(home)
    assert "confirmed" in _pcc(home, "confirm", delivery, "--ente", "alfa", "--who", "rossi")
    _pcc(home, *run)
    assert _right(home) == "300.00"
    assert [(row["code"], row["id_documento"]) for row in _rows(home, "questions") if row["id_documento"] == "E3"] == [
        ("GONE_FROM_ERP", "E3")
    ]

    answers = tmp_path / "risposte.csv"
    answers.write_text("risposta;codice;id_documento\nANCORA_VALIDO;GONE_FROM_ERP;E3\nANCORA_VALIDO;MISSING_ON_PCC;E1\n")
    _pcc(home, "review", "answers", str(answers), "--ente", "alfa", "--who", "rossi", fails=True)  # the second is no answer
    _pcc(home, *run)
    assert _right(home) == "600.00"
    assert "E3" in {row["id_documento"] for row in _rows(home, "operations")}


def _delivery(home: Path) -> str:
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.settings import Settings

    deliveries = Installation(Settings.at(home)).register.deliveries("alfa").to_pylist()
    return next(str(item["delivery"]) for item in deliveries if item["whole"])
