"""The first sheet of an Excel workbook into raw rows. A cell's own type is kept where it has one.

Header names are `headers`' matter, values typed as text are read in `rows`. Lines are the sheet's rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import python_calamine as calamine

from pcc_pipeline.formats.conventions import DECIMALS, TOO_LARGE
from pcc_pipeline.formats.csv_reader import trimmed
from pcc_pipeline.formats.headers import Header, read_header
from pcc_pipeline.formats.rows import Flaw, Raw
from pcc_pipeline.formats.xlsx_errors import Cells, error_cells
from pcc_pipeline.tables.describe import MONEY, Column, Table

_BATCH = 20_000
_NOISE = Decimal("1e-9")
#: A double holds every whole number up to here: beyond, a workbook's number has lost digits.
_WHOLE = 10**15
_HEADER_ROWS = 1000
_EXACT = 1e11  # below, a double tells cents apart with room for the noise

DATE_AS_TEXT = "the cell holds a date where a text is expected: format the column as text and write it again"
DIGITS_LOST = "the cell holds a number too long for a workbook, which loses digits: format the column as text"
NUMBER_AS_DATE = "the cell holds a number where a date is expected: format the column as a date"
DATE_AS_AMOUNT = "the cell holds a date where an amount is expected: format the column as a number"
FORMULA = "the cell holds an error of a formula (such as #N/A): correct it, or leave the cell empty"
#: Stands in a cell that holds an error; told apart by identity, since a text may read the same.
ERROR = "".join(("#", "ERROR"))
TIME_OF_DAY = "the cell holds a time of day where a date is expected"

Row = tuple[int, list[Any]]


@dataclass(frozen=True)
class Sheet:
    """An opened first sheet: its header and the rows below it with their numbers; or why it is refused."""

    header: Header
    rows: Iterator[Row]
    flaw: Flaw | None = None


def open_sheet(table: Table, path: Path) -> Sheet:
    """Opens the workbook; one that is encrypted, broken or without a table is a flaw."""
    try:
        sheet = calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
        left = sheet.start[1] if sheet.start else 0
        # rows from the sheet's first, blank ones too; columns from the first that is used
        rows = _marked(iter(enumerate(sheet.iter_rows(), 1)), error_cells(path), left)
    except calamine.PasswordError:
        return _refused("the workbook is protected by a password: deliver it without")
    except Exception as error:  # calamine's errors share no useful base; a broken file may raise any
        return _refused(f"not a readable workbook: {str(error)[:120]}")
    for _, cells in islice(rows, _HEADER_ROWS):
        if any(cell != "" for cell in cells):
            header = read_header(table, [str(cell) for cell in cells])
            problem = header.problem
            return Sheet(
                header, rows, Flaw(None, f"the whole file is refused: {problem}") if problem else None
            )
    return _refused("the workbook's first sheet is empty")


def _marked(rows: Iterator[Row], errors: Cells, left: int) -> Iterator[Row]:
    """The rows with ERROR in the cells that hold one."""
    by_row: dict[int, list[int]] = {}
    for row, column in errors:
        by_row.setdefault(row, []).append(column - left)
    for number, cells in rows:
        for place in by_row.get(number, ()):
            cells[place] = ERROR
        yield number, cells


def _refused(reason: str) -> Sheet:
    return Sheet(Header(()), iter(()), Flaw(None, reason))


def sheet_tasks(table: Table, sheet: Sheet) -> Iterator[Callable[[], Raw]]:
    """One task a batch of rows, each giving its raw rows when called."""
    while batch := list(islice(sheet.rows, _BATCH)):
        yield lambda batch=batch: _raw(table, sheet.header, batch)  # type: ignore[misc]


def _raw(table: Table, header: Header, rows: list[Row]) -> Raw:
    texts, native, others, wrong = {}, {}, [], {}
    for place, name in enumerate(header.columns):
        cells = [row[place] if place < len(row) else "" for _, row in rows]
        if name is None:
            others.append(trimmed(pa.array([str(cell) for cell in cells], pa.string())))
            continue
        column = table.column(name)
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
        read = [known.get((type(cell), cell)) or _learn(known, column, cell) for cell in cells]
        texts[name] = trimmed(pa.array([text for text, _, _ in read], pa.string()))
        if any(value is not None for _, value, _ in read):
            native[name] = pa.array([value for _, value, _ in read], column.arrow_type)
        told = [reason for _, _, reason in read]
        if any(told):
            wrong[name] = pa.array(told, pa.string())
    return Raw(pa.array([number for number, _ in rows], pa.int64()), texts, native, others, wrong=wrong)


_Cell = tuple[str | None, Any, str | None]


def _learn(known: dict[tuple[type, Any], _Cell], column: Column, cell: Any) -> _Cell:
    found = _cell(column, cell)
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


def _cell(column: Column, cell: Any) -> _Cell:
    """A cell as text to be read, or a value already typed, or its text with the reason why it is refused."""
    if isinstance(cell, str):
        return cell, None, FORMULA if cell is ERROR else None
    if isinstance(cell, bool):
        return ("S" if cell else "N") if column.type == "boolean" else str(cell), None, None
    if isinstance(cell, dt.datetime | dt.date):
        return _date_cell(column, cell)
    if isinstance(cell, int | float):
        return _number_cell(column, cell)
    return str(cell), None, None


def _date_cell(column: Column, cell: dt.date) -> _Cell:
    shown = cell.isoformat().removesuffix("T00:00:00")
    if column.type == "date":
        if isinstance(cell, dt.datetime) and cell.time() != dt.time():
            return shown, None, TIME_OF_DAY
        return None, cell.date() if isinstance(cell, dt.datetime) else cell, None
    return shown, None, DATE_AS_AMOUNT if column.type == "money" else DATE_AS_TEXT


def _number_cell(column: Column, cell: float) -> _Cell:
    exact = Decimal(repr(cell))
    shown = str(int(cell)) if exact.is_finite() and exact == exact.to_integral_value() else repr(cell)
    if column.type == "date":
        return shown, None, NUMBER_AS_DATE
    if column.type != "money":
        return shown, None, DIGITS_LOST if abs(exact) >= _WHOLE else None
    if not exact.is_finite() or abs(exact) >= 10 ** (MONEY.precision - MONEY.scale):
        return shown, None, TOO_LARGE
    cents = exact.quantize(Decimal("0.01"))
    if abs(cents - exact) > _NOISE:
        return shown, None, DECIMALS
    return None, cents, None
