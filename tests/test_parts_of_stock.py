"""The check that the stock's parts sum: a document in instalments may stand in several buckets, in no other table twice."""

from __future__ import annotations

import duckdb
import pytest

from pcc_pipeline.checks.reconciliations import _PARTS

TABLES = {"stock": "x", "stock_by_creditor": "creditor", "stock_by_due_date": "bucket", "stock_by_issue_year": "issue_year"}


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    """One document of ten euro in two instalments, four and six."""
    made = duckdb.connect()
    made.execute(
        "create table debt_positions as select 'a' as ente, 'right' as view, date '2025-12-31' as reference_date, 10 as stock"
    )
    for table, key in TABLES.items():
        made.execute(
            f"create table {table} as select 'a' as ente, 'right' as view, date '2025-12-31' as reference_date, 'one' as {key}, "
            "10 as amount, 1 as documents"
        )
    made.execute("update stock_by_due_date set amount = 4")
    made.execute("insert into stock_by_due_date values ('a', 'right', '2025-12-31', 'two', 6, 1)")
    return made


def test_instalments_in_two_buckets_are_one_document(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.sql(f"select * from ({_PARTS})").fetchall() == []


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("update stock_by_creditor set documents = 2", "creditor"),
        ("update stock_by_issue_year set documents = 2", "year of issue"),
        ("update stock_by_due_date set documents = 0", "due date"),
        ("delete from stock_by_due_date where bucket = 'two'", "due date"),
    ],
)
def test_what_does_not_sum_is_found(connection: duckdb.DuckDBPyConnection, change: str, part: str) -> None:
    connection.execute(change)
    assert [row[1] for row in connection.sql(f"select * from ({_PARTS})").fetchall()] == [part]
