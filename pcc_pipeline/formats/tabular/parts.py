"""Opening a delivered table, CSV or workbook, as far as its headers: its parts, each with its rows still to be read."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.reasons import NO_PASSWORD
from pcc_pipeline.formats.rows import WHOLE, Flaw, Raw
from pcc_pipeline.formats.tabular.csv_reader import open_csv, raw_tasks
from pcc_pipeline.formats.tabular.dirt import header_notes
from pcc_pipeline.formats.tabular.encoding import COMPRESSED, GZIP, OLE, ZIP, expanded
from pcc_pipeline.formats.tabular.headers import Header, HeaderPlan
from pcc_pipeline.formats.tabular.pages import HTML, looks_html, other_format, to_csv
from pcc_pipeline.formats.tabular.xlsx_reader import open_workbook, sheet_tasks
from pcc_pipeline.tables.notes import FILE_FORMAT

_START = 1024
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OLE_REASON = f"file Excel danneggiato o protetto da password: {NO_PASSWORD}, o in CSV"
Task = Callable[[], Raw]


@dataclass(frozen=True)
class Part:
    """A table of a file, as far as its header: how it is read, its rows in tasks, what to say of it."""

    plan: HeaderPlan
    header: Header
    tasks: Iterator[Task]
    notes: Sequence[Note] = ()
    sheet: tuple[str, int] | None = None  # its name and the rows counted before it


def open_parts(plans: Sequence[HeaderPlan], path: Path, folder: Path) -> tuple[list[Part], Flaw | None]:
    """The tables of a file, by the first of the plans that fits; else why it is refused."""
    start = _start(path)
    notes: list[Note] = []
    if start.startswith(GZIP):
        inner = folder / "expanded"
        if problem := expanded(path, inner):
            return [], Flaw(None, problem)
        path, start, notes = inner, _start(inner), [Note(FILE_FORMAT, COMPRESSED)]
    if not start.startswith((ZIP, OLE)):
        return _text_parts(plans, path, folder, start, notes)
    book = open_workbook(plans, path)
    if book.flaw and start.startswith(OLE) and not book.flaw.reason.startswith(WHOLE):
        return [], Flaw(None, _OLE_REASON)
    return [
        Part(
            sheet.plan, sheet.header, sheet_tasks(sheet),
            [*(() if place else (*notes, *book.notes)), *header_notes(sheet.header, sheet.titles, sheet.before + 1)],
            (sheet.name, sheet.before) if sheet.before else None,
        )
        for place, sheet in enumerate(book.sheets)
    ], book.flaw  # fmt: skip


def _start(path: Path) -> bytes:
    """The first bytes, those of UTF-16 with its mark as UTF-8."""
    with path.open("rb") as file:
        start = file.read(_START)
    return start.decode("utf-16", "ignore").encode() if start.startswith(_UTF16) else start


def _text_parts(
    plans: Sequence[HeaderPlan], path: Path, folder: Path, start: bytes, notes: list[Note]
) -> tuple[list[Part], Flaw | None]:
    if problem := other_format(start):
        return [], Flaw(None, problem)
    if looks_html(start):
        page = folder / "page.csv"
        if problem := to_csv(path, page):
            return [], Flaw(None, problem)
        path, notes = page, [*notes, Note(FILE_FORMAT, HTML)]
    csv = open_csv(plans, path, folder)
    notes += [Note(FILE_FORMAT, mended) for mended in csv.mended]
    notes += header_notes(csv.header, csv.titles, csv.line - 1)
    return [Part(csv.plan, csv.header, raw_tasks(csv), notes)], csv.flaw
