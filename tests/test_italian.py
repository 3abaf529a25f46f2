"""Amounts and dates for people: one text, whether Python writes it or the models do."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcc_pipeline import italian
from pcc_pipeline.calculator.models import macros
from pcc_pipeline.formats.conventions import DAY_FIRST, read_amount, read_date, settle
from pcc_pipeline.review.states import SHOWN, SHOWN_STATES
from pcc_pipeline.rules import buckets
from pcc_pipeline.tables import common

amounts = st.integers(-(10**17), 10**17).map(lambda cents: Decimal(cents).scaleb(-2))
days = st.dates(dt.date(1900, 1, 1))


@pytest.fixture(scope="module")
def models() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    wanted = ("italian_date(", "italian_money(")
    for written in macros().split("create or replace macro ")[1:]:
        if written.startswith(wanted):
            connection.execute(f"create or replace macro {written.split(';')[0]}")
    return connection


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(amounts, days), min_size=1, max_size=20))
def test_the_models_write_as_python_does_and_what_is_written_is_read(
    models: duckdb.DuckDBPyConnection, written: list[tuple[Decimal, dt.date]]
) -> None:
    found = models.execute(
        "select italian_money(amount), italian_date(day) from ("
        "select unnest($1::decimal(18, 2)[]) as amount, unnest($2::date[]) as day)",
        [[amount for amount, _ in written], [day for _, day in written]],
    ).fetchall()
    assert found == [(italian.number(amount), italian.day(day)) for amount, day in written]
    assert models.execute("select italian_money(0.995), italian_money(-0.004), italian_money(2.5::double)").fetchone() == (
        "1,00", "0,00", "2,50",
    )  # fmt: skip
    for (amount, day), (money, date) in zip(written, found, strict=True):
        assert read_amount(money).value == amount
        assert settle(read_date(date), frozenset([DAY_FIRST])).value == day


def test_views_severities_and_buckets_are_the_tables_own() -> None:
    assert tuple(italian.VIEWS) == common.VIEW.allowed
    assert tuple(italian.SEVERITIES) == common.SEVERITIES
    assert tuple(italian.BUCKETS) == buckets()


def test_each_state_that_an_operation_is_shown_in_has_words() -> None:
    assert set(SHOWN_STATES) == set(italian.OPERATION_STATES)
    assert all(f"'{state}'" in SHOWN for state in ("held", "pcc_refused"))
