"""The calendar: which days, what is met, what is said before and after, and that it is told once."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from test_rules_base import Book

from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.enti.duties import DutyDate
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs import pipeline
from pcc_pipeline.runs.inputs import parameters
from pcc_pipeline.service.deadlines import alerts, span
from pcc_pipeline.service.lookout import look_at_deadlines
from pcc_pipeline.settings import Settings

TODAY = date(2026, 1, 24)


def _deadline(due_on: date, met_on: date | None = None, tracked: bool = True, **more: Any) -> DutyDate:
    return DutyDate("alfa", "STOCK_ANNUAL", due_on, date(2025, 12, 31), "Stock", "L. 145/2018", met_on, tracked, **more)


def test_the_days_of_the_law(tmp_path: Path) -> None:
    yearly = "year(due_on) = 2026 and every = 'YEAR'"
    found = Book().reconciled(tmp_path).found.rows("deadlines", "duty", "due_on", "concerns_day", where=yearly)
    days = {duty: (due, concerns) for duty, due, concerns in found}
    assert days["STOCK_ANNUAL"] == (date(2026, 1, 31), date(2025, 12, 31))
    assert days["STOCK_QUARTER_1"] == (date(2026, 4, 30), date(2026, 3, 31))
    assert days["STOCK_QUARTER_2"] == (date(2026, 7, 31), date(2026, 6, 30))
    assert days["STOCK_QUARTER_3"] == (date(2026, 10, 31), date(2026, 9, 30))
    assert days["FGDC"] == (date(2026, 2, 28), date(2025, 12, 31))


def test_each_month_the_debts_whose_term_was_exceeded_in_the_month_before(tmp_path: Path) -> None:
    book = Book()
    book.both("JAN", importo_totale=100, data_scadenza="2025-01-30")
    # Due on 31/1: the term is exceeded on 1/2. One of February was paid within it, one in part.
    book.both("FEB", importo_totale=200, data_scadenza="2025-01-31")
    book.both("PAID", importo_totale=300, data_scadenza="2025-02-14")
    book.paid("PAID", 300, "2025-02-20")
    book.both("PART", importo_totale=400, data_scadenza="2025-02-14")
    book.paid("PART", 150, "2025-02-28")
    book.both("LAST", importo_totale=500, data_scadenza="2025-12-31")
    columns = ("due_on", "concerns_day", "documents", "amount")
    found = book.reconciled(tmp_path).found.rows("deadlines", *columns, where="duty = 'DEBTS_MONTHLY'")
    assert len(found) == 36
    by_day = {row[0]: row[1:] for row in found}
    assert by_day[date(2025, 2, 15)] == (date(2025, 1, 31), 1, Decimal(100))
    assert by_day[date(2025, 3, 15)] == (date(2025, 2, 28), 2, Decimal(450))
    assert by_day[date(2025, 4, 15)] == (date(2025, 3, 31), 0, Decimal(0))
    assert by_day[date(2026, 2, 15)] == (date(2026, 1, 31), None, None)


def test_with_siope_plus_the_yearly_stock_is_advised(tmp_path: Path) -> None:
    where = "duty in ('STOCK_ANNUAL', 'STOCK_QUARTER_1') and year(due_on) = 2026"

    def owed(**facts: Any) -> dict[str, tuple[bool, str]]:
        rows = Book().reconciled(tmp_path, **facts).found.rows("deadlines", "duty", "owed", "words", where=where)
        return {duty: (owed, words) for duty, owed, words in rows}

    assert owed()["STOCK_ANNUAL"][0] is True
    assert owed(siope_plus=False)["STOCK_ANNUAL"][0] is True
    assert owed(siope_plus=True, siope_plus_dal=date(2026, 1, 1))["STOCK_ANNUAL"][0] is True
    advised = owed(siope_plus=True, siope_plus_dal=date(2018, 1, 1))
    assert advised["STOCK_ANNUAL"][0] is False and advised["STOCK_ANNUAL"][1].startswith("Consigliata")
    assert advised["STOCK_QUARTER_1"][0] is True


def test_what_the_ente_declares_meets_the_publication(tmp_path: Path) -> None:
    where = "duty = 'ART33_ANNUAL' and year(due_on) in (2025, 2026)"

    def met(**facts: Any) -> list[tuple[Any, ...]]:
        return Book().reconciled(tmp_path, **facts).found.rows("deadlines", "due_on", "met_by", "delivered_on", where=where)

    # Who declares nothing is not called late.
    assert met() == [(date(2025, 1, 31), None, None), (date(2026, 1, 31), None, None)]
    assert met(pubblicato_il=date(2026, 1, 25)) == [
        (date(2025, 1, 31), "register:pubblicato_il", None),
        (date(2026, 1, 31), "register:pubblicato_il", date(2026, 1, 25)),
    ]


def test_the_register_of_enti_tells_the_models(installation: Installation, settings: Settings) -> None:
    folder = settings.inbox / "_provider" / "enti"
    folder.mkdir(parents=True)
    (folder / "enti.csv").write_text(
        "ente;denominazione;cf;siope_plus;siope_plus_dal;pubblicato_il\n"
        "alfa;Comune di Alfa;80012340157;S;2018-01-01;2026-01-25\nbeta;Comune di Beta;80012340158;;;\n"
    )
    pipeline.read_provider(installation)

    def told(ente: str) -> tuple[object, ...]:
        found = parameters(ente_facts(installation, ente), TODAY, TODAY)
        return found.siope_plus, found.siope_plus_dal, found.pubblicato_il

    assert told("alfa") == (True, date(2018, 1, 1), date(2026, 1, 25))
    assert told("beta") == (None, None, None)


def test_a_delivery_meets_its_duty(tmp_path: Path) -> None:
    book = Book()
    book.row("open_list", piva_fornitore="10000000001", numero="1")
    rows = book.reconciled(tmp_path).found.rows(
        "deadlines", "duty", "delivered_on", where="due_on = '2026-01-15' and every = 'YEAR'"
    )
    assert rows == [("PORTAL_OPEN_LIST", date(2026, 1, 1)), ("PORTAL_SPECIAL_CASES", None)]


@pytest.mark.parametrize(
    ("due_on", "severity"),
    [
        (TODAY + timedelta(days=30), "info"),
        (TODAY + timedelta(days=7), "warning"),
        (TODAY, "warning"),
        (TODAY - timedelta(days=1), "error"),
        (TODAY - timedelta(days=7), "error"),
    ],
)
def test_alerts_before_and_after(due_on: date, severity: str) -> None:
    (alert,) = alerts([_deadline(due_on)], TODAY - timedelta(days=1), TODAY)
    assert alert.severity == severity
    assert f"{due_on:%d/%m/%Y}" in alert.words


def test_no_alert_between_the_days_nor_for_what_is_met_nor_twice() -> None:
    yesterday = TODAY - timedelta(days=1)
    assert not alerts([_deadline(TODAY + timedelta(days=8))], yesterday, TODAY)
    assert not alerts([_deadline(TODAY, met_on=TODAY)], yesterday, TODAY)
    assert not alerts([_deadline(TODAY)], TODAY, TODAY)
    # What no delivery or publication can show to be met is not called late.
    assert not alerts([_deadline(yesterday, tracked=False)], yesterday, TODAY)
    assert alerts([_deadline(TODAY, tracked=False)], yesterday, TODAY)


def test_what_is_advised_or_monthly_is_said_quietly() -> None:
    yesterday = TODAY - timedelta(days=1)
    (advised,) = alerts([_deadline(TODAY, owed=False)], yesterday, TODAY)
    assert advised.severity == "info"
    assert not alerts([_deadline(yesterday, owed=False)], yesterday, TODAY)
    # A duty of each month is not said a month before, nor where no debt is to be told.
    month = {"every": "MONTH", "tracked": False}
    assert not alerts([_deadline(TODAY + timedelta(days=30), **month)], yesterday, TODAY)
    assert not alerts([_deadline(TODAY, **month, documents=0)], yesterday, TODAY)
    (monthly,) = alerts([_deadline(TODAY, **month, documents=3)], yesterday, TODAY)
    assert "3 documenti" in monthly.words


def test_after_a_pause_the_latest_of_several_alerts_stands() -> None:
    (alert,) = alerts([_deadline(TODAY)], TODAY - timedelta(days=20), TODAY)
    assert "oggi" in alert.words
    assert span() == (30, 30)


def test_a_deadline_is_told_once_by_the_channels_of_all_alerts(installation: Installation, settings: Settings) -> None:
    connected = engine(settings)
    values = {
        "ente": "alfa", "duty": "STOCK_ANNUAL", "due_on": TODAY + timedelta(days=7), "concerns_day": date(2025, 12, 31),
        "words": "Stock al 31/12/2025", "source": "L. 145/2018", "met_by": "publication",
        "reference_date": TODAY, "observed_at": TODAY, "every": "YEAR", "owed": True,
    }  # fmt: skip
    known = {column.name for column in table("deadlines").columns}
    with connected.begin() as connection:
        connection.execute(sa.insert(table("deadlines")).values({k: v for k, v in values.items() if k in known}))
    for _ in range(2):
        (said,) = look_at_deadlines(installation, TODAY - timedelta(days=1), TODAY)
        assert said.days_left == 7
    with connected.connect() as connection:
        (raised,) = connection.execute(sa.select(table("alerts"))).mappings().all()
    assert raised["kind"] == "DEADLINE" and "tra 7 giorni" in raised["words"]
    assert (settings.home / "alerts.log").read_text().count("Stock al 31/12/2025") == 1
