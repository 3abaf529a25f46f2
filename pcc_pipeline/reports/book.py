"""The report as a workbook: real numbers and dates, Italian formats, filters, sums that Excel and LibreOffice work out.

Documents come from a cursor on the server, a batch at a time; a sheet that cannot hold them all says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pcc_pipeline import italian
from pcc_pipeline.database.schema import table
from pcc_pipeline.reports.facts import VIEWS, Facts

#: Rows of a sheet of documents at most: what matters most first, the rest is in `pcc export`.
ROWS = 100_000
BATCH = 5_000

#: Sheets of a published table: title, table, columns with their titles, order.
SHEETS: tuple[tuple[str, str, tuple[tuple[str, str], ...], tuple[str, ...]], ...] = (
    (
        "Documenti", "debt_positions",
        (
            ("view", "Vista"), ("numero", "Fattura"), ("issue_date", "Emessa"), ("reception_date", "Ricevuta"),
            ("due_date", "Scadenza"), ("creditor", "Creditore"), ("creditor_name", "Denominazione"),
            ("commercial_amount", "Importo"), ("paid_at_reference", "Pagato"), ("open_amount", "Aperto"), ("stock", "Stock"),
            ("days_past_due", "Giorni"), ("bucket", "Fascia"), ("reason", "Motivo"), ("id_documento", "Id gestionale"),
            ("progressivo_registrazione", "Progressivo PCC"),
        ),
        ("view", "stock"),
    ),
    (
        "Anomalie", "anomalies",
        (
            ("code", "Codice"), ("numero", "Fattura"), ("creditor", "Creditore"), ("amount", "Differenza"),
            ("severity", "Gravità"),
            ("remedy", "Rimedio"), ("erp_says", "Gestionale"), ("pcc_says", "PCC"), ("question", "Domanda"),
            ("id_documento", "Id gestionale"), ("progressivo_registrazione", "Progressivo PCC"),
        ),
        ("code", "amount"),
    ),
    (
        "Creditori", "stock_by_creditor",
        (
            ("view", "Vista"), ("creditor", "Creditore"), ("creditor_name", "Denominazione"), ("amount", "Stock"),
            ("documents", "Documenti"),
        ),
        ("view", "amount"),
    ),
    (
        "Sospesi", "suspension_kinds",
        (
            ("kind", "Specie"), ("numero", "Fattura"), ("erp_amount", "Gestionale"), ("erp_since", "Dal"),
            ("pcc_amount", "PCC"),
            ("pcc_since", "Dal (PCC)"), ("id_documento", "Id gestionale"), ("progressivo_registrazione", "Progressivo PCC"),
        ),
        ("kind", "pcc_amount"),
    ),
)  # fmt: skip


def write_book(engine: sa.Engine, facts: Facts, out: Path) -> None:
    """Writes an ente's workbook; the same published state makes the same bytes."""
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(str(out), options)
    book.set_properties({"title": f"{facts.name} {facts.reference_date}", "created": datetime(2000, 1, 1)})  # noqa: DTZ001
    formats = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "head": book.add_format({"bold": True, "bottom": 1, "bg_color": "#E7EAEF"}),
        "sum": book.add_format({"bold": True, "num_format": "#,##0.00"}),
        "money": book.add_format({"num_format": "#,##0.00"}),
        "date": book.add_format({"num_format": "dd/mm/yyyy"}),
        "integer": book.add_format({"num_format": "#,##0"}),
    }
    _summary(book, formats, facts)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ", yield_per=BATCH) as connection:
        for title, name, columns, order in SHEETS:
            _sheet(connection, book, formats, facts.ente, title, name, columns, order)
    book.close()


def _summary(book: Any, formats: dict[str, Any], facts: Facts) -> None:
    sheet = book.add_worksheet("Riepilogo")
    sheet.set_column(0, 0, 46)
    sheet.set_column(1, 5, 22)
    lines: list[Sequence[Any]] = [
        [facts.name],
        ["Debito commerciale al", facts.reference_date],
        ["Fatti noti al", facts.observed_at],
        [],
        ["Stock", *(italian.VIEWS[view] for view in VIEWS), "Differenza"],
    ]
    for place, line in enumerate(lines):
        _line(
            sheet,
            formats,
            place,
            line,
            formats["title"] if place == 0 else formats["head"] if place == 4 else None,
        )
    _line(sheet, formats, 5, ["", *(facts.stock[view] for view in VIEWS)])
    sheet.write_formula(5, 4, "=B6-C6", formats["sum"], float(facts.difference))
    place = 7
    _line(
        sheet,
        formats,
        place,
        ["Giorni di ritardo", *(italian.VIEWS[view] for view in VIEWS)],
        formats["head"],
    )
    for bucket, words in italian.BUCKETS.items():
        place += 1
        _line(sheet, formats, place, [words, *(facts.ageing[view][bucket] for view in VIEWS)])
    first, last = place - len(italian.BUCKETS) + 3, place + 1
    sheet.write(place + 1, 0, "Scaduto (= stock)", formats["sum"])
    for number, view in enumerate(VIEWS):
        letter = "BCD"[number]
        due = sum((amount for bucket, amount in facts.ageing[view].items() if bucket != "not_due"), Decimal(0))
        sheet.write_formula(place + 1, number + 1, f"=SUM({letter}{first}:{letter}{last})", formats["sum"], float(due))
    place += 3
    _line(sheet, formats, place, ["Anomalia", "Documenti", "Differenza spiegata"], formats["head"])
    start = place + 2
    for part in facts.explained:
        place += 1
        _line(sheet, formats, place, [italian.anomaly(part.code), part.documents, part.amount])
    sheet.write(place + 1, 0, "Totale", formats["sum"])
    if facts.explained:
        sheet.write_formula(place + 1, 2, f"=SUM(C{start}:C{place + 1})", formats["sum"], float(facts.difference))
    place += 3
    _line(sheet, formats, place, ["Indicatore", "Periodo", "Vista", "Valore", "Unità", "Nota"], formats["head"])
    head = place
    for row in facts.indicators:
        place += 1
        cells = [
            italian.INDICATORS[row.name],
            italian.period(row.period),
            italian.VIEWS[row.view],
            row.value,
            italian.UNITS[row.unit],
            row.note,
        ]
        _line(sheet, formats, place, cells)
    sheet.autofilter(head, 0, place, 5)
    place += 2
    for view in VIEWS:
        _line(sheet, formats, place, [f"FGDC {facts.year}: {italian.VIEWS[view]}"], formats["head"])
        for step in facts.fgdc[view]:
            place += 1
            _line(sheet, formats, place, [step.words])
        place += 2


def _sheet(
    connection: sa.Connection,
    book: Any,
    formats: dict[str, Any],
    ente: str,
    title: str,
    name: str,
    columns: Sequence[tuple[str, str]],
    order: tuple[str, ...],
) -> None:
    t = table(name)
    sheet = book.add_worksheet(title)
    mine = t.c.ente == ente
    total = connection.execute(sa.select(sa.func.count()).where(mine)).scalar_one()
    shown = min(total, ROWS)
    money = [place for place, (column, _) in enumerate(columns) if isinstance(t.c[column].type, sa.Numeric)]
    keys = [sa.desc(sa.func.abs(t.c[c])) if isinstance(t.c[c].type, sa.Numeric) else t.c[c] for c in order]
    picked = sa.select(*(t.c[column] for column, _ in columns)).where(mine).order_by(*keys, *t.c).limit(ROWS)
    # Sums over what the filter leaves stand above the table, with their value worked out for readers that do not calculate.
    ranked = picked.subquery()
    found = connection.execute(sa.select(*(sa.func.sum(ranked.c[columns[place][0]]) for place in money))).one()
    sheet.write(
        0,
        0,
        f"{shown} righe" if shown == total else f"{shown} righe di {total}: le altre con pcc export",
        formats["head"],
    )
    for place, value in zip(money, found, strict=True):
        letter = chr(ord("A") + place)
        formula = f"=SUBTOTAL(109,{letter}3:{letter}{max(shown + 2, 3)})"
        sheet.write_formula(0, place, formula, formats["sum"], float(value or 0))
        sheet.set_column(place, place, 16)
    sheet.write_row(1, 0, [words for _, words in columns], formats["head"])
    for place, row in enumerate(connection.execute(picked), 2):
        _line(sheet, formats, place, row)
    sheet.autofilter(1, 0, max(shown + 1, 2), len(columns) - 1)
    sheet.freeze_panes(2, 0)


def _line(sheet: Any, formats: dict[str, Any], place: int, cells: Iterable[Any], format_: Any = None) -> None:
    for number, value in enumerate(cells):
        if value is None or value == "":
            continue
        if isinstance(value, Decimal):
            # Excel knows no other number; cents survive up to 15 digits.
            sheet.write_number(place, number, float(value), format_ or formats["money"])
        elif isinstance(value, datetime):
            sheet.write_datetime(place, number, value.astimezone(UTC).replace(tzinfo=None), format_ or formats["date"])
        elif isinstance(value, date):
            sheet.write_datetime(place, number, value, format_ or formats["date"])
        elif isinstance(value, int) and not isinstance(value, bool):
            sheet.write_number(place, number, value, format_ or formats["integer"])
        else:
            sheet.write_string(place, number, str(value)[:32_767], format_)
