"""The calendar: which days, what is met, what is said before and after, and that it is told once."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from test_rules_base import Book

from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.service.deadlines import DutyDate, alerts, span
from pcc_pipeline.service.lookout import look_at_deadlines
from pcc_pipeline.settings import Settings

TODAY = date(2026, 1, 24)


def _deadline(due_on: date, met_on: date | None = None, tracked: bool = True) -> DutyDate:
    return DutyDate("alfa", "STOCK_ANNUAL", due_on, date(2025, 12, 31), "Stock", "L. 145/2018", met_on, tracked)


def test_the_days_of_the_law(tmp_path: Path) -> None:
    found = Book().reconciled(tmp_path).found.rows("deadlines", "duty", "due_on", "concerns_day", where="year(due_on) = 2026")
    days = {duty: (due, concerns) for duty, due, concerns in found}
    assert days["STOCK_ANNUAL"] == (date(2026, 1, 31), date(2025, 12, 31))
    assert days["STOCK_QUARTER_1"] == (date(2026, 4, 30), date(2026, 3, 31))
    assert days["STOCK_QUARTER_2"] == (date(2026, 7, 31), date(2026, 6, 30))
    assert days["STOCK_QUARTER_3"] == (date(2026, 10, 31), date(2026, 9, 30))
    assert days["FGDC"] == (date(2026, 2, 28), date(2025, 12, 31))


def test_a_delivery_meets_its_duty(tmp_path: Path) -> None:
    book = Book()
    book.row("open_list", piva_fornitore="10000000001", numero="1")
    rows = book.reconciled(tmp_path).found.rows("deadlines", "duty", "delivered_on", where="due_on = '2026-01-15'")
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


def test_after_a_pause_the_latest_of_several_alerts_stands() -> None:
    (alert,) = alerts([_deadline(TODAY)], TODAY - timedelta(days=20), TODAY)
    assert "oggi" in alert.words
    assert span() == (30, 30)


def test_a_deadline_is_told_once_by_the_channels_of_all_alerts(installation: Installation, settings: Settings) -> None:
    connected = engine(settings)
    values = {
        "ente": "alfa", "duty": "STOCK_ANNUAL", "due_on": TODAY + timedelta(days=7), "concerns_day": date(2025, 12, 31),
        "words": "Stock al 31/12/2025", "source": "L. 145/2018", "met_by": "publication",
        "reference_date": TODAY, "observed_at": TODAY,
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
