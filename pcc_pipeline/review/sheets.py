"""Small tables for people: Excel sheets with a column to fill in, and such tables read back with their lines.

Work lists, questionnaires and payments asked about, of some ten thousand rows; feeds are read by `pcc_pipeline.formats`,
whose encodings, delimiters and names hold here, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from pcc_pipeline.formats.names import plain
from pcc_pipeline.formats.tabular.whole import NoTable, is_workbook, text_rows, workbook_rows

#: Rows below which Excel offers the list of allowed words.
_LISTED = 50_000
#: What is a workbook by its name, whatever it holds.
_BOOKS = (".xlsx", ".xlsm", ".xls", ".ods")


@dataclass(frozen=True)
class WorkSheet:
    """A sheet to write: its columns, its rows, and by column the words among which a person chooses."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Mapping[str, Any]]
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    editable: Sequence[str] = ()


@dataclass(frozen=True)
class Line:
    """A row read back: where it stands, and its cells by plain column name."""

    place: str
    cells: Mapping[str, Any]

    def text(self, column: str) -> str:
        """The cell as text without outer spaces; whole numbers without a point. Empty when there is none."""
        value = self.cells.get(plain(column))
        if value is None:
            return ""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str(value).strip()

    def value(self, column: str) -> Any:
        """The cell as it is; None when there is none."""
        return self.cells.get(plain(column))


class UnreadableError(ValueError):
    """A file that is no such table; its text says why, in Italian."""


def write(out: IO[bytes] | str, sheets: Sequence[WorkSheet]) -> None:
    """Writes the sheets as a workbook; what a person is to fill in has a coloured header."""
    import xlsxwriter

    options = {"strings_to_urls": False, "strings_to_formulas": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001
    bold = book.add_format({"bold": True})
    asked = book.add_format({"bold": True, "bg_color": "#FFF2CC"})
    dates = book.add_format({"num_format": "dd/mm/yyyy"})
    money = book.add_format({"num_format": "#,##0.00"})
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        page.freeze_panes(1, 0)
        for number, name in enumerate(sheet.columns):
            page.write(0, number, name, asked if name in sheet.editable else bold)
            page.set_column(number, number, 60 if name in ("domanda", "spiegazione") else 16)
            if name in sheet.choices:
                page.data_validation(1, number, _LISTED, number, {"validate": "list", "source": list(sheet.choices[name])})
        for place, row in enumerate(sheet.rows, 1):
            for number, name in enumerate(sheet.columns):
                value = row.get(name)
                if isinstance(value, Decimal):
                    page.write_number(place, number, float(value), money)
                elif isinstance(value, date):
                    page.write_datetime(place, number, value, dates)
                elif value is not None:
                    page.write(place, number, value)
    book.close()


def read(path: Path) -> dict[str, list[Line]]:
    """The tables of a workbook (by sheet) or of a text (one, named after nothing), blank rows left out. Raises
    UnreadableError."""
    book = path.suffix.lower() in _BOOKS or is_workbook(path)
    try:
        if not book:
            return {"": list(_lines("riga", text_rows(path)))}
        return {name: list(_lines(f"{name}, riga", list(rows))) for name, rows in workbook_rows(path)}
    except NoTable as error:
        kind = "un file Excel (.xlsx)" if book else "un testo"
        raise UnreadableError(f"{path.name} non è {kind} leggibile: {error}") from None


def _lines(place: str, rows: Sequence[Sequence[Any]]) -> Iterator[Line]:
    if not rows:
        return
    names = [plain(str(name)) for name in rows[0]]
    for number, row in enumerate(rows[1:], 2):
        cells = {name: value for name, value in zip(names, row, strict=False) if value not in (None, "")}
        if cells:
            yield Line(f"{place} {number}", cells)
