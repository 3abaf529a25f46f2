"""Section 8 of the rules: each indicator by hand, the examples of docs/indicators.md. Not here: FGDC, the means' readings."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_rules_base import Book, Seen

FEW: dict[str, Any] = {"importo_totale": 1000, "split_payment": False}
PAID = {"importo_pagato": 1000, "stato_documento": "PAGATO"}


def pays(book: Book, document: str, amount: Any, day: str, **values: Any) -> None:
    """A payment on both sides."""
    book.paid(document, amount, day, **values)
    book.moved(document, "CP", day, amount, data_pagamento=day)


def figures(seen: Seen, view: str = "right") -> dict[tuple[str, str], Decimal]:
    """The indicators of a view, by name and period."""
    rows = seen.found.rows("indicators", "name", "period", "value", where=f"view = '{view}'")
    return {(name, period): value for name, period, value in rows}


def notes(seen: Seen, name: str, period: str) -> dict[str, str | None]:
    """What is said of an indicator, by view."""
    return dict(seen.found.rows("indicators", "view", "note", where=f"name = '{name}' and period = '{period}'"))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The plain document: issued 10/1/2025, received 15/1, due 14/2/2025. D is 31/12/2025, O 20/1/2026."""
    book = Book()
    # Paid 24 days late, and in part 4 days early; the first order left the ente 6 days before the quietanza.
    book.both("LATE", **FEW, pcc=PAID)
    pays(book, "LATE", 600, "2025-03-10", data_trasmissione="2025-03-04")
    pays(book, "LATE", 400, "2025-02-10")
    # Unpaid at year end.
    book.both("OPEN", **FEW)
    # Paid after year end: counts as unpaid on 31/12 in the year's means, not in the ITP of 2025.
    book.both("AFTER", **FEW, pcc=PAID)
    pays(book, "AFTER", 1000, "2026-01-10")
    # A credit note counts negative.
    book.both("NOTE", tipo_documento="TD04", importo_totale=100, pcc={"importo_pagato": 100})
    pays(book, "NOTE", 100, "2025-02-24")
    # Disputed from 1/2 to 13/3: the right due date moves 40 days, to 26/3. Paid on 31/3.
    book.both("DISPUTED", **FEW, pcc=PAID)
    book.moved("DISPUTED", "CO", "2025-02-01", 1000, stato_debito="SOSP", causale="CONT")
    book.moved("DISPUTED", "CO", "2025-03-13", 1000, stato_debito="LIQdaSOSP")
    pays(book, "DISPUTED", 1000, "2025-03-31")
    # Received in 2025, due in 2026, not paid: in TMP and TMR, not in the annual delay.
    book.both("LATER_DUE", **FEW, data_scadenza="2026-02-14")
    # Received in 2025, due in 2026, paid 46 days early within 2025: in the annual delay of 2025.
    book.both("EARLY", **FEW, data_scadenza="2026-02-14", pcc=PAID)
    pays(book, "EARLY", 1000, "2025-12-30")
    # Received in 2024, due and paid in 2025, 10 days late: in the annual delay of 2025, not in its means.
    book.both("OLDER", **FEW, data_emissione="2024-12-20", data_ricezione="2024-12-22", data_scadenza="2025-01-21", pcc=PAID)
    pays(book, "OLDER", 1000, "2025-01-31", data_trasmissione="2025-01-31")
    # Rejected and non-commercial documents count nowhere.
    book.both("REJECTED", **FEW, erp={"stato": "RIFIUTATA"}, pcc={"stato_documento": "RIFIUTATO"})
    book.both("NOT_COMMERCIAL", **FEW, erp={"commerciale": False}, pcc={"importo_pagato_non_commerciale": 1000})
    book.paid("NOT_COMMERCIAL", 1000, "2025-06-01")
    return book.reconciled(tmp_path_factory.mktemp("indicators"))


def test_itp_counts_to_the_transmission_and_moves_the_due_date_of_a_dispute(seen: Seen) -> None:
    # 600 x 18 (to 4/3) - 400 x 4 - 100 x 10 (the note) + 1000 x 5 (disputed: 31/3 less 26/3) + 1000 x 10 - 1000 x 46
    # = -22 800, over 3 900.
    found = figures(seen)
    assert found["ITP", "2025"] == Decimal("-5.85")
    # First quarter: without the document paid in December, 23 200 over 2 900.
    assert found["ITP", "2025-Q1"] == Decimal("8.00")
    assert ("ITP", "2026") not in found  # what is paid after D
    # PCC's due date is its row's alone, and it has one day of payment: 600 x 24 and 1000 x 45 instead: 20 800 over 3 900.
    assert figures(seen, "pcc")["ITP", "2025"] == Decimal("5.33")


def test_itp_says_for_how_much_the_quietanza_counts(seen: Seen) -> None:
    # 400 - 100 + 1000 + 1000 have no transmission.
    assert seen.found.rows("indicators", "view", "by_receipt", where="name = 'ITP' and period = '2025'") == [
        ("pcc", None),
        ("projected", None),
        ("right", Decimal(2300)),
    ]
    note = notes(seen, "ITP", "2025")["right"]
    assert note is not None and "2.300,00 € su 3.900,00 €" in note


def test_means_of_what_was_received_in_the_year(seen: Seen) -> None:
    found = figures(seen)
    # From issue 10/1: 600 x 59 + 400 x 31 - 100 x 45 + 1000 x (80 - 40 suspended) + 3 x 1000 x 355 + 1000 x 354 = 1 502 300,
    # over 5 900.
    assert found["TMP", "2025"] == Decimal("254.63")
    # From due date: 600 x 24 - 400 x 4 - 100 x 10 + 1000 x (45 - 40) + 2 x 1000 x 320 - 1000 x 45 - 1000 x 46 = 565 800.
    assert found["TMR", "2025"] == Decimal("95.90")
    # PCC's view takes the days of the suspension off, too.
    assert figures(seen, "pcc")["TMP", "2025"] == found["TMP", "2025"]
    assert figures(seen, "pcc")["TMR", "2025"] == found["TMR", "2025"]
    # The year is past: nothing is simulated.
    assert notes(seen, "TMR", "2025") == {"pcc": None, "right": None, "projected": None}
    # Received in 2024, unpaid on its 31/12: 11 days from issue, 21 before it was due.
    assert (found["TMP", "2024"], found["TMR", "2024"]) == (Decimal(11), Decimal(-21))


def test_annual_delay_of_what_was_due_or_paid_before(seen: Seen) -> None:
    # The numbers of TMR without what is due in 2026 and unpaid, and with what was received in 2024:
    # 14 400 - 1 600 - 1 000 + 5 000 + 640 000 - 46 000 + 10 000 = 620 800, over 5 900.
    assert figures(seen)["DELAY", "2025"] == Decimal("105.22")
    assert ("DELAY", "2024") not in figures(seen)
    assert ("DELAY", "2026") not in figures(seen)


def test_interest_by_half_year(seen: Seen) -> None:
    # Late payments at 11.15 % (first half of 2025), by the quietanza: 600 x 24 days, 1000 x 5 days, 1000 x 10 days
    # = 4.3989, 1.5274, 3.0548.
    found = figures(seen)
    assert found["INTEREST", "2025"] == Decimal("4.40") + Decimal("1.53") + Decimal("3.05")
    # Unpaid at D, two documents: 15/2 to 30/6 136 days at 11.15 %, 1/7 to 31/12 184 days at 10.15 %:
    # 1000 x (136 x 11.15 + 184 x 10.15) / 36 500 = 92.7123.
    assert found["INTEREST_UNPAID", "2025"] == 2 * Decimal("92.71")


def test_debt_and_creditors(seen: Seen) -> None:
    found = figures(seen)
    assert found["STOCK", "2025-12-31"] == 2000
    assert found["DEBT", "2025-12-31"] == 3000
    assert found["CREDITORS", "2025-12-31"] == 3


def test_drilldown_names_the_documents_biggest_first_and_makes_the_figure(seen: Seen) -> None:
    columns = ("rank", "id_documento", "suspended_days", "days", "contribution", "amount")
    itp = seen.found.rows("indicator_documents", *columns, where="name = 'ITP' and period = '2025' and view = 'right'")
    assert [(row[1], row[3]) for row in itp] == [
        ("EARLY", -46), ("LATE", 18), ("OLDER", 10), ("DISPUTED", 5), ("LATE", -4), ("NOTE", 10),
    ]  # fmt: skip
    assert itp[1][4] == Decimal("2.77")  # 10 800 over 3 900
    assert itp[5][4] == Decimal("-0.26")
    tmr = seen.found.rows("indicator_documents", *columns, where="name = 'TMR' and period = '2025' and view = 'right'")
    assert {(row[1], row[2], row[3]) for row in tmr if row[1] == "DISPUTED"} == {("DISPUTED", 40, 5)}
    assert sum(row[5] * row[3] for row in tmr) == 565800
    unpaid = seen.found.rows(
        "indicator_documents", "unpaid", where="name = 'TMR' and id_documento = 'AFTER' and view = 'right'"
    )
    assert unpaid == [(True,)]  # as it was on 31/12


def test_trend_at_d_is_the_stock(seen: Seen) -> None:
    trend = dict(seen.found.rows("stock_trend", "day::varchar", "amount", where="view = 'right'"))
    assert trend["2025-12-31"] == seen.found.stock("right") == 2000
    assert trend["2025-02-13"] == 0
    # From 14/2 all that is due then and not paid: LATE 600, OPEN, AFTER, less the note; DISPUTED is due on 26/3.
    assert trend["2025-02-14"] == 2500
    assert trend["2025-03-26"] == 3000
    assert trend["2025-03-31"] == 2000


def test_while_the_year_runs_pcc_simulates_and_the_right_view_observes(tmp_path: Path) -> None:
    book = Book()
    book.both("OPEN", **FEW)
    found = book.reconciled(tmp_path, reference_date=date(2025, 6, 30), observed_at=date(2025, 7, 10))
    # From 14/2 to 31/12: 320 days; to 10/7: 146. From issue 355 and 181.
    assert figures(found, "pcc")["TMR", "2025"] == figures(found, "pcc")["DELAY", "2025"] == 320
    assert figures(found)["TMR", "2025"] == figures(found, "projected")["DELAY", "2025"] == 146
    assert (figures(found, "pcc")["TMP", "2025"], figures(found)["TMP", "2025"]) == (355, 181)
    simulated = found.found.rows("indicators", "view", "simulated", where="name = 'TMR'")
    assert simulated == [("pcc", True), ("projected", False), ("right", False)]
    said = notes(found, "DELAY", "2025")
    assert said["pcc"] == "Simulazione: l'anno è in corso e il non pagato conta fino al 31/12/2025."
    assert said["right"] == "Anno in corso: il non pagato conta fino al 10/07/2025."
    steps = dict(found.found.rows("fgdc_steps", "view", "words", where="name = 'DELAY_DUTY'"))
    assert "simulazione" in steps["pcc"] and "simulazione" not in steps["right"]


def test_a_health_body_pays_in_sixty_days(tmp_path: Path) -> None:
    book = Book()
    book.both("ONLY", **FEW, data_scadenza=None, pcc=PAID)
    pays(book, "ONLY", 1000, "2025-03-20")
    # Received 15/1: due 14/2 after 30 days, 16/3 after 60.
    assert figures(book.reconciled(tmp_path / "town"))["ITP", "2025"] == 34
    assert figures(book.reconciled(tmp_path / "hospital", tipo="SANITARIO"))["ITP", "2025"] == 4


def test_petty_cash_and_direct_debits_have_no_transmission_to_wait_for(tmp_path: Path) -> None:
    book = Book()
    book.both("CASH", **FEW, pcc=PAID)
    pays(book, "CASH", 1000, "2025-02-20", modalita="ECONOMALE")
    found = book.reconciled(tmp_path)
    assert figures(found)["ITP", "2025"] == 6
    assert notes(found, "ITP", "2025")["right"] is None


def test_an_order_sent_before_the_period_ends_counts_in_it(tmp_path: Path) -> None:
    book = Book()
    book.both("ONLY", **FEW, data_scadenza="2025-12-20", pcc=PAID)
    pays(book, "ONLY", 1000, "2026-01-04", data_trasmissione="2025-12-30")
    assert figures(book.reconciled(tmp_path))["ITP", "2025-Q4"] == 10


def test_what_does_not_count_in_the_stock_does_not_count_here(tmp_path: Path) -> None:
    """Paid over the amount, net of what is withheld, no debt at all; each paid after D, so that the trend meets the stock of D."""
    book = Book()
    book.both("TWICE", **FEW)
    book.paid("TWICE", 600, "2025-03-10")
    book.paid("TWICE", 600, "2026-01-10")
    book.both("NET", **FEW, erp={"importo_ritenuta": 200})
    book.paid("NET", 800, "2026-01-10")
    book.both("SELF", **FEW, tipo_documento="TD16")
    book.paid("SELF", 1000, "2025-03-10")
    found = book.reconciled(tmp_path).found
    trend = dict(found.rows("stock_trend", "view", "amount", where="day = '2025-12-31'"))
    assert trend == dict(found.rows("stock", "view", "amount"))
    assert trend["right"] == 400 + 1000
    # Of TWICE 400 count on 10/1/2026, of NET all 1 000 with the net.
    columns = ("id_documento", "paid_on::varchar", "amount")
    assert found.rows("portions", *columns, where="view = 'right'") == [
        ("NET", "2026-01-10", Decimal(1000)),
        ("TWICE", "2025-03-10", Decimal(600)),
        ("TWICE", "2026-01-10", Decimal(400)),
    ]


def test_nothing_delivered_gives_no_figure_but_a_test_passed(tmp_path: Path) -> None:
    assert figures(Book().reconciled(tmp_path)) == {
        ("FGDC_RATE", "2025"): 0,
        ("STOCK", "2025-12-31"): 0,
        ("DEBT", "2025-12-31"): 0,
        ("CREDITORS", "2025-12-31"): 0,
    }
