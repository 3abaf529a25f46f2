"""The bonifica as a workbook: summary, differences, work list, and the questions with a column to answer in.

The sheet of questions has the columns of the questionnaire, so that `pcc review answers` reads it back.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.italian import day
from pcc_pipeline.reports.bonifica import Bonifica, questions, work

_QUESTIONS = (
    *("risposta", "valore", "dal", "ambito", "nota", "domanda", "codice", "id_documento", "progressivo_registrazione"),
    *("a_chi", "gravita", "importo", "resta", "fornitore", "creditore", "numero", "data_emissione"),
)
_FACTS = (
    *("question", "code", "id_documento", "progressivo_registrazione", "addressee", "severity", "amount", "remaining"),
    *("original_creditor", "creditor", "numero", "data_emissione"),
)
_ASKED = 5
#: Rows that a sheet of Excel holds below its header; whoever has more exports the table.
_MOST = 1_048_575
_WORK = {
    "priorità": "priority",
    "importo": "amount",
    "in attesa di risposte": "remaining",
    "codice": "code",
    "come": "kind",
    "operazioni": "operations",
    "gravità": "severity",
    "numero": "numero",
    "fornitore": "original_creditor",
    "id_documento": "id_documento",
    "progressivo_registrazione": "progressivo_registrazione",
}


def write_bonifica_book(connection: sa.Connection, found: Bonifica, out: Path) -> None:
    """Writes the workbook; the same published state makes the same file. Long lists are read as they are written."""
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_urls": False,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
    }
    ente = found.published.ente
    book = xlsxwriter.Workbook(str(out), options)
    book.set_properties({"title": f"Bonifica di {ente}", "created": datetime(2000, 1, 1)})  # noqa: DTZ001
    writer = _Writer(book)
    writer.sheet(
        "Sintesi", ("voce", "importo"),
        [
            (f"Stock su PCC al {day(found.published.reference_date)}", found.stocks["pcc"]),
            ("Stock proiettato, accettate le operazioni", found.stocks["projected"]),
            ("Stock corretto", found.stocks["right"]),
            ("In attesa di risposte", found.remaining),
        ],
    )  # fmt: skip
    writer.sheet(
        "Differenze", ("codice", "documenti", "differenza", "sistemato dalle operazioni", "in attesa di risposte"),
        [(step.code, step.documents, step.amount, step.settled, step.remaining) for step in found.steps],
    )  # fmt: skip
    writer.sheet("Scadenze", ("giorni di ritardo", "PCC", "proiettato", "corretto"), found.by_bucket)
    rows = (tuple(row[name] for name in _WORK.values()) for row in work(connection, ente))
    writer.sheet("Lavoro", tuple(_WORK), rows)
    asked = ((None,) * _ASKED + tuple(row[name] for name in _FACTS) for row in questions(connection, ente))
    writer.sheet("Domande", _QUESTIONS, asked, asked=_ASKED)
    book.close()


class _Writer:
    def __init__(self, book: Any) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True})
        self._asked = book.add_format({"bold": True, "bg_color": "#FFF2CC"})
        self._money = book.add_format({"num_format": "#,##0.00"})
        self._date = book.add_format({"num_format": "dd/mm/yyyy"})
        self._text = book.add_format({"text_wrap": True, "valign": "top"})

    def sheet(self, name: str, columns: Any, rows: Any, asked: int = 0) -> None:
        """A sheet with a frozen header; the first `asked` columns are for a person to fill in."""
        page = self._book.add_worksheet(name)
        page.freeze_panes(1, 0)
        for number, column in enumerate(columns):
            page.write_string(0, number, column, self._asked if number < asked else self._bold)
            page.set_column(number, number, 80 if column == "domanda" else 40 if column == "voce" else 18)
        for place, row in enumerate(islice(rows, _MOST), 1):
            for number, value in enumerate(row):
                if isinstance(value, Decimal):
                    page.write_number(place, number, value, self._money)
                elif isinstance(value, str):
                    page.write_string(place, number, value, self._text if columns[number] == "domanda" else None)
                elif isinstance(value, int):
                    page.write_number(place, number, value)
                elif value is not None:
                    page.write_datetime(place, number, value, self._date)
