"""The report of an ente: what it says agrees with the published tables, as HTML and as Excel."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import python_calamine as calamine
from steps import publish_steps

from pcc_pipeline.database.engine import engine
from pcc_pipeline.demo import write_provider
from pcc_pipeline.installation import Installation
from pcc_pipeline.italian import euro
from pcc_pipeline.reports import pictures
from pcc_pipeline.reports.facts import NothingPublished
from pcc_pipeline.reports.write import write_bonifica
from pcc_pipeline.settings import Settings


def test_the_waterfall_leads_from_pcc_to_right_over_the_projection() -> None:
    parts = [("PAID_NOT_REPORTED", Decimal(300), Decimal(0)), ("AMOUNT_DIFFERS", Decimal(0), Decimal(-50))]
    drawn = pictures.settled_bars(Decimal(1000), parts, Decimal(750))
    assert [(bar.words, bar.start, bar.end) for bar in drawn] == [
        ("Stock PCC", 0, 1000),
        ("PAID_NOT_REPORTED", 1000, 700),
        ("Stock proiettato", 0, 700),
        ("AMOUNT_DIFFERS", 700, 750),
        ("Stock corretto", 0, 750),
    ]
    assert drawn[1].fill == pictures.SETTLED and drawn[3].fill == pictures.OPEN


def test_the_report_agrees_with_what_is_published(installation: Installation, settings: Settings, tmp_path: Path) -> None:
    inbox = settings.home / "delivered"
    write_provider(
        inbox,
        enti=1,
        documents=120,
        seed=3,
        reference_date=date(2025, 12, 31),
        observed_at=date(2026, 1, 20),
        sdi_share=0,
        bad_rows=False,
    )
    (ente,) = (folder.name for folder in inbox.iterdir() if not folder.name.startswith("_"))
    database = engine(settings)
    with pytest.raises(NothingPublished):
        write_bonifica(database, ente, tmp_path / "early.html")
    publish_steps(installation, ente, date(2025, 12, 31), date(2026, 1, 20), inbox=inbox)
    with pytest.raises(ValueError):
        write_bonifica(database, ente, tmp_path / "report.doc")
    found = write_bonifica(database, ente, tmp_path / "report.html")
    assert sum(step.amount for step in found.steps) == found.stocks["pcc"] - found.stocks["right"]
    assert sum(step.remaining for step in found.steps) == found.remaining
    assert sum(pcc for bucket, pcc, _, _ in found.by_bucket if bucket != "not_due") == found.stocks["pcc"]
    assert [row["priority"] for row in found.work] == sorted((row["priority"] for row in found.work), reverse=True)

    page = (tmp_path / "report.html").read_text()
    assert "<svg" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    for amount in found.stocks.values():
        assert euro(amount) in page

    write_bonifica(database, ente, tmp_path / "report.xlsx")
    book = calamine.CalamineWorkbook.from_path(str(tmp_path / "report.xlsx"))
    questions = book.get_sheet_by_name("Domande").to_python()
    assert questions[0][:3] == ["risposta", "valore", "dal"]
    assert len(questions) == 1 + found.questions > 1
    work = book.get_sheet_by_name("Lavoro").to_python()
    assert len(work) == 1 + found.documents
    assert sum(row[work[0].index("importo")] for row in work[1:]) == pytest.approx(
        float(found.stocks["pcc"] - found.stocks["right"])
    )
    assert not list(tmp_path.glob(".*"))
