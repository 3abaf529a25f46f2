"""The report as PDF, with ReportLab: it comes whole from PyPI, where other writers need a browser or system libraries.

The same facts and charts as the page; only what paper needs is here: page numbers, tables that break over pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pcc_pipeline import italian
from pcc_pipeline.reports import pictures
from pcc_pipeline.reports.facts import VIEWS, Facts
from pcc_pipeline.reports.page import drawn, indicator_rows

#: Width of the text on an A4 sheet, in points.
WIDTH = 500
#: The charts by what stands above them, in order.
_CHARTS = {
    "Perché PCC è diversa": "waterfall",
    "Debito per giorni di ritardo": "ageing",
    "Andamento": "trend",
    "Maggiori creditori": "creditors",
}

Words = Callable[..., Any]


def write_paper(facts: Facts, out: Path) -> None:
    """Writes an ente's report; the same facts make the same bytes."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    day = italian.day(facts.reference_date)

    def foot(canvas: Any, document: Any) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(47, 25, f"{facts.name[:70]} – {day}")
        canvas.drawRightString(A4[0] - 47, 25, f"pagina {document.page}")

    document = SimpleDocTemplate(
        str(out),
        pagesize=A4,
        leftMargin=47,
        rightMargin=47,
        topMargin=40,
        bottomMargin=45,
        invariant=1,
        title=f"{facts.name} – debito commerciale al {day}",
        lang="it",
    )
    words = _words()
    story = [part for of in (_stock, _suspended, _indicators, _fgdc, _greatest) for part in of(facts, words)]
    document.build(story, onFirstPage=foot, onLaterPages=foot)


def _words() -> Words:
    """What makes a paragraph of a text, in one of ReportLab's styles."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph

    styles = getSampleStyleSheet()
    styles["BodyText"].fontSize, styles["BodyText"].leading = 9, 12
    return lambda text, style="BodyText": Paragraph(escape(text), styles[style])


def _section(title: Any, *flow: Any) -> list[Any]:
    """A title, on the page of what comes first below it."""
    from reportlab.platypus import KeepTogether, Spacer

    return [Spacer(1, 10), KeepTogether([title, *flow[:1]]), *flow[1:]]


def _stock(facts: Facts, words: Words) -> list[Any]:
    """The stock by view, and the charts."""
    from reportlab.platypus import Spacer

    day, euro = italian.day, italian.euro
    story: list[Any] = [
        words(facts.name, "Title"),
        words(f"Debito commerciale al {day(facts.reference_date)}, fatti noti al {day(facts.observed_at)}"),
        Spacer(1, 8),
        _table(
            ["", *(italian.VIEWS[view] for view in VIEWS), "Differenza"],
            [["Stock", *(euro(facts.stock[view]) for view in VIEWS), euro(facts.difference)]],
        ),
        Spacer(1, 6),
        words(f"{facts.operations} operazioni proposte su PCC, {facts.questions} domande che aspettano una risposta."),
    ]
    charts = {name: pictures.drawing(picture, WIDTH) for name, picture in drawn(facts).items()}
    for title, chart in _CHARTS.items():
        story += _section(words(title, "Heading2"), charts[chart])
    return story


def _suspended(facts: Facts, words: Words) -> list[Any]:
    if not facts.suspended:
        return []
    rows = [
        [words(italian.SUSPENSIONS[row.kind]), row.documents, italian.euro(row.erp_amount), italian.euro(row.pcc_amount)]
        for row in facts.suspended
    ]
    table = _table(["Specie", "Documenti", "Gestionale", "PCC"], rows, [200, 70, 110, 110])
    return _section(words("Sospeso, per specie", "Heading2"), table)


def _indicators(facts: Facts, words: Words) -> list[Any]:
    return _section(
        words("Indicatori", "Heading2"),
        _table(
            ["Indicatore", "Periodo", *(italian.VIEWS[view] for view in VIEWS)],
            [[words(row.said), italian.period(row.period), *row.cells] for row in indicator_rows(facts)],
            [150, 85, 75, 75, 115],
        ),
    )


def _fgdc(facts: Facts, words: Words) -> list[Any]:
    from reportlab.platypus import ListFlowable

    story: list[Any] = []
    for view in ("right", "pcc"):
        steps = ListFlowable([words(step.words) for step in facts.fgdc[view]], bulletType="1", bulletFontSize=9)
        title = f"Fondo di garanzia dei debiti commerciali, anno {facts.year}: {italian.VIEWS[view]}"
        story += _section(words(title, "Heading2"), steps)
    return story


def _greatest(facts: Facts, words: Words) -> list[Any]:
    return _section(
        words(f"I documenti che pesano di più, {facts.year}", "Heading2"),
        _table(
            ["Indicatore", "Fattura", "Creditore", "Importo", "Giorni", "Contributo"],
            [
                [
                    row.name,
                    words(row.numero),
                    words(row.creditor_name or row.creditor),
                    italian.euro(row.amount),
                    row.days,
                    italian.number(row.contribution),
                ]
                for row in facts.greatest
                if row.name in ("ITP", "DELAY")
            ],
            [55, 80, 180, 85, 40, 60],
        ),
    )


def _table(titles: Sequence[str], rows: Sequence[Sequence[Any]], widths: Sequence[float] | None = None) -> Any:
    """A table whose titles come again on each page; all but the first two columns to the right where they are text."""
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import Table

    made = Table(
        [list(titles), *map(list, rows)],
        colWidths=list(widths) if widths else None,
        repeatRows=1,
        hAlign="LEFT",
    )
    made.setStyle(
        [
            ("FONTSIZE", (0, 0), (-1, -1), 8),
            ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
            ("LINEBELOW", (0, 0), (-1, 0), 1, HexColor("#9aa4b2")),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, HexColor("#d5d9e0")),
            ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    return made
