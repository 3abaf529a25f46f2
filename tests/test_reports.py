"""Reports: one set of facts in five formats that agree. Not here: the figures (test_rules_*)."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from models import ENTE, OBSERVED_AT, REFERENCE_DATE
from python_calamine import CalamineWorkbook
from test_rules_base import Book

from pcc_pipeline import italian
from pcc_pipeline.arrival.quarantine import write_quarantine
from pcc_pipeline.calculator import prepare
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.installation import Installation
from pcc_pipeline.reports import pictures
from pcc_pipeline.reports.facts import NothingPublished, facts
from pcc_pipeline.reports.write import write_ente, write_provider
from pcc_pipeline.runs.pipeline import published_sources
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store


@pytest.fixture
def reported(installation: Installation, settings: Settings, store: Store) -> tuple[Settings, list[Path]]:
    """An ente with a paid, an open and a wrongly open document, published and reported on."""
    book = Book()
    book.both("OPEN", importo_totale=1000)
    book.both("PAID", importo_totale=500, pcc={"importo_pagato": 500, "stato_documento": "PAGATO"})
    book.paid("PAID", 500, "2025-03-10")
    book.moved("PAID", "CP", "2025-03-10", 500, data_pagamento="2025-03-10")
    book.both("TOLD_LATE", importo_totale="300.10", erp={"denominazione_fornitore": "Ditta <Àccènti> & C."})
    book.paid("TOLD_LATE", "300.10", "2025-02-01")
    held = {"stato": "SOSPESA", "causale": "CONTESTATO", "importo_sospeso": 200, "data_sospensione": "2025-03-01"}
    told = {"importo_sospeso": 200, "importo_sospeso_contenzioso": 200, "data_sospensione_contenzioso": "2025-03-09"}
    book.both("HELD", importo_totale=200, erp=held, pcc=told | {"stato_documento": "CONTABILIZZATO"})
    book.reconciled(settings.home).found.all_made()
    connected = engine(settings)
    write_quarantine(installation, ENTE)
    publish(
        connected,
        ENTE,
        published_sources(store, ENTE),
        Publication(REFERENCE_DATE, OBSERVED_AT, None),
        lambda c: prepare(c, store),
    )
    return settings, write_ente(installation, ENTE, "Comune di <Alfa>")


def test_five_formats_that_agree(reported: tuple[Settings, list[Path]]) -> None:
    settings, files = reported
    by_name = {file.name: file for file in files}
    assert set(by_name) == {"report.html", "report.pdf", "report.xlsx", "art33.csv", "art33.json"}
    found = facts(engine(settings), ENTE)
    assert (found.stock["pcc"], found.stock["right"]) == (Decimal("1300.10"), Decimal("1000.00"))
    page = by_name["report.html"].read_text(encoding="utf-8")
    assert "1.300,10 €" in page
    assert "Comune di &lt;Alfa&gt;" in page
    assert page.count("<svg") == 4
    assert "http://" not in page
    assert "https://" not in page
    assert by_name["report.pdf"].read_bytes().startswith(b"%PDF")
    book = CalamineWorkbook.from_path(str(by_name["report.xlsx"]))
    assert book.sheet_names == ["Riepilogo", "Documenti", "Anomalie", "Creditori", "Sospesi"]
    held = [row[:6] for row in book.get_sheet_by_name("Sospesi").to_python()[2:]]
    number = held[0][1]
    assert held == [
        ["contested", number, 200, date(2025, 3, 1), 0, ""], ["lawsuit", number, 0, "", 200, date(2025, 3, 9)],
    ]  # fmt: skip
    assert "<td>contenzioso</td>" in page
    rows = book.get_sheet_by_name("Documenti").to_python()
    titles = rows[1]
    stock = titles.index("Stock")
    # The sum above the table is the sum of what stands below it, and dates are dates.
    assert rows[0][stock] == pytest.approx(sum(row[stock] for row in rows[2:]))
    assert all(isinstance(row[titles.index("Scadenza")], date) for row in rows[2:])
    right = sum(row[stock] for row in rows[2:] if row[0] == "right")
    assert right == pytest.approx(1000.00)
    table = json.loads(by_name["art33.json"].read_text(encoding="utf-8"))
    (row,) = csv.DictReader(by_name["art33.csv"].read_text(encoding="utf-8").splitlines())
    assert table["ammontare_complessivo_debiti_euro"] == row["ammontare_complessivo_debiti_euro"] == "1000.00"
    assert table["numero_imprese_creditrici"] == int(row["numero_imprese_creditrici"]) == 1
    # 500 x 24 days late, 300.10 x 13 days early: 8 098.70 over 800.10.
    assert table["indicatore_annuale_tempestivita_giorni"] == "10.12"
    # No order says when it was transmitted: the page says it beside the figure, the table for how much.
    assert (
        table["di_cui_pagato_con_data_della_quietanza_euro"] == row["di_cui_pagato_con_data_della_quietanza_euro"] == "800.10"
    )
    assert "Per 800,10 € su 800,10 € vale il giorno della quietanza" in page


def test_written_again_the_same_bytes_and_nothing_unfinished(
    installation: Installation, reported: tuple[Settings, list[Path]]
) -> None:
    _, files = reported
    before = [file.read_bytes() for file in files]
    again = write_ente(installation, ENTE, "Comune di <Alfa>")
    assert [file.read_bytes() for file in again] == before
    assert not list(files[0].parent.glob(".*"))


def test_the_provider_sees_all_enti(installation: Installation, reported: tuple[Settings, list[Path]]) -> None:
    (page,) = write_provider(installation)
    assert "1.300,10" in page.read_text(encoding="utf-8")


def test_nothing_published_is_said(settings: Settings) -> None:
    with pytest.raises(NothingPublished):
        facts(engine(settings), "nobody")


def test_a_waterfall_ends_where_the_right_stock_is() -> None:
    picture = pictures.waterfall(Decimal(100), [("A", Decimal(30)), ("B", Decimal(-5))], Decimal(75))
    bars = [shape for shape in picture.shapes if isinstance(shape, pictures.Rect)]
    assert len(bars) == 4
    ends = [bar.x + bar.width for bar in bars]
    assert ends[0] > ends[3] > 0
    # B's bar ends where the right stock's does.
    assert bars[2].x + bars[2].width == pytest.approx(ends[3])
    assert "<script" not in pictures.svg(pictures.creditors([("<script>", Decimal(1))]))


def test_numbers_as_enti_write_them() -> None:
    assert italian.euro(Decimal("-1234567.5")) == "-1.234.567,50 €"
    assert italian.period("2025-Q4") == "IV trimestre 2025"
    assert italian.day(date(2026, 1, 5)) == "05/01/2026"
