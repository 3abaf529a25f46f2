"""A workbook's sheets (Excel's, OpenDocument's) into raw rows. A cell's own type is kept where it has one.

Header names are `headers`' matter, values typed as text are read in `rows`. Lines are the sheet's rows, counted on
from sheet to sheet where several are read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import python_calamine as calamine

from pcc_pipeline.formats.conventions import DECIMALS, TOO_LARGE
from pcc_pipeline.formats.names import plain
from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.reasons import NO_PASSWORD, unreadable_workbook
from pcc_pipeline.formats.rows import TIMED, WHOLE, Flaw, Raw
from pcc_pipeline.formats.tabular.csv_reader import trimmed
from pcc_pipeline.formats.tabular.headers import HEADER_ROWS, Header, HeaderPlan, find_header
from pcc_pipeline.formats.tabular.layouts.apply import source_types
from pcc_pipeline.formats.tabular.layouts.model import SOURCE
from pcc_pipeline.formats.tabular.workbook_size import oversize
from pcc_pipeline.formats.tabular.xlsx_errors import Cells, counts_from_1904, error_cells
from pcc_pipeline.tables.describe import MONEY, Column
from pcc_pipeline.tables.notes import SERIAL_DATE, SKIPPED_SHEET, TIME_OF_DAY

_BATCH = 20_000
_NOISE = Decimal("1e-9")
#: A double holds every whole number up to here: beyond, a workbook's number has lost digits.
_WHOLE = 10**15
_HEADER_ROWS = 1000
_EXACT = 1e11  # below, a double tells cents apart with room for the noise

#: What Excel counts days from (it takes 1900 for a leap year), and the days from 1990 to 2079.
_EPOCH = dt.date(1899, 12, 30)
_SERIALS = (32874, 65746)
_COMPACT = re.compile(r"(?:19|20)[0-9]{6}")

MERGED = "importo in una cella unita su più righe: non si sa di quale riga sia, dividere la cella"
DATE_AS_TEXT = "la cella contiene una data dove si attende un testo: dare alla colonna il formato testo e riscriverla"
DIGITS_LOST = "numero troppo lungo per un foglio di calcolo, che ne perde le cifre: dare alla colonna il formato testo"
_AS_DATE = "dare alla colonna il formato data"
NUMBER_AS_DATE = f"la cella contiene un numero dove si attende una data: {_AS_DATE}"
DATE_AS_AMOUNT = "la cella contiene una data dove si attende un importo: dare alla colonna il formato numero"
FORMULA = "la cella contiene l'errore di una formula (come #N/A): correggerla, o lasciare la cella vuota"
#: Stands in a cell that holds an error; told apart by identity, since a text may read the same.
ERROR = "".join(("#", "ERROR"))

EMPTY = "foglio vuoto: saltato"
HIDDEN = "foglio nascosto: non letto"
WITHOUT_COLUMNS = "foglio senza le colonne: saltato"
FURTHER = "altro foglio: non letto, se un layout non lo nomina"

Row = tuple[int, list[Any]]


@dataclass(frozen=True)
class Merged:
    """The value of a merged cell, in the rows below its first."""

    value: Any

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Sheet:
    """An opened sheet: its header and the rows below it with their numbers, counted on from the sheets read before.

    `titles` are the rows above the header, with their numbers; `before` what was counted in other sheets.
    """

    header: Header
    plan: HeaderPlan
    rows: Iterator[Row]
    name: str = ""
    before: int = 0
    titles: tuple[tuple[int, str], ...] = ()
    from_1904: bool = False
    flaw: Flaw | None = None


@dataclass(frozen=True)
class Workbook:
    """An opened workbook's sheets that are to be read; or why it is refused."""

    plan: HeaderPlan
    sheets: tuple[Sheet, ...] = ()
    flaw: Flaw | None = None
    notes: tuple[Note, ...] = ()


def reading_order(book: calamine.CalamineWorkbook) -> list[tuple[str, bool]]:
    """The names of a workbook's sheets, those that people see first; and whether each is hidden."""
    seen = calamine.SheetVisibleEnum.Visible
    tables = [data for data in book.sheets_metadata if data.typ == calamine.SheetTypeEnum.WorkSheet]
    return sorted(((data.name, data.visible != seen) for data in tables), key=lambda sheet: sheet[1])


def open_workbook(plans: Sequence[HeaderPlan], path: Path) -> Workbook:
    """Opens the workbook (.xlsx, .xlsb, .xls, .ods) by the first of the plans that fits. One that is encrypted,
    broken, too large or without a table is a flaw."""
    if problem := oversize(path):
        return _refused(plans[0], problem)
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        from_1904 = counts_from_1904(path)
        refused: Workbook | None = None
        for plan in plans:
            opened = _by_plan(book, plan, path, from_1904)
            if opened.flaw is None:
                return opened
            refused = refused or opened
    except calamine.PasswordError:
        return _refused(plans[0], f"cartella di lavoro protetta da password: {NO_PASSWORD}")
    except Exception as error:  # calamine's errors share no useful base; a broken file may raise any
        return _refused(plans[0], unreadable_workbook(error))
    assert refused is not None
    return refused


def _by_plan(book: calamine.CalamineWorkbook, plan: HeaderPlan, path: Path, from_1904: bool) -> Workbook:
    """The workbook read by one plan: its named sheets, else the first that has the columns."""
    if plan.layout is None or not plan.layout.sheets:
        return _first_fitting(book, plan, path, from_1904)
    named = plan.layout.sheets
    present = {plain(name): name for name in reversed(book.sheet_names)}
    if gone := [sheet.name for sheet in named if plain(sheet.name) not in present]:
        return _refused(plan, f"mancano i fogli: {', '.join(gone)}")
    sheets: list[Sheet] = []
    before = 0
    for wanted in named:
        sheet = book.get_sheet_by_name(present[plain(wanted.name)])
        opened = _open_sheet(sheet, replace(plan, layout=plan.layout.of_sheet(wanted)), path, before, from_1904)
        before += sheet.end[0] + 1 if sheet.end else 0
        sheets.append(opened)
        if opened.flaw:
            return Workbook(plan, tuple(sheets), opened.flaw)
    return Workbook(plan, tuple(sheets))


def _first_fitting(book: calamine.CalamineWorkbook, plan: HeaderPlan, path: Path, from_1904: bool) -> Workbook:
    """The first sheet that has the columns, with notes on the others: hidden ones are tried last, empty ones never."""
    tried: list[tuple[Sheet, bool]] = []
    notes: list[Note] = []
    order = reading_order(book)
    for place, (name, hidden) in enumerate(order):
        opened = _open_sheet(book.get_sheet_by_name(name), plan, path, 0, from_1904)
        if opened.flaw is None:
            notes += [_skipped(other, WITHOUT_COLUMNS) for other, _ in tried if other.header.names]
            notes += [_skipped(other, EMPTY) for other, _ in tried if not other.header.names]
            for other, unseen in order[place + 1 :]:
                if book.get_sheet_by_name(other).height:
                    notes.append(Note(SKIPPED_SHEET, HIDDEN if unseen else FURTHER, None, None, other))
            return Workbook(plan, (opened,), notes=tuple(notes))
        tried.append((opened, hidden))
    if not tried:
        return _refused(plan, "la cartella di lavoro non ha fogli di celle")
    # what is wrong is said of the sheet that people mean: one that they see and that is not empty
    closest = min(tried, key=lambda sheet: (not sheet[0].header.names, sheet[1]))[0]
    return Workbook(plan, (closest,), closest.flaw)


def _skipped(sheet: Sheet, told: str) -> Note:
    return Note(SKIPPED_SHEET, told, None, None, sheet.name)


def _open_sheet(sheet: calamine.CalamineSheet, plan: HeaderPlan, path: Path, before: int, from_1904: bool) -> Sheet:
    left = sheet.start[1] if sheet.start else 0
    # rows from the sheet's first, blank ones too; columns from the first that is used
    rows = _marked(iter(enumerate(sheet.iter_rows(), before + 1)), error_cells(path, sheet.name), before, left)
    rows = _spread(rows, sheet, before, left)
    first = [(number, cells) for number, cells in islice(rows, _HEADER_ROWS) if any(cell != "" for cell in cells)]
    if not first:
        return Sheet(Header(()), plan, rows, sheet.name, flaw=Flaw(None, f"il foglio {sheet.name} è vuoto"))
    top = first[:HEADER_ROWS]
    names = [[str(cell) for cell in cells] for _, cells in top]
    found = find_header([plan], len(top), lambda row, _: names[row], texts=False)
    if found.header.problem:
        where = f"foglio {sheet.name}: " if before or (plan.layout and plan.layout.sheets) else ""
        flaw = Flaw(None, f"{WHOLE}{where}{found.header.problem}")
        return Sheet(found.header, plan, rows, sheet.name, flaw=flaw)
    below = chain(first[found.row + found.rows :], rows)
    titles = tuple((number, " ".join(filter(None, cells))) for (number, _), cells in zip(top[: found.row], names, strict=False))
    return Sheet(found.header, plan, below, sheet.name, before, titles, from_1904)


def _marked(rows: Iterator[Row], errors: Cells, before: int, left: int) -> Iterator[Row]:
    """The rows with ERROR in the cells that hold one."""
    by_row: dict[int, list[int]] = {}
    for row, column in errors:
        by_row.setdefault(row + before, []).append(column - left)
    for number, cells in rows:
        for place in by_row.get(number, ()):
            cells[place] = ERROR
        yield number, cells


def _spread(rows: Iterator[Row], sheet: calamine.CalamineSheet, before: int, left: int) -> Iterator[Row]:
    """The rows with the value of a cell merged downwards in the rows below its first; a row that has nothing else
    stays blank."""
    below: dict[int, list[tuple[int, int]]] = {}
    for (top, column), (bottom, _) in sheet.merged_cell_ranges or ():
        for row in range(top + 1, bottom + 1):
            below.setdefault(row + 1 + before, []).append((top + 1 + before, column - left))
    if not below:
        yield from rows
        return
    wanted = {place for places in below.values() for place in places}
    tops = {top for top, _ in wanted}
    values: dict[tuple[int, int], Any] = {}
    for number, cells in rows:
        if number in tops:
            values |= {(top, place): cells[place] for top, place in wanted if top == number and place < len(cells)}
        if number in below and any(cell != "" for cell in cells):
            for top, place in below[number]:
                value = values.get((top, place), "")
                if place < len(cells) and cells[place] == "" and value != "":
                    cells[place] = Merged(value)
        yield number, cells


def _refused(plan: HeaderPlan, reason: str) -> Workbook:
    return Workbook(plan, flaw=Flaw(None, reason))


def sheet_tasks(sheet: Sheet) -> Iterator[Callable[[], Raw]]:
    """One task a batch of rows, each giving its raw rows when called."""
    types = source_types(sheet.plan.table, sheet.plan.layout) if sheet.plan.layout else {}
    while batch := list(islice(sheet.rows, _BATCH)):
        yield lambda batch=batch: _raw(sheet, types, batch)  # type: ignore[misc]


def _raw(sheet: Sheet, types: Mapping[str, Column], rows: list[Row]) -> Raw:
    texts, native, others, wrong = {}, {}, [], {}
    notes: list[Note] = []
    for place, name in enumerate(sheet.header.columns):
        cells = [row[place] if place < len(row) else "" for _, row in rows]
        if name is None:
            others.append(trimmed(pa.array([str(cell) for cell in cells], pa.string())))
            continue
        column = types.get(name) or (Column(name, "text", "") if sheet.plan.layout else sheet.plan.table.column(name))
        kinds = set(map(type, cells))
        if kinds <= {str} and ERROR not in cells:
            texts[name] = trimmed(pa.array(cells, pa.string()))
            continue
        if column.type == "money" and kinds == {float}:
            cents = _euros(cells)
            if cents is not None:
                texts[name], native[name] = pa.nulls(len(cells), pa.string()), cents
                continue
        known: dict[tuple[type, Any], _Cell] = {}
        read = [known.get((type(cell), cell)) or _learn(known, column, cell, sheet.from_1904) for cell in cells]
        texts[name] = trimmed(pa.array([text for text, _, _ in read], pa.string()))
        if any(value is not None for _, value, _ in read):
            native[name] = pa.array([value for _, value, _ in read], column.arrow_type)
        told = [reason for _, _, reason in read]
        if any(told):
            wrong[name] = pa.array(told, pa.string())
        if column.type == "date" and kinds & {int, float}:
            notes += _serials(name, rows, cells, read)
        if column.type == "date" and kinds & {float, dt.datetime}:
            notes += _timed(name, rows, cells, read)
    lines = pa.array([number for number, _ in rows], pa.int64())
    return Raw(lines, texts, native, others, wrong=wrong, notes=notes)


def _serials(name: str, rows: list[Row], cells: list[Any], read: list[_Cell]) -> list[Note]:
    """A note on numbers that were read as days."""
    places = [n for n, cell in enumerate(cells) if isinstance(cell, int | float) and read[n][1] is not None]
    if not places:
        return []
    told = f"numeri del foglio di calcolo letti come i giorni che contano: {_AS_DATE}"
    return [Note(SERIAL_DATE, told, rows[places[0]][0], name.removeprefix(SOURCE), None, len(places))]


def _timed(name: str, rows: list[Row], cells: list[Any], read: list[_Cell]) -> list[Note]:
    """A note on days whose cells have a time of day."""
    places = [n for n, cell in enumerate(cells) if _has_time(cell) and read[n][1] is not None]
    if not places:
        return []
    return [Note(TIME_OF_DAY, TIMED, rows[places[0]][0], name.removeprefix(SOURCE), str(cells[places[0]]), len(places))]


def _has_time(cell: Any) -> bool:
    if isinstance(cell, dt.datetime):
        return cell.time() != dt.time()
    return isinstance(cell, float) and cell != cell // 1


_Cell = tuple[str | None, Any, str | None]


def _learn(known: dict[tuple[type, Any], _Cell], column: Column, cell: Any, from_1904: bool) -> _Cell:
    found = _cell(column, cell, from_1904)
    if cell is not ERROR:
        known[type(cell), cell] = found
    return found


def _euros(cells: list[Any]) -> pa.Array | None:
    """All the numbers as amounts, exactly; null when one of them has more than two decimals or is large."""
    numbers = np.array(cells)
    if not (np.abs(numbers) < _EXACT).all():
        return None
    cents = np.rint(numbers * 100)
    if not (np.abs(cents / 100 - numbers) <= float(_NOISE)).all():
        return None
    low = cents.astype(np.int64)
    # Arrow's 128-bit decimals: the low half, then the sign
    return pa.Array.from_buffers(MONEY, len(low), [None, pa.py_buffer(np.column_stack((low, low >> 63)))])


def _cell(column: Column, cell: Any, from_1904: bool = False) -> _Cell:
    """A cell as text to be read, or a value already typed, or its text with the reason why it is refused."""
    if isinstance(cell, Merged):
        return (str(cell), None, MERGED) if column.type == "money" else _cell(column, cell.value, from_1904)
    if isinstance(cell, str):
        return cell, None, FORMULA if cell is ERROR else None
    if isinstance(cell, bool):
        return ("S" if cell else "N") if column.type == "boolean" else str(cell), None, None
    if isinstance(cell, dt.datetime | dt.date):
        return _date_cell(column, cell)
    if isinstance(cell, int | float):
        return _serial_cell(cell, from_1904) if column.type == "date" else _number_cell(column, cell)
    return str(cell), None, None


def _date_cell(column: Column, cell: dt.date) -> _Cell:
    shown = cell.isoformat().removesuffix("T00:00:00")
    if column.type == "date":
        return None, cell.date() if isinstance(cell, dt.datetime) else cell, None
    if column.type == "timestamp":
        return shown, None, None  # the text has one reading: ISO, Italian local time
    return shown, None, DATE_AS_AMOUNT if column.type == "money" else DATE_AS_TEXT


def _serial_cell(cell: float, from_1904: bool) -> _Cell:
    """A bare number in a column of dates: the days that Excel counts, where they make a plausible day; eight digits
    may be a day written without marks."""
    shown = str(int(cell)) if cell == cell // 1 else repr(cell)
    if _COMPACT.fullmatch(shown):
        return shown, None, None
    if from_1904 or not _SERIALS[0] <= cell < _SERIALS[1] + 1:
        return shown, None, NUMBER_AS_DATE
    return None, _EPOCH + dt.timedelta(days=int(cell)), None


def _number_cell(column: Column, cell: float) -> _Cell:
    exact = Decimal(repr(cell))
    shown = str(int(cell)) if exact.is_finite() and exact == exact.to_integral_value() else repr(cell)
    if column.type == "timestamp":
        return shown, None, NUMBER_AS_DATE
    if column.type != "money":
        return shown, None, DIGITS_LOST if abs(exact) >= _WHOLE else None
    if not exact.is_finite() or abs(exact) >= 10 ** (MONEY.precision - MONEY.scale):
        return shown, None, TOO_LARGE
    cents = exact.quantize(Decimal("0.01"))
    if abs(cents - exact) > _NOISE:
        return shown, None, DECIMALS
    return None, cents, None
