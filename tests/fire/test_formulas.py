"""What a supplier calls itself does not run in the spreadsheet of whoever opens a table; programs get it to the letter."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import _sign_in, desk
from typer.testing import CliRunner

from pcc_pipeline.cli import app
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.export import export
from pcc_pipeline.database.schema import published, table
from pcc_pipeline.settings import Settings
from pcc_pipeline.spreadsheet import FORMULA, PATTERN, harmless
from portal.tokens import new_token

NAMES = (
    '=cmd|"/c calc"!A1', "@SUM(1+1)", "+1+cmd", "-2+3", '=HYPERLINK("http://x";"y")', "\t=1", "\r=1", "\n=1", "＝1+1", "=x",
    "'=x", "Ditta = Figli", "", " =1",
)  # fmt: skip


@pytest.fixture
def named(desk: TestClient, settings: Settings) -> TestClient:
    """A desk whose ente alfa has creditors of these names."""
    rows = [
        {"ente": "alfa", "view": "pcc", "reference_date": date(2025, 12, 31), "creditor": f"{n:011}", "creditor_name": name,
         "amount": Decimal("-1.50"), "documents": 1}
        for n, name in enumerate(NAMES)
    ]  # fmt: skip
    with engine(settings).begin() as connection:
        connection.execute(sa.insert(table("stock_by_creditor")), rows)
    return desk


def names(content: bytes) -> list[str]:
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert {row["amount"] for row in rows if row["view"] == "pcc"} == {"-1.50"}  # a number is no formula
    return [row["creditor_name"] for row in sorted(rows, key=lambda row: row["creditor"]) if row["view"] == "pcc"]


def test_files_for_people_hold_no_formula_files_for_programs_the_exact_text(
    named: TestClient, settings: Settings, tmp_path: Path
) -> None:
    safe = [harmless(name) for name in NAMES]
    assert not [name for name in safe if name.startswith(FORMULA)] and safe[-3:] == ["Ditta = Figli", "", " =1"]
    out = io.BytesIO()
    export(engine(settings), "stock_by_creditor", "alfa", "-", out)
    assert names(out.getvalue()) == safe
    export(engine(settings), "stock_by_creditor", "alfa", tmp_path / "raw.csv", raw=True)
    assert names((tmp_path / "raw.csv").read_bytes()) == list(NAMES)
    _sign_in(named, "chi@alfa.it")
    assert names(named.get("/esporta/stock_by_creditor.csv").content) == safe
    maker = sa.text("SELECT user_id FROM pcc.users WHERE email = 'chi@alfa.it'")
    with engine(settings).connect() as connection:
        user = connection.execute(maker).scalar_one()
    token = new_token(engine(settings), "alfa", "prova", user, datetime.now(UTC))
    found = named.get("/api/v1/tabelle/stock_by_creditor?size=1000", headers={"Authorization": f"Bearer {token}"}).json()
    assert [row["creditor_name"] for row in found["rows"] if row["view"] == "pcc"] == list(NAMES)


def test_the_command_is_safe_unless_told(named: TestClient, settings: Settings) -> None:
    for more, expected in (([], harmless("=x")), (["--raw"], "=x")):
        found = CliRunner().invoke(app, ["export", "stock_by_creditor", "--ente", "alfa", *more], env=settings.environment())
        assert found.exit_code == 0 and f",{expected}," in found.stdout.replace('"', ""), found.output


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_no_published_table_gives_a_formula(named: TestClient, settings: Settings, tmp_path: Path, suffix: str) -> None:
    """Every table of every ente, whatever it comes to hold: texts go through one door."""
    for name, described in published().items():
        if "ente" in described.column_names:
            export(engine(settings), name, "alfa", tmp_path / f"{name}.{suffix}")
            if suffix == "csv":
                rows = csv.reader(io.StringIO((tmp_path / f"{name}.csv").read_text(), newline=""))
                texts = [described.column(column).type == "text" for column in next(rows)]
                assert not [
                    cell for row in rows for cell, text in zip(row, texts, strict=True) if text and cell.startswith(FORMULA)
                ]


def test_databases_and_python_know_the_same_formulas(settings: Settings) -> None:
    import duckdb

    given = [*NAMES, *FORMULA, "a=1", "1-2"]
    expected = [name.startswith(FORMULA) for name in given]
    with engine(settings).connect() as connection:
        asked = sa.text("SELECT t ~ :pattern FROM unnest(CAST(:given AS text[])) WITH ORDINALITY AS x(t, n) ORDER BY n")
        assert list(connection.execute(asked, {"pattern": PATTERN, "given": given}).scalars()) == expected
    found = duckdb.connect().execute("select list_transform($1, lambda x: regexp_matches(x, $2))", [given, PATTERN]).fetchone()
    assert found is not None and found[0] == expected
