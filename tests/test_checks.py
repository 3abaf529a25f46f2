"""Every kind of check fails on what it must refuse and passes on what it must accept."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pcc_pipeline.checks import CheckResult, check_names, checks_of, count, judged, no_failing_rows, relations_of, run_checks
from pcc_pipeline.checks.frames import Known
from pcc_pipeline.checks.suite import judge
from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.feeds import FEEDS
from pcc_pipeline.tables.models import MODELS

DOCUMENTS = Table(
    "sample",
    "staging",
    "One row per document",
    (
        Column("ente", "text", "Tenant", required=True, pattern="[a-z0-9_]{2,32}"),
        Column("delivery", "text", "Delivery", required=True),
        Column("line", "integer", "Line", required=True, minimum=1),
        Column("id", "text", "Key", required=True),
        Column("issued", "date", "Date", required=True),
        Column("amount", "money", "Money", required=True, minimum=0),
        Column("rate", "decimal", "Rate", minimum=0),
        Column("state", "text", "State", allowed=("OPEN", "PAID")),
        Column("flag", "boolean", "Flag", required=True),
        Column("cf", "text", "Fiscal code"),
        Column("piva", "text", "VAT number"),
        Column("lines", "records", "Lines", required=True, fields=(Column("x", "money", "X"),)),
    ),
    key=("ente", "id"),
    one_of=(("cf", "piva"),),
)
NAMES = {name.split("__")[0] for name in check_names(DOCUMENTS)}


def good(number: int, **other: Any) -> dict[str, Any]:
    """A row that passes every check, but for what is changed."""
    return {
        "ente": "alfa",
        "delivery": "d1",
        "line": number,
        "id": f"D{number}",
        "issued": date(2025, 1, 31),
        "amount": Decimal("0.00"),
        "rate": None,
        "state": None,
        "flag": True,
        "cf": None,
        "piva": "01234567890",
        "lines": [],
    } | other


def write(path: Path, table: Table, rows: list[dict[str, Any]], schema: pa.Schema | None = None) -> list[str]:
    """The rows as one Parquet file; every column nullable, so that a wrong row can be written."""
    loose = schema or pa.schema([(field.name, field.type) for field in table.arrow_schema])
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=loose), path)
    return [str(path)]


def failed(results: list[CheckResult]) -> dict[str, CheckResult]:
    """What failed, by name; each result is first seen to be whole."""
    for result in results:
        assert result.passed == (result.failing_rows == 0) == (not result.samples)
        assert json.loads(json.dumps(result.samples)) == result.samples
    return {result.check: result for result in results if not result.passed}


def test_names_come_without_great_expectations() -> None:
    program = (
        "import sys; from pcc_pipeline.checks import check_names as names;"
        "from pcc_pipeline.tables.models import MODELS;"
        "assert all(names(t) for t in MODELS.values()); assert 'great_expectations' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_table_has_distinct_checks_and_described_relations() -> None:
    for table in [*FEEDS.values(), *MODELS.values()]:
        names = [check.name for check in checks_of(table)]
        assert len(names) == len(set(names))
        assert all(name.replace("_", "").isalnum() for name in names)
        assert all(name in FEEDS or name in MODELS for name in relations_of(table.name))


def test_the_verdict_is_great_expectations() -> None:
    assert type(no_failing_rows()).__module__.split(".")[0] == "great_expectations"
    assert judge([0, 3, 0, 1]) == {1, 3} and judge([0]) == judge([]) == frozenset()


def test_good_rows_pass_every_check(tmp_path: Path) -> None:
    rows = [
        good(1),
        good(2, rate=Decimal("0.00000001"), state="PAID", piva=None, cf="X", amount=Decimal("9" * 16)),
    ]
    results = run_checks(DOCUMENTS, {"alfa": write(tmp_path / "a.parquet", DOCUMENTS, rows)})["alfa"]
    assert failed(results) == {}
    assert [r.check for r in results] == list(check_names(DOCUMENTS))
    assert {r.rows for r in results} == {2}
    assert {"types", "own_ente", "required", "allowed", "pattern", "minimum", "one_of", "unique_key"} == NAMES


@pytest.mark.parametrize(
    ("wrong", "checks"),
    [
        ({"ente": None}, {"required__ente", "own_ente"}),
        ({"ente": "beta"}, {"own_ente"}),
        ({"ente": "Alfa"}, {"own_ente", "pattern__ente"}),
        ({"ente": "alfa\n"}, {"own_ente", "pattern__ente"}),
        ({"line": None}, {"required__line"}),
        ({"line": 0}, {"minimum__line"}),
        ({"issued": None}, {"required__issued"}),
        ({"amount": None}, {"required__amount"}),
        ({"amount": Decimal("-0.01")}, {"minimum__amount"}),
        ({"rate": Decimal("-0.00000001")}, {"minimum__rate"}),
        ({"flag": None}, {"required__flag"}),
        ({"state": "open"}, {"allowed__state"}),
        ({"state": ""}, {"allowed__state"}),
        ({"piva": None}, {"one_of__cf__piva"}),
        ({"id": "D1"}, {"unique_key"}),
    ],
)
def test_each_kind_of_check_fails_on_the_wrong_row(tmp_path: Path, wrong: dict[str, Any], checks: set[str]) -> None:
    paths = write(tmp_path / "a.parquet", DOCUMENTS, [good(1), good(2, **wrong), good(3)])
    found = failed(run_checks(DOCUMENTS, {"alfa": paths})["alfa"])
    assert found.keys() == checks
    for name, result in found.items():
        assert result.failing_rows == (2 if name == "unique_key" else 1)
        if name != "unique_key":
            assert result.samples[0]["id"] == "D2"
            assert result.samples[0]["delivery"] == "d1"
    if "minimum__amount" in found:
        assert found["minimum__amount"].samples[0]["amount"] == "-0.01"
    if "unique_key" in found:
        assert found["unique_key"].samples == [{"ente": "alfa", "id": "D1", "copies": 2}]


def test_types_fail_on_missing_and_other_types_and_nothing_breaks(tmp_path: Path) -> None:
    schema = pa.schema([("ente", pa.string()), ("id", pa.string()), ("amount", pa.float64()), ("issued", pa.string())])
    rows = [{"ente": "alfa", "id": "D1", "amount": 1.5, "issued": "31/31/2025"}]
    found = failed(run_checks(DOCUMENTS, {"alfa": write(tmp_path / "a", DOCUMENTS, rows, schema)})["alfa"])
    wrong = {sample["column"]: sample["found"] for sample in found["types"].samples}
    assert wrong["amount"] == "DOUBLE" and wrong["issued"] == "VARCHAR" and wrong["lines"] == "missing"
    assert "required__issued" in found and "required__amount" not in found


def test_small_enti_share_batches_and_failures_stay_with_their_ente(tmp_path: Path) -> None:
    paths = {}
    for number in range(30):
        ente = f"ente_{number}"
        # ente_7 is wrong in both its files, and more often than samples are kept.
        state = "WRONG" if number == 7 else "OPEN"
        rows = [good(line, ente=ente, state=state) for line in range(1, 41)]
        paths[ente] = [
            *write(tmp_path / ente / "1.parquet", DOCUMENTS, rows[:15]),
            *write(tmp_path / ente / "2.parquet", DOCUMENTS, rows[15:]),
        ]
    paths["empty"] = []
    known: Known = {}
    results = judged([count(DOCUMENTS, paths, known=known)])[0]
    assert len(known) == 1, "files with the same columns are asked for them once"
    assert {ente for ente in paths if failed(results[ente])} == {"ente_7"}
    only = failed(results["ente_7"])
    assert only.keys() == {"allowed__state"}
    assert (only["allowed__state"].failing_rows, only["allowed__state"].rows) == (40, 40)
    assert len(only["allowed__state"].samples) == 20
    assert {r.rows for r in results["empty"]} == {0}


def test_a_view_is_checked_as_a_file(tmp_path: Path) -> None:
    (path,) = write(tmp_path / "a.parquet", DOCUMENTS, [good(1), good(2, state="WRONG")])
    view = f"(SELECT * FROM read_parquet('{path}'))"
    assert failed(run_checks(DOCUMENTS, {"alfa": [view]})["alfa"]).keys() == {"allowed__state"}


def test_row_count_is_the_registers(tmp_path: Path) -> None:
    feed = FEEDS["open_list"]
    row = {"ente": "alfa", "delivery": "d", "line": 1, "numero": "1"}
    paths = {"alfa": write(tmp_path / "a.parquet", feed, [row])}
    assert "row_count" not in {r.check for r in run_checks(feed, paths)["alfa"]}
    assert failed(run_checks(feed, paths, expected_rows={"alfa": 1})["alfa"]) == {}
    lost = failed(run_checks(feed, paths, expected_rows={"alfa": 3})["alfa"])
    assert lost["row_count"].failing_rows == 2
    assert lost["row_count"].samples == [{"ente": "alfa", "rows": 1, "registered": 3}]


def filled(table: Table, **values: Any) -> dict[str, Any]:
    """A row of the table with some value in every required column, and those given."""
    anything: dict[str, Any] = {
        "text": "x", "texts": [], "date": date(2025, 12, 31), "money": Decimal(0), "integer": 1,
        "boolean": False,
    }  # fmt: skip
    row = {c.name: (c.allowed[0] if c.allowed else anything[c.type]) for c in table.columns if c.required}
    return row | {"ente": "alfa"} | values


class Case:
    """Model files of one ente, and the check of a table by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: dict[str, dict[str, list[str]]] = {}

    def table(self, name: str, *rows: dict[str, Any]) -> None:
        table = MODELS.get(name) or FEEDS[name]
        target = self.folder / f"{name}.parquet"
        self.paths[name] = {"alfa": write(target, table, [filled(table, **row) for row in rows])}

    def check(self, table: str, name: str) -> CheckResult:
        related = {other: self.paths[other] for other in relations_of(table) if other in self.paths}
        results = run_checks(MODELS[table], self.paths[table], related=related)["alfa"]
        failed(results)
        return next(result for result in results if result.check == name)


@pytest.fixture
def debt(tmp_path: Path) -> Case:
    """Three documents: one differs by 12.34, one is the ERP's alone, one is PCC's alone and the same."""
    case = Case(tmp_path)
    d = Decimal
    both = {"id_documento": "E1", "progressivo_registrazione": "P1"}
    case.table(
        "debt_positions",
        {"view": "pcc", **both, "stock": d("112.34")},
        {"view": "right", **both, "stock": d("100.00")},
        {"view": "right", "id_documento": "E2", "stock": d("50.00")},
        {"view": "pcc", "progressivo_registrazione": "P3", "stock": d("7.00")},
        {"view": "right", "progressivo_registrazione": "P3", "stock": d("7.00")},
    )
    case.table(
        "anomalies",
        {"code": "AMOUNT_DIFFERS", **both, "amount": d("12.34")},
        {"code": "MUST_STAY_OPEN", **both, "amount": d("12.34")},
        {"code": "MISSING_ON_PCC", "id_documento": "E2", "amount": d("-50.00")},
        {"code": "MISSING_IN_ERP", "progressivo_registrazione": "P3", "amount": d("0.00")},
    )
    case.table(
        "stock",
        {"view": "pcc", "amount": d("119.34"), "documents": 2},
        {"view": "right", "amount": d("157.00"), "documents": 3},
    )
    case.table(
        "stock_by_creditor",
        {"view": "pcc", "creditor": "A", "amount": d("119.34"), "documents": 2},
        {"view": "right", "creditor": "A", "amount": d("150.00"), "documents": 2},
        {"view": "right", "creditor": "B", "amount": d("7.00"), "documents": 1},
    )
    case.table(
        "stock_by_due_date",
        {"view": "pcc", "bucket": "0-30", "amount": d("119.34"), "documents": 2},
        {"view": "pcc", "bucket": "not_due", "amount": d("1000.00"), "documents": 9},
        {"view": "right", "bucket": "0-30", "amount": d("157.00"), "documents": 3},
    )
    case.table(
        "stock_by_issue_year",
        {"view": "pcc", "issue_year": 2025, "amount": d("119.34"), "documents": 2},
        {"view": "right", "issue_year": 2025, "amount": d("157.00"), "documents": 3},
    )
    return case


def test_every_cent_is_explained(debt: Case) -> None:
    result = debt.check("stock", "every_cent_explained")
    assert result.passed and result.blocking, result.samples


@pytest.mark.parametrize(
    ("anomalies", "problems"),
    [
        ([("E1", "P1", "12.34")], {"no anomaly", "the stocks' difference is not the sum over documents"}),
        (
            [("E1", "P1", "12.33"), ("E2", None, "-49.99")],
            {"the amount differs"},  # wrong twice, so that the sum is right
        ),
        ([("E1", "P1", None), ("E2", None, "-37.66")], {"an anomaly without amount", "the amount differs"}),
        ([("E1", "P1", "12.34"), ("E2", "P9", "-50.00")], {"no anomaly", "the amount differs"}),
        ([], {"no anomaly", "the stocks' difference is not the sum over documents"}),
    ],
)
def test_a_cent_unexplained_fails(debt: Case, anomalies: list[tuple[Any, Any, Any]], problems: set[str]) -> None:
    debt.table(
        "anomalies",
        *(
            {"id_documento": i, "progressivo_registrazione": p, "amount": None if a is None else Decimal(a)}
            for i, p, a in anomalies
        ),
    )
    result = debt.check("stock", "every_cent_explained")
    assert not result.passed
    assert {sample["problem"] for sample in result.samples} >= problems


def test_stock_that_documents_do_not_make_is_not_explained(debt: Case) -> None:
    debt.table("stock", {"view": "pcc", "amount": Decimal("119.35")}, {"view": "right", "amount": Decimal("157.00")})
    (sample,) = debt.check("stock", "every_cent_explained").samples
    assert (sample["at_stake"], sample["explained"]) == ("-37.65", "-37.66")


def test_what_cannot_be_compared_fails(debt: Case) -> None:
    del debt.paths["debt_positions"]
    result = debt.check("stock", "every_cent_explained")
    assert {"problem": "no file of debt_positions to compare with"} in result.samples


def test_the_parts_by_code_make_the_difference(debt: Case) -> None:
    """Three documents, four anomalies: each document counts under one code."""
    d = Decimal
    parts = [
        {"code": "AMOUNT_DIFFERS", "amount": d("12.34"), "documents": 1},
        {"code": "MISSING_ON_PCC", "amount": d("-50.00"), "documents": 1},
        {"code": "MISSING_IN_ERP", "amount": d("0.00"), "documents": 1},
    ]
    debt.table("difference_by_code", *parts)
    result = debt.check("difference_by_code", "parts_make_the_difference")
    assert result.passed and result.blocking, result.samples
    twice = [*parts, {"code": "MUST_STAY_OPEN", "amount": d("0.00"), "documents": 1}]  # a document counted twice
    for wrong in (parts[1:], [*parts[1:], {**parts[0], "amount": d("12.35")}], twice, parts[:2]):
        debt.table("difference_by_code", *wrong)
        assert not debt.check("difference_by_code", "parts_make_the_difference").passed, wrong


def test_stock_parts_sum(debt: Case) -> None:
    result = debt.check("stock", "stock_parts_sum")
    assert result.passed and result.blocking, result.samples
    debt.table(
        "stock_by_issue_year",
        {"view": "pcc", "issue_year": 2025, "amount": Decimal("119.34"), "documents": 1},
    )
    result = debt.check("stock", "stock_parts_sum")
    assert {(s["part"], s["view"]) for s in result.samples} == {
        ("year of issue", "pcc"),
        ("year of issue", "right"),
    }


def test_accounts_sum_warns(tmp_path: Path) -> None:
    case = Case(tmp_path)
    d = Decimal
    good_one = {
        "commercial_amount": d("10.00"),
        "liquidated": d("4.00"),
        "paid": d("5.99"),
        "unbooked": d("0.01"),
    }
    case.table("stg_pcc_invoices", {}, {})
    case.table("pcc_documents", {"progressivo_registrazione": "1", **good_one})
    result = case.check("pcc_documents", "accounts_sum")
    assert result.passed and not result.blocking
    assert not case.check("pcc_documents", "row_counts").passed
    for wrong in ({"paid": d("6.00")}, {"paid": d("6.01"), "unbooked": d("-0.01")}):
        case.table(
            "pcc_documents",
            {"progressivo_registrazione": "1"},
            {"progressivo_registrazione": "2", **good_one, **wrong},
        )
        result = case.check("pcc_documents", "accounts_sum")
        assert [s["progressivo_registrazione"] for s in result.samples] == ["2"]
        assert case.check("pcc_documents", "row_counts").passed


def test_no_document_is_lost_or_doubled(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.table("erp_documents", {"id_documento": "E1"}, {"id_documento": "E2"})
    case.table("pcc_documents", {"progressivo_registrazione": "P1"})
    case.table("documents", {"id_documento": "E1", "progressivo_registrazione": "P1"}, {"id_documento": "E2"})
    assert case.check("documents", "each_document_once").passed
    case.table(
        "documents",
        {"id_documento": "E1", "progressivo_registrazione": "P1"},
        {"id_documento": "E1", "progressivo_registrazione": "P2"},
    )
    lost = {(s["document"], s["expected"], s["found"]) for s in case.check("documents", "each_document_once").samples}
    assert lost == {("E1", 1, 2), ("E2", 1, 0), ("P2", 0, 1)}


def test_a_pcc_document_is_matched_once(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.table("matches", {"id_documento": "E1", "progressivo_registrazione": "P1"})
    assert case.check("matches", "one_to_one").passed
    case.table("matches", *({"id_documento": e, "progressivo_registrazione": "P1"} for e in ("E1", "E2")))
    assert case.check("matches", "one_to_one").failing_rows == 1


def test_staging_rows_come_from_deliveries(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.table("open_list", {}, {})
    case.table("stg_open_list", {"row_id": 1})
    assert case.check("stg_open_list", "row_counts").passed
    case.table("stg_open_list", {"row_id": 1}, {"row_id": 2}, {"row_id": 3})
    assert not case.check("stg_open_list", "row_counts").passed
    case.paths["open_list"] = {"alfa": []}  # never delivered
    case.table("stg_open_list")
    assert case.check("stg_open_list", "row_counts").passed
