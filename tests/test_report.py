"""The report of an ente: what it says agrees with the published tables, as HTML and as Excel."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import python_calamine as calamine

from assets.run import run_headless
from pcc_pipeline.bonifica import NotReportedError, html, report_of, write_report
from pcc_pipeline.bonifica.facts import Step
from pcc_pipeline.bonifica.waterfall import bars, euro
from pcc_pipeline.database.engine import engine
from pcc_pipeline.demo import write_provider
from pcc_pipeline.settings import Settings


def test_the_waterfall_leads_from_pcc_to_right_over_the_projection() -> None:
    steps = [Step("PAID_NOT_REPORTED", 2, Decimal(300), Decimal(0)), Step("AMOUNT_DIFFERS", 1, Decimal(-50), Decimal(-50))]
    drawn = bars(Decimal(1000), Decimal(750), steps)
    assert [(bar.label, bar.start, bar.end, bar.kind) for bar in drawn] == [
        ("Stock su PCC", 0, 1000, "stock"),
        ("PAID_NOT_REPORTED", 1000, 700, "settled"),
        ("Stock proiettato", 0, 700, "stock"),
        ("AMOUNT_DIFFERS", 700, 750, "open"),
        ("Stock giusto", 0, 750, "stock"),
    ]
    assert euro(Decimal("-1234567.80")) == "-1.234.567,80"


def test_the_report_agrees_with_what_is_published(settings: Settings, tmp_path: Path) -> None:
    inbox = settings.home / "delivered"
    write_provider(inbox, enti=1, documents=120, seed=3, reference_date=date(2025, 12, 31), observed_at=date(2026, 1, 20), sdi_share=0)
    (ente,) = (folder.name for folder in inbox.iterdir() if not folder.name.startswith("_"))
    database = engine(settings)
    with pytest.raises(NotReportedError):
        write_report(database, ente, tmp_path / "early.html")
    assert run_headless(settings, [ente], date(2025, 12, 31), date(2026, 1, 20), inbox=inbox)
    found = report_of(database, ente)
    assert found is not None
    assert sum(step.amount for step in found.steps) == found.stocks["pcc"] - found.stocks["right"]
    assert sum(step.remaining for step in found.steps) == found.remaining
    assert sum(pcc for bucket, pcc, _, _ in found.by_bucket if bucket != "not_due") == found.stocks["pcc"]
    assert [row["priority"] for row in found.work] == sorted((row["priority"] for row in found.work), reverse=True)

    page = html(found)
    assert "<svg" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    for amount in found.stocks.values():
        assert euro(amount) in page

    write_report(database, ente, tmp_path / "report.xlsx")
    book = calamine.CalamineWorkbook.from_path(str(tmp_path / "report.xlsx"))
    questions = book.get_sheet_by_name("Domande").to_python()
    assert questions[0][:3] == ["risposta", "valore", "dal"]
    assert len(questions) == 1 + len(found.questions)
    assert len(book.get_sheet_by_name("Lavoro").to_python()) == 1 + len(found.work)
