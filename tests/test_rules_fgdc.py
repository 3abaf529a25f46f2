"""docs/rules.md#rule-8: the FGDC test step by step, by hand; c. 868, the budget that changes, and what the register says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_rules_base import Book, Seen
from test_rules_indicators import FEW, PAID, figures, pays
from test_rules_means import Reads, reads

__all__ = ["reads"]  # a fixture

PUBLISHED = {"pubblicato_il": date(2026, 1, 25), "observed_at": date(2026, 2, 10)}


def _steps(book: Book, home: Path, **how: Any) -> dict[str, tuple[Any, ...]]:
    return _steps_of(book.reconciled(home, **how))


def _steps_of(seen: Seen, view: str = "right") -> dict[str, tuple[Any, ...]]:
    """Value, bound, passed, rate and words of each step."""
    columns = ("name", "value", "bound", "passed", "rate", "words")
    return {row[0]: row[1:] for row in seen.found.rows("fgdc_steps", *columns, where=f"view = '{view}'")}


def _open() -> Book:
    book = Book()
    book.both("OPEN", **FEW)
    book.row("budgets", anno=2026, stanziamento=1000000, vincolato="200000.50")
    return book


def _punctual() -> Book:
    """Nothing owed and nothing late: only c. 868 can bear a duty."""
    book = Book()
    book.both("ONLY", **FEW, pcc=PAID)
    pays(book, "ONLY", 1000, "2025-02-14")
    return book


def test_it_says_why(tmp_path: Path) -> None:
    steps = _steps(_open(), tmp_path)
    # 1 000 received: five percent is 50. Nothing stood on 31/12/2024: no reduction. 320 days late.
    assert steps["STOCK_SHARE"][:3] == (Decimal(1000), Decimal(50), False)
    assert steps["STOCK_REDUCTION"][:3] == (Decimal(1000), Decimal(0), False)
    assert steps["STOCK_DUTY"][3] == 5
    assert (steps["DELAY_DUTY"][0], steps["DELAY_DUTY"][3]) == (320, 5)
    assert steps["FGDC_RATE"][0] == 5
    assert steps["FGDC_AMOUNT"][:2] == (Decimal("39999.98"), Decimal("799999.50"))
    assert "Stanziamento 2026" in steps["FGDC_AMOUNT"][4] and "1.000.000,00" in steps["FGDC_AMOUNT"][4]
    assert "FGDC_ADJUSTMENT" not in steps
    assert steps["RESOLUTION"][4] == "La delibera va adottata entro il 28/02/2026 (Missione 20, Programma 03)."


@pytest.mark.parametrize(
    ("paid_on", "rate"),
    [
        ("2025-02-14", 0), ("2025-02-15", 1), ("2025-02-24", 1), ("2025-02-25", 2), ("2025-03-16", 2), ("2025-03-17", 3),
        ("2025-04-15", 3), ("2025-04-16", 5),
    ],
)  # fmt: skip
def test_rate_from_delay(tmp_path: Path, paid_on: str, rate: int) -> None:
    book = Book()
    book.both("ONLY", **FEW, pcc=PAID)
    pays(book, "ONLY", 1000, paid_on)
    assert figures(book.reconciled(tmp_path))["FGDC_RATE", "2025"] == rate


def test_whole_days_are_the_nearest_or_what_is_above_dropped(tmp_path: Path, reads: Reads) -> None:
    book = Book()
    book.both("ONLY", **FEW, pcc=PAID)
    pays(book, "ONLY", 500, "2025-02-24")
    pays(book, "ONLY", 500, "2025-02-25")
    # 10 and 11 days: 10.50.
    seen = book.reconciled(tmp_path)
    assert figures(seen)["FGDC_RATE", "2025"] == 2
    reads(seen, fgdc_days="TRONCATI")
    assert figures(seen)["FGDC_RATE", "2025"] == 1


def test_stock_reduced_by_a_tenth_bears_no_duty(tmp_path: Path) -> None:
    book = Book()
    book.both("OLD", **FEW, data_emissione="2024-01-10", data_ricezione="2024-01-15", data_scadenza="2024-02-14")
    book.row("budgets", anno=2025, stanziamento=1, stock_precedente="1111.12")
    steps = _steps(book, tmp_path)
    # The ente states 1 111.12: 90 % is 1 000.01. Nothing was received in 2025.
    assert steps["STOCK_REDUCTION"][1:3] == (Decimal("1000.01"), True)
    assert steps["STOCK_DUTY"][1:3] == (None, True)


def test_a_resolution_also_where_nothing_is_set_aside(tmp_path: Path) -> None:
    steps = _steps(_punctual(), tmp_path)
    assert steps["FGDC_RATE"][0] == 0
    assert "anche se l'accantonamento è zero" in steps["RESOLUTION"][4]


def test_a_budget_that_changes_in_the_year_changes_the_fund(tmp_path: Path) -> None:
    book = _open()
    feeds = [(kind, rows) for kind, rows in book.feeds.items() if kind != "budgets"]
    feeds.append(("budgets", book.feeds["budgets"]))
    feeds.append(("budgets", [{"anno": 2026, "stanziamento": Decimal("1200000.00"), "vincolato": Decimal("200000.50")}]))
    book.feeds = feeds  # type: ignore[assignment]
    steps = _steps(book, tmp_path)
    # 5 % of 999 999.50 is 49 999.98, of 799 999.50 it was 39 999.98.
    assert steps["FGDC_AMOUNT"][0] == Decimal("49999.98")
    assert steps["FGDC_ADJUSTMENT"][:3] == (Decimal("10000.00"), Decimal("799999.50"), False)
    assert "da 39.999,98 € a 49.999,98 €" in steps["FGDC_ADJUSTMENT"][4]


@pytest.mark.parametrize(
    ("declared", "observed", "passed", "rate"),
    [
        (date(2026, 1, 25), date(2026, 2, 10), True, 0),  # published
        (date(2025, 1, 28), date(2026, 2, 10), False, 5),  # last year's, and the term has passed
        (date(2025, 1, 28), date(2026, 1, 31), None, 0),  # there is still the day
        (None, date(2026, 2, 10), None, 0),  # nothing is declared: it is said
    ],
)
def test_debts_not_published_bear_five_percent(
    tmp_path: Path, declared: date | None, observed: date, passed: bool | None, rate: int
) -> None:
    steps = _steps(_punctual(), tmp_path, pubblicato_il=declared, observed_at=observed)
    assert (steps["PUBLISHED"][2], steps["PUBLISHED"][3], steps["FGDC_RATE"][0]) == (passed, rate, rate)
    assert "art. 33" in steps["PUBLISHED"][4] or "pubblicato_il" in steps["PUBLISHED"][4]


def _untold() -> Book:
    """Paid in time by the ente; PCC knows of no payment."""
    book = Book()
    book.both("ONLY", **FEW)
    book.paid("ONLY", 1000, "2025-02-14")
    return book


def test_pcc_not_fed_bears_five_percent(tmp_path: Path) -> None:
    seen = _untold().reconciled(tmp_path, **PUBLISHED)
    steps = _steps_of(seen)
    assert (steps["FED_PCC"][2], steps["FED_PCC"][3], steps["FGDC_RATE"][0]) == (False, 5, 5)
    # Once the operations are accepted it is fed.
    assert _steps_of(seen, "projected")["FED_PCC"][2] is True


def test_with_siope_plus_pcc_is_fed(tmp_path: Path) -> None:
    steps = _steps(_untold(), tmp_path, **PUBLISHED, siope_plus=True, siope_plus_dal=date(2018, 1, 1))
    assert (steps["FED_PCC"][2], steps["FGDC_RATE"][0]) == (True, 0)
    steps = _steps(_untold(), tmp_path, **PUBLISHED, siope_plus=True, siope_plus_dal=date(2026, 1, 1))
    assert steps["FED_PCC"][2] is False


def test_without_a_feed_of_pcc_since_d_nobody_knows(tmp_path: Path) -> None:
    book = Book()
    book.erp("ONLY", **FEW)
    book.paid("ONLY", 1000, "2025-02-14")
    steps = _steps(book, tmp_path, **PUBLISHED)
    assert (steps["FED_PCC"][2], steps["FGDC_RATE"][0]) == (None, 0)
    assert "Manca una consegna di PCC" in steps["FED_PCC"][4]


def test_the_other_readings_of_c_868(tmp_path: Path, reads: Reads) -> None:
    reads(c868_conditions="ENTRAMBE")
    assert _steps(_untold(), tmp_path, **PUBLISHED)["FGDC_RATE"][0] == 0
    unpublished = {"pubblicato_il": date(2025, 1, 28), "observed_at": date(2026, 2, 10)}
    assert _steps(_untold(), tmp_path, **unpublished)["FGDC_RATE"][0] == 5
    reads(c868_not_declared="NON_PUBBLICATO")
    assert _steps(_punctual(), tmp_path, observed_at=date(2026, 2, 10))["FGDC_RATE"][0] == 5
