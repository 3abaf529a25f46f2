"""Readings of single numbers and dates: every convention read back, nothing ambiguous accepted, and the
vectorised columns agreeing with the readings."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcc_pipeline.formats.columns import read_column, reasons
from pcc_pipeline.formats.conventions import (
    AMBIGUOUS,
    COMMA,
    DAY_FIRST,
    DECIMALS,
    MONTH_FIRST,
    NO_SUCH_DAY,
    NOT_A_DATE,
    POINT,
    US_DATE,
    read_amount,
    read_date,
    settle,
)
from pcc_pipeline.tables.describe import Column

MONEY = Column("importo", "money", "an amount")
DATE = Column("data", "date", "a date")
amounts = st.integers(-(10**18) + 1, 10**18 - 1).map(lambda cents: Decimal(cents).scaleb(-2))
dates = st.dates(dt.date(1900, 1, 1))
#: Texts made of the very characters that make numbers and dates.
scraps = st.text("0123456789.,-+/ ", min_size=1, max_size=12).map(str.strip).filter(bool)


def italian(amount: Decimal) -> str:
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


@settings(deadline=None)
@given(amounts)
def test_every_way_of_writing_an_amount_is_read_back(amount: Decimal) -> None:
    for text in (f"{amount:.2f}", f"{amount:.2f}00", f"{amount:.2f}".replace(".", ","), italian(amount)):
        reading = read_amount(text)
        assert (reading.value, reading.either) == (amount, False)


@settings(deadline=None)
@given(dates, st.sampled_from("/-."))
def test_every_way_of_writing_a_date_is_read_back(date: dt.date, mark: str) -> None:
    assert read_date(date.isoformat()).value == date
    written = (
        f"{date.day:02d}{mark}{date.month:02d}{mark}{date.year}",
        f"{date.day}{mark}{date.month}{mark}{date.year}",
    )
    for text in written:
        assert settle(read_date(text), frozenset([DAY_FIRST])).value == date
        assert read_date(text).either == (date.day <= 12 and date.day != date.month)


@pytest.mark.parametrize("text", ["1.234", "1,234", "-12.500", "999,000"])
def test_three_digits_after_one_mark_need_evidence(text: str) -> None:
    reading = read_amount(text)
    assert reading.value is None and reading.either and (reading.reason or "").startswith(AMBIGUOUS)
    assert settle(reading, frozenset()).value is None
    assert settle(reading, frozenset([COMMA, POINT])).value is None


def test_the_columns_only_evidence_decides() -> None:
    assert settle(read_amount("1.234"), frozenset([COMMA])).value == Decimal(1234)
    assert settle(read_amount("1,230"), frozenset([COMMA])).value == Decimal("1.23")
    assert settle(read_amount("1.230"), frozenset([POINT])).value == Decimal("1.23")
    assert settle(read_amount("1.234"), frozenset([POINT])).reason == DECIMALS
    assert settle(read_amount("1,234"), frozenset([POINT])).value is None
    assert settle(read_date("03/04/2025"), frozenset([DAY_FIRST])).value == dt.date(2025, 4, 3)
    for evidence in (frozenset(), frozenset([MONTH_FIRST]), frozenset([DAY_FIRST, MONTH_FIRST])):
        settled = settle(read_date("03/04/2025"), evidence)
        assert settled.value is None and "ISO" in (settled.reason or "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5849.290", "5849.29"),
        ("4760.1", "4760.10"),
        ("0", "0"),
        ("0.290", "0.29"),
        ("1.234.567", "1234567"),
        (",5", "0.50"),
    ],
)
def test_amounts_with_one_meaning(text: str, value: str) -> None:
    assert read_amount(text).value == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "12.345678",
        "0.001",
        "1,234.56",
        "1,234,567",
        "12.34,56",
        "1e5",
        "5.",
        "--5",
        "$ 5",
        "(-5)",
        "-5-",
        "1 00",
        "1 234'567",
        "12345678901234567",
    ],
)
def test_amounts_refused(text: str) -> None:
    reading = read_amount(text)
    assert reading.value is None and reading.reason and not reading.either


@pytest.mark.parametrize(
    ("text", "reason"),
    [("31/02/2025", NO_SUCH_DAY), ("2025-02-30", NO_SUCH_DAY), ("12/31/2025", US_DATE), ("00/05/2025", NO_SUCH_DAY),
     ("31/02/25", NO_SUCH_DAY), ("2025", NOT_A_DATE), ("31/12-2025", NOT_A_DATE), ("0000-12-31", NO_SUCH_DAY)],
)  # fmt: skip
def test_dates_refused(text: str, reason: str) -> None:
    reading = read_date(text)
    assert reading.value is None and reading.reason == reason and not reading.either


def test_the_same_day_and_month_are_not_ambiguous() -> None:
    assert read_date("04/04/2025").value == dt.date(2025, 4, 4)
    assert read_date("04/04/2025").evidence is None


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), scraps, amounts.map(italian), amounts.map(str)), max_size=20))
def test_a_column_of_amounts_reads_as_its_values_do(texts: list[str | None]) -> None:
    readings = [read_amount(text) if text else None for text in texts]
    array = pa.array(texts, pa.string())
    first = read_column(MONEY, array, None)
    evidence = frozenset(reading.evidence for reading in readings if reading and reading.evidence)
    assert first.evidence == evidence
    assert first.either == any(reading.either for reading in readings if reading)
    settled = [settle(reading, evidence) if reading else None for reading in readings]
    typed = read_column(MONEY, array, evidence)
    assert typed.values.to_pylist() == [reading.value if reading else None for reading in settled]
    refused = [text for text, reading in zip(texts, settled, strict=True) if reading and reading.value is None]
    assert None not in reasons(MONEY, pa.array(refused, pa.string()), evidence).to_pylist()


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), scraps, dates.map(str), dates.map(lambda day: f"{day:%d/%m/%Y}")), max_size=20))
def test_a_column_of_dates_reads_as_its_values_do(texts: list[str | None]) -> None:
    readings = [read_date(text) if text else None for text in texts]
    evidence = frozenset(reading.evidence for reading in readings if reading and reading.evidence)
    typed = read_column(DATE, pa.array(texts, pa.string()), evidence)
    assert typed.evidence == evidence
    assert typed.values.to_pylist() == [settle(reading, evidence).value if reading else None for reading in readings]
