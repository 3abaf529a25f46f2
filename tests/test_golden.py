"""The golden ente, from its inbox through the command line to exports: equal to the expected tables, to the cent."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from pcc_pipeline.database import embedded

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden"
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden sample is not beside the project")

TABLES = ("matches", "anomalies", "stock", "stock_by_creditor", "stock_by_due_date")


@pytest.fixture
def home(server_home: Path) -> Path:
    embedded.url(server_home)  # held here, so that no command has to start the server anew
    return server_home


def _pcc(home: Path, *arguments: str) -> str:
    environment = {**os.environ, "PCC_HOME": str(home)}
    for name in ("PCC_DATABASE_URL", "PCC_STORE_URL", "PCC_INBOX", "DAGSTER_HOME"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "pcc_pipeline", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def _rows(lines: list[str], columns: list[str], keep: set[str]) -> set[tuple[object, ...]]:
    """Rows with amounts as numbers. The expected stocks by creditor and bucket give the right view, stock only."""
    found = set()
    for row in csv.DictReader(lines):
        if row.get("view", "right") in keep and row.get("bucket") != "not_due":
            found.add(tuple(Decimal(row[name]) if name == "amount" else row[name] for name in columns))
    return found


def test_exports_equal_the_expected_tables(home: Path) -> None:
    run = (
        "run",
        "--inbox",
        str(GOLDEN / "inbox"),
        "--reference-date",
        "2025-12-31",
        "--observed-at",
        "2026-01-20",
    )
    _pcc(home, *run)
    first = {table: _pcc(home, "export", table, "--ente", "alfa", "--out", "-") for table in TABLES}
    for table in TABLES:
        expected = (GOLDEN / "expected" / "alfa" / f"{table}.csv").read_text().splitlines()
        columns = expected[0].split(",")
        keep = {row.get("view", "right") for row in csv.DictReader(expected)}
        assert _rows(first[table].splitlines(), columns, keep) == _rows(expected, columns, keep), table
    # The expected indicators give the right view.
    exported = _pcc(home, "export", "indicators", "--ente", "alfa", "--out", "-").splitlines()
    expected = (GOLDEN / "expected" / "alfa" / "indicators.csv").read_text().splitlines()
    ours = {(row["name"], row["period"], Decimal(row["value"])) for row in csv.DictReader(exported) if row["view"] == "right"}
    assert {(row["name"], row["period"], Decimal(row["value"])) for row in csv.DictReader(expected)} <= ours
    # Running twice changes nothing.
    _pcc(home, *run)
    assert {table: _pcc(home, "export", table, "--ente", "alfa", "--out", "-") for table in TABLES} == first
