"""Takes an ente's rows out of a file that holds others' too; all other rows stay as they were, byte for byte.

Tables (CSV, Excel) lose the rows that name the ente, or judge its tickets; other text loses the lines that name it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from pcc_pipeline.formats.names import plain
from pcc_pipeline.formats.tabular.encoding import ZIP
from pcc_pipeline.service.erasure.traces import Traces


@dataclass(frozen=True)
class Rewritten:
    """A file without an ente's rows: its bytes, the rows taken out, the rows left (the header apart)."""

    data: bytes
    removed: int
    left: int


def table_without(data: bytes, traces: Traces) -> Rewritten:
    """A delivered table without the ente's rows."""
    return _sheet(data, traces) if data.startswith(ZIP) else _text(data, traces)


def lines_without(data: bytes, traces: Traces) -> Rewritten:
    """A text without the lines that name the ente."""
    pattern = traces.bytes_pattern
    lines = data.splitlines(keepends=True)
    kept = [line for line in lines if not pattern.search(line)]
    return Rewritten(b"".join(kept), len(lines) - len(kept), len(kept))


def _mine(fields: list[str], whose: int | None, ticket: int | None, traces: Traces) -> bool:
    if whose is not None and whose < len(fields) and fields[whose].strip():
        if fields[whose].strip() == traces.ente:
            return True
    elif ticket is not None and ticket < len(fields) and fields[ticket].strip() in traces.tickets:
        return True
    return any(traces.pattern.search(field) for field in fields)


def _columns(header: list[str]) -> tuple[int | None, int | None]:
    names = [plain(name) for name in header]
    places = [
        next((at for at, name in enumerate(names) if name in wanted), None)
        for wanted in (("ente", "codiceente"), ("idticket",))
    ]
    return places[0], places[1]


def _records(text: str) -> Iterator[str]:
    """The records of a CSV as written; quoted fields may hold line breaks."""
    record = ""
    for line in text.splitlines(keepends=True):
        record += line
        if record.count('"') % 2 == 0:
            yield record
            record = ""
    if record:
        yield record


def _text(data: bytes, traces: Traces) -> Rewritten:
    # Latin-1 takes any byte and gives it back; names are compared as they are written in the file.
    encoding = "utf-8"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text, encoding = data.decode("latin-1"), "latin-1"
    records = list(_records(text))
    if not records:
        return Rewritten(data, 0, 0)
    delimiter = max(";,\t", key=records[0].count)

    def fields(record: str) -> list[str]:
        return next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])

    whose, ticket = _columns(fields(records[0].lstrip("\ufeff")))
    kept = [record for record in records[1:] if not _mine(fields(record), whose, ticket, traces)]
    return Rewritten("".join([records[0], *kept]).encode(encoding), len(records) - 1 - len(kept), len(kept))


def _sheet(data: bytes, traces: Traces) -> Rewritten:
    import python_calamine as calamine
    import xlsxwriter

    rows = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    if not rows:
        return Rewritten(data, 0, 0)
    whose, ticket = _columns([str(cell) for cell in rows[0]])
    kept = [row for row in rows[1:] if not _mine([str(cell) for cell in row], whose, ticket, traces)]
    removed = len(rows) - 1 - len(kept)
    if not removed:
        return Rewritten(data, 0, len(kept))
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "default_date_format": "yyyy-mm-dd hh:mm:ss",
            "strings_to_formulas": False,
            "strings_to_urls": False,
        },
    )
    sheet = book.add_worksheet()
    for number, row in enumerate([rows[0], *kept]):
        sheet.write_row(number, 0, ["" if cell is None else cell for cell in row])
    book.close()
    return Rewritten(out.getvalue(), removed, len(kept))
