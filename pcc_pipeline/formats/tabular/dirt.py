"""Rows of a table that are no data: blank ones, headers repeated at each page, totals. They are taken out and noted.

Works on raw rows by the file's own columns, before a layout turns them and before any value is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from pcc_pipeline.formats.names import described, plain
from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.rows import Raw, filtered
from pcc_pipeline.formats.tabular.headers import Header, HeaderPlan
from pcc_pipeline.formats.tabular.layouts.apply import wanted
from pcc_pipeline.formats.tabular.layouts.model import SOURCE
from pcc_pipeline.tables.notes import OTHER_RECORD, REPEATED_HEADER, TITLE_ROW, TOTALS_ROW, UNKNOWN_COLUMN

_TOTAL = r"(?i)^[^a-z0-9]*((sub|gran)?[ -]?total[ei]|tot\.?|riporto|a riportare|somma|sommano)([^a-z].*)?$"

#: The same in a row's text: a word of totals first, then amounts alone.
_RAGGED = re.compile(
    r"(?i)[;,\t|\" ]*((sub|gran)?[ -]?total[ei]|tot\.?|riporto|a riportare|somma|sommano)"
    r"[^;,\t|0-9]*[-0-9.,;'’\"€()\t| ]*$"
)

TITLE = "riga sopra l'intestazione: non letta"
REPEATED = "intestazione ripetuta tra le righe: saltata"
TOTALS = "riga di totali: saltata"
OTHERS = "righe di un tipo che il layout non legge: saltate"
UNKNOWN = "colonna sconosciuta: non letta"


@dataclass(frozen=True)
class Dirt:
    """What tells a row that is no data in one file: its columns' names, those without which a row says nothing
    (required and no amounts) and those of amounts, by their names among raw rows."""

    names: Mapping[str, str]
    essential: tuple[str, ...]
    amounts: frozenset[str]


def dirt_of(plan: HeaderPlan, header: Header) -> Dirt:
    """What to look for in a file with that header."""
    names = {column: name for column, name in zip(header.columns, header.names, strict=False) if column}
    essential: list[str] = []
    amounts: set[str] = set()
    for name in described(plan.table):
        column = plan.table.column(name)
        if plan.layout is None:
            origin: tuple[str, ...] = (name,)
        else:
            recipe = plan.layout.columns.get(name)
            origin = tuple(SOURCE + plain(source) for source in recipe.sources) if recipe else ()
        if column.type == "money":
            amounts.update(origin)
        elif column.required:
            essential += origin
    telling = tuple(name for name in dict.fromkeys(essential) if name in names and name not in amounts)
    return Dirt(names, telling, frozenset(amounts))


def header_notes(header: Header, titles: tuple[tuple[int, str], ...], line: int) -> list[Note]:
    """Notes on what stands above the header and on columns that nothing knows."""
    notes = [Note(TITLE_ROW, TITLE, number, None, text) for number, text in titles]
    return notes + [Note(UNKNOWN_COLUMN, UNKNOWN, line, name[:60]) for name in header.unknown]


def cleaned(plan: HeaderPlan, dirt: Dirt, raw: Raw) -> Raw:
    """The raw rows without blank ones, repeated headers, totals and records of other types; notes on those."""
    raw = _ragged_totals(without_blank(raw))
    if not len(raw.lines):
        return raw
    for look, code, told in ((_repeated, REPEATED_HEADER, REPEATED), (_totals, TOTALS_ROW, TOTALS)):
        found = look(dirt, raw)
        if found is not None and pc.any(found).as_py():
            notes = _noted(raw, found, code, told)
            raw = filtered(raw, pc.invert(found))
            raw = replace(raw, notes=[*raw.notes, *notes])
    if plan.layout is not None and plan.layout.rows is not None:
        raw = _of_type(plan, raw)
    return raw


def _ragged_totals(raw: Raw) -> Raw:
    """Rows of totals are often shorter than others: they were no rows to the reader."""
    found = [flaw for flaw in raw.flaws if flaw.value and _RAGGED.match(flaw.value)]
    if not found:
        return raw
    notes = [Note(TOTALS_ROW, TOTALS, flaw.line, None, flaw.value) for flaw in found]
    return replace(raw, flaws=[flaw for flaw in raw.flaws if flaw not in found], notes=[*raw.notes, *notes])


def _of_type(plan: HeaderPlan, raw: Raw) -> Raw:
    assert plan.layout is not None and plan.layout.rows is not None
    kept = wanted(plan.layout, raw)
    left = pc.invert(kept)
    if not pc.any(left).as_py():
        return raw
    column = SOURCE + plain(plan.layout.rows.column)
    counts = pc.value_counts(raw.texts[column].filter(left)).to_pylist()
    line = raw.lines.filter(left)[0].as_py()
    notes = [Note(OTHER_RECORD, OTHERS, line, plan.layout.rows.column, c["values"], c["counts"]) for c in counts]
    return replace(filtered(raw, kept), notes=[*raw.notes, *notes])


def without_blank(raw: Raw) -> Raw:
    """The same without the rows in which every cell is empty."""
    blank: pa.Array | None = None
    # the fullest column first: mostly it has no empty cell, and no row can be blank
    for cells in sorted([*raw.texts.values(), *raw.native.values(), *raw.others], key=lambda cells: cells.null_count):
        empty = pc.is_null(cells)
        blank = empty if blank is None else pc.and_(blank, empty)
        if not pc.any(blank).as_py():
            return raw
    return raw if blank is None else filtered(raw, pc.invert(blank))


def _repeated(dirt: Dirt, raw: Raw) -> pa.Array | None:
    """Rows whose every filled cell is the name of its column, two at least."""
    first = next((name for name in dirt.essential if name in raw.texts), None)
    if first is None or not pc.any(pc.equal(raw.texts[first], dirt.names[first])).as_py():
        return None
    same, count = None, None
    for name, texts in raw.texts.items():
        named = pc.fill_null(pc.equal(texts, dirt.names.get(name, "")), False)
        agrees = pc.or_(pc.is_null(texts), named)
        same = agrees if same is None else pc.and_(same, agrees)
        one = pc.cast(named, pa.int32())
        count = one if count is None else pc.add(count, one)
    return pc.and_(same, pc.greater_equal(count, 2))


def _totals(dirt: Dirt, raw: Raw) -> pa.Array | None:
    """Rows of totals: some cell says so, or there are amounts alone; and nothing else that a row must have."""
    empty = [_empty(raw, name) for name in dirt.essential if name in raw.texts]
    # a row of data has every essential cell: mostly there is nothing to look at
    if not empty or all(cells is None for cells in empty):
        return None
    lacking = reduce(pc.or_, [cells for cells in empty if cells is not None])
    if not pc.any(lacking).as_py():
        return None
    says = {name: pc.fill_null(pc.match_substring_regex(texts, _TOTAL), False) for name, texts in raw.texts.items()}
    others = [pc.fill_null(pc.match_substring_regex(texts, _TOTAL), False) for texts in raw.others]
    said = reduce(pc.or_, [*says.values(), *others])
    present = [name for name in dirt.essential if name in raw.texts]
    nothing = reduce(pc.and_, [pc.or_(pc.is_null(raw.texts[name]), says[name]) for name in present])
    for name in dirt.essential:
        if name in raw.native:
            nothing = pc.and_(nothing, pc.is_null(raw.native[name]))
    total = pc.and_(said, nothing)
    words = [pc.is_null(cells) for name, cells in raw.texts.items() if name not in dirt.amounts]
    words += [pc.is_null(cells) for name, cells in raw.native.items() if name not in dirt.amounts]
    words += [pc.is_null(cells) for cells in raw.others]
    alone = reduce(pc.and_, words) if words else None
    return total if alone is None else pc.or_(total, alone)


def _empty(raw: Raw, name: str) -> pa.Array | None:
    """Where a column has nothing; null where it always has something."""
    if not raw.texts[name].null_count:
        return None
    empty = pc.is_null(raw.texts[name])
    return pc.and_(empty, pc.is_null(raw.native[name])) if name in raw.native else empty


def _noted(raw: Raw, found: pa.Array, code: str, told: str) -> list[Note]:
    """A note on each row found, with what it holds (a repeated header is the same every time)."""
    lines = raw.lines.filter(found).to_pylist()
    if code == REPEATED_HEADER:
        return [Note(code, told, line) for line in lines]
    cells = [column.filter(found).to_pylist() for column in (*raw.texts.values(), *raw.native.values(), *raw.others)]
    return [
        Note(code, told, line, None, " ".join(str(cell) for cell in row if cell is not None))
        for line, row in zip(lines, zip(*cells, strict=True), strict=True)
    ]
