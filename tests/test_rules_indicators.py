"""Section 8 of the rules: each indicator by hand. Not here: what the documents' stock is (test_rules_stock), as-of, forecasts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_rules_base import Book, Seen

FEW: dict[str, Any] = {"importo_totale": 1000, "split_payment": False}


def _pays(book: Book, document: str, amount: Any, day: str) -> None:
    """A payment on both sides."""
    book.paid(document, amount, day)
    book.moved(document, "CP", day, amount, data_pagamento=day)


def _figures(seen: Seen, view: str = "right") -> dict[tuple[str, str], Decimal]:
    rows = seen.found.rows("indicators", "name", "period", "value", where=f"view = '{view}'")
    return {(name, period): value for name, period, value in rows}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The plain document: received 15/1/2025, due 14/2/2025. D is 31/12/2025, O 20/1/2026."""
    book = Book()
    # Paid 24 days late, and in part 4 days early.
    book.both("LATE", **FEW, pcc={"importo_pagato": 1000, "stato_documento": "PAGATO"})
    _pays(book, "LATE", 600, "2025-03-10")
    _pays(book, "LATE", 400, "2025-02-10")
    # Unpaid at year end: 350 days from reception, 320 from due date.
    book.both("OPEN", **FEW)
    # Paid after year end: counts as unpaid on 31/12 in the year's means, not in the ITP of 2025.
    book.both("AFTER", **FEW, pcc={"importo_pagato": 1000, "stato_documento": "PAGATO"})
    _pays(book, "AFTER", 1000, "2026-01-10")
    # A credit note counts negative.
    book.both("NOTE", tipo_documento="TD04", importo_totale=100, pcc={"importo_pagato": 100})
    _pays(book, "NOTE", 100, "2025-02-24")
    # Disputed from 1/2 to 13/3: the right due date moves 40 days, to 26/3. Paid on 31/3.
    book.both("DISPUTED", **FEW, pcc={"importo_pagato": 1000, "stato_documento": "PAGATO"})
    book.moved("DISPUTED", "CO", "2025-02-01", 1000, stato_debito="SOSP", causale="CONT")
    book.moved("DISPUTED", "CO", "2025-03-13", 1000, stato_debito="LIQdaSOSP")
    _pays(book, "DISPUTED", 1000, "2025-03-31")
    # Received in 2025, due in 2026: in TMR, not in the annual delay.
    book.both("LATER_DUE", **FEW, data_scadenza="2026-02-14")
    # Rejected and non-commercial documents count nowhere.
    book.both("REJECTED", **FEW, erp={"stato": "RIFIUTATA"}, pcc={"stato_documento": "RIFIUTATO"})
    book.both("NOT_COMMERCIAL", **FEW, erp={"commerciale": False}, pcc={"importo_pagato_non_commerciale": 1000})
    book.paid("NOT_COMMERCIAL", 1000, "2025-06-01")
    book.row("budgets", anno=2026, stanziamento=1000000, vincolato="200000.50")
    return book.reconciled(tmp_path_factory.mktemp("indicators"))


def test_itp_counts_early_payments_negative_and_moves_the_due_date_of_a_dispute(seen: Seen) -> None:
    # 600 x 24 - 400 x 4 - 100 x 10 (the note) + 1000 x 5 (disputed: 31/3 less 26/3) = 16 800, over 1 900.
    figures = _figures(seen)
    assert figures["ITP", "2025"] == figures["ITP", "2025-Q1"] == Decimal("8.84")
    assert ("ITP", "2026") not in figures  # what is paid after D
    # PCC's due date is its row's alone: 1000 x 45 instead of 1000 x 5, so 56 800 over 1 900.
    assert _figures(seen, "pcc")["ITP", "2025"] == Decimal("29.89")


def test_means_of_what_was_received_in_the_year(seen: Seen) -> None:
    figures = _figures(seen)
    # From reception 15/1: 600 x 54 + 400 x 26 - 100 x 40 + 1000 x 75 + 3 x 1000 x 350 = 1 163 800, over 4 900.
    assert figures["TMP", "2025"] == Decimal("237.51")
    # From due date: 16 800 + 2 x 1000 x 320 - 1000 x 45 (due 14/2/2026) = 611 800, over 4 900.
    assert figures["TMR", "2025"] == Decimal("124.86")
    # Without what is due in 2026: 656 800 over 3 900.
    assert figures["DELAY", "2025"] == Decimal("168.41")


def test_interest_by_half_year(seen: Seen) -> None:
    # Late payments: 600 x 24 days and 1000 x 5 days at 11.15 % (first half of 2025) = 4.3989 + 1.5274.
    figures = _figures(seen)
    assert figures["INTEREST", "2025"] == Decimal("4.40") + Decimal("1.53")
    # Unpaid at D, two documents: 15/2 to 30/6 136 days at 11.15 %, 1/7 to 31/12 184 days at 10.15 %:
    # 1000 x (136 x 11.15 + 184 x 10.15) / 36 500 = 92.7123.
    assert figures["INTEREST_UNPAID", "2025"] == 2 * Decimal("92.71")


def test_fgdc_says_why(seen: Seen) -> None:
    rows = seen.found.rows("fgdc_steps", "step", "name", "value", "bound", "passed", "rate", "words", where="view = 'right'")
    by_name = {row[1]: row for row in rows}
    # Stock 2 000 (OPEN, AFTER); received 4 900: five percent is 245. Nothing stood on 31/12/2024: no reduction.
    assert by_name["STOCK_SHARE"][2:5] == (Decimal(2000), Decimal(245), False)
    assert by_name["STOCK_REDUCTION"][2:5] == (Decimal(2000), Decimal(0), False)
    assert by_name["STOCK_DUTY"][5] == 5
    assert by_name["DELAY_DUTY"][2] == Decimal("168.41")
    assert by_name["DELAY_DUTY"][5] == 5
    assert by_name["FGDC_RATE"][2] == 5
    assert by_name["FGDC_AMOUNT"][2:4] == (Decimal("39999.98"), Decimal("799999.50"))
    assert "stanziamento 2026" in by_name["FGDC_AMOUNT"][6].lower()
    assert "1.000.000,00" in by_name["FGDC_AMOUNT"][6]


def test_debt_and_creditors(seen: Seen) -> None:
    figures = _figures(seen)
    assert figures["STOCK", "2025-12-31"] == 2000
    assert figures["DEBT", "2025-12-31"] == 3000
    assert figures["CREDITORS", "2025-12-31"] == 3


def test_drilldown_names_the_documents_biggest_first(seen: Seen) -> None:
    found = seen.found.rows(
        "indicator_documents",
        "rank",
        "id_documento",
        "days",
        "contribution",
        where="name = 'ITP' and period = '2025' and view = 'right'",
    )
    assert [(row[1], row[2]) for row in found] == [("LATE", 24), ("DISPUTED", 5), ("LATE", -4), ("NOTE", 10)]
    assert found[0][3] == Decimal("7.58")  # 14 400 over 1 900
    assert found[3][3] == Decimal("-0.53")


def test_trend_at_d_is_the_stock(seen: Seen) -> None:
    trend = dict(seen.found.rows("stock_trend", "day::varchar", "amount", where="view = 'right'"))
    assert trend["2025-12-31"] == seen.found.stock("right") == 2000
    assert trend["2025-02-13"] == 0
    # From 14/2 all that is due then and not paid: LATE 600, OPEN, AFTER, less the note; DISPUTED is due on 26/3.
    assert trend["2025-02-14"] == 2500
    assert trend["2025-03-26"] == 3000
    assert trend["2025-03-31"] == 2000


@pytest.mark.parametrize(
    ("paid_on", "rate"),
    [
        ("2025-02-14", 0),
        ("2025-02-15", 1),
        ("2025-02-24", 1),
        ("2025-02-25", 2),
        ("2025-03-16", 2),
        ("2025-03-17", 3),
        ("2025-04-15", 3),
        ("2025-04-16", 5),
    ],
)
def test_rate_from_delay(tmp_path: Path, paid_on: str, rate: int) -> None:
    book = Book()
    book.both("ONLY", **FEW, pcc={"importo_pagato": 1000, "stato_documento": "PAGATO"})
    _pays(book, "ONLY", 1000, paid_on)
    assert _figures(book.reconciled(tmp_path))["FGDC_RATE", "2025"] == rate


def test_stock_reduced_by_a_tenth_bears_no_duty(tmp_path: Path) -> None:
    book = Book()
    book.both("OLD", **FEW, data_emissione="2024-01-10", data_ricezione="2024-01-15", data_scadenza="2024-02-14")
    book.row("budgets", anno=2025, stanziamento=1, stock_precedente="1111.12")
    steps = book.reconciled(tmp_path).found.rows("fgdc_steps", "name", "bound", "passed", where="view = 'right'")
    # The ente states 1 111.12: 90 % is 1 000.01. Nothing was received in 2025.
    assert ("STOCK_REDUCTION", Decimal("1000.01"), True) in steps
    assert ("STOCK_DUTY", None, True) in steps


def test_a_health_body_pays_in_sixty_days(tmp_path: Path) -> None:
    book = Book()
    book.both("ONLY", **FEW, data_scadenza=None, pcc={"importo_pagato": 1000, "stato_documento": "PAGATO"})
    _pays(book, "ONLY", 1000, "2025-03-20")
    # Received 15/1: due 14/2 after 30 days, 16/3 after 60.
    assert _figures(book.reconciled(tmp_path / "town"))["ITP", "2025"] == 34
    assert _figures(book.reconciled(tmp_path / "hospital", tipo="SANITARIO"))["ITP", "2025"] == 4


def test_nothing_delivered_gives_no_figure_but_a_test_passed(tmp_path: Path) -> None:
    figures = _figures(Book().reconciled(tmp_path))
    assert figures == {
        ("FGDC_RATE", "2025"): 0,
        ("STOCK", "2025-12-31"): 0,
        ("DEBT", "2025-12-31"): 0,
        ("CREDITORS", "2025-12-31"): 0,
    }
