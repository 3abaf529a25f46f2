"""Header lines: where they stand, and which column of a file is which column of a feed table. No row is read here."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pcc_pipeline.formats.names import described, plain
from pcc_pipeline.formats.tabular.layouts.model import SOURCE, KindLayout
from pcc_pipeline.tables.describe import Table

DELIMITERS = (";", ",", "\t", "|")
#: Columns that a file names otherwise than its table (whose lineage column has the name already).
ALIASES = {kind: {"ente": "codice_ente"} for kind in ("enti", "tickets", "ratings")}
#: Rows among which the header is looked for, blank ones left out: titles may stand above it.
HEADER_ROWS = 30

_HEADER_LINES = 50
#: A quoted field between delimiters or line ends, quotes doubled inside.
_QUOTED_NAME = re.compile(r'(?:(?<=[;,|\t\n])|^)"(?:[^"]|"")*"(?=[;,|\t\r\n]|$)')


@dataclass(frozen=True)
class HeaderPlan:
    """How a file may be read: the table it becomes, and the layout of its columns (null: their standard names); `net`
    where payments are written without what is withheld."""

    table: Table
    layout: KindLayout | None = None
    name: str = "standard"
    net: bool = False


@dataclass(frozen=True)
class Header:
    """A file's columns in order: for each its table column (under a layout `SOURCE` and its own plain name), or
    null when it is not known.

    `names` are the columns as written; `unknown` those that nothing knows; `problem` says why the file is refused.
    """

    columns: tuple[str | None, ...]
    unknown: tuple[str, ...] = ()
    problem: str | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A header found among a file's first rows: how it is read, which row it is (from 0) and over how many rows it
    goes, the delimiter it has."""

    plan: HeaderPlan
    header: Header
    row: int
    rows: int
    delimiter: str


def read_header(plan: HeaderPlan, names: Sequence[str]) -> Header:
    """The header's columns; a missing required column or a repeated name is a problem naming it."""
    table, layout = plan.table, plan.layout
    known = _standard_names(table) if layout is None else _layout_names(layout)
    ignored = frozenset(map(plain, layout.ignore)) if layout else frozenset()
    keys = [plain(name) for name in names]
    columns = tuple(known.get(key) for key in keys)
    unknown = tuple(
        name.strip()
        for name, key, column in zip(names, keys, columns, strict=True)
        if not column and name.strip() and key not in ignored
    )
    found = frozenset(column for column in columns if column)
    missing = _missing(table, found) if layout is None else _missing_sources(table, layout, found)
    # two names may differ in writing and still be one column (an alias beside its own name)
    counts = Counter(column or key for column, key in zip(columns, keys, strict=True) if key and key not in ignored)
    repeated = [name.removeprefix(SOURCE) for name, count in counts.items() if count > 1]
    problem = None
    if missing:
        problem = f"mancano le colonne: {', '.join(missing)}"
    elif repeated:
        problem = f"colonne ripetute: {', '.join(repeated)}: rinominare o togliere i doppioni"
    return Header(columns, unknown, problem, tuple(name.strip() for name in names))


def _standard_names(table: Table) -> dict[str, str]:
    known = {plain(name): name for name in described(table)}
    for alias, name in ALIASES.get(table.name, {}).items():
        known[plain(alias)] = name
    return known


def _layout_names(layout: KindLayout) -> dict[str, str]:
    recipes = [*layout.columns.values(), *(r for sheet in layout.sheets for r in sheet.columns.values())]
    sources = [source for recipe in recipes for source in recipe.sources]
    sources += [layout.rows.column] if layout.rows else []
    return {plain(source): SOURCE + plain(source) for source in sources}


def _missing(table: Table, found: frozenset[str]) -> list[str]:
    named = {name: alias for alias, name in ALIASES.get(table.name, {}).items()}
    brought = described(table)
    missing = [named.get(c.name, c.name) for c in table.columns if c.required and c.name in brought and c.name not in found]
    return missing + [" o ".join(group) for group in table.one_of if not found & set(group)]


def _missing_sources(table: Table, layout: KindLayout, found: frozenset[str]) -> list[str]:
    """The file's columns that a layout needs for what the table requires, and are not there."""

    def absent(name: str) -> list[str]:
        recipe = layout.columns[name]
        gone = [source for source in recipe.sources if SOURCE + plain(source) not in found]
        some = recipe.first_of or tuple(recipe.which)
        if some and len(gone) < len(recipe.sources):
            return []
        return gone

    missing = [
        f"{source} ({column.name})"
        for column in table.columns
        if column.required and column.name in layout.columns
        for source in absent(column.name)
    ]
    if layout.rows and SOURCE + plain(layout.rows.column) not in found:
        missing.append(f"{layout.rows.column} (tipo di record)")
    for group in table.one_of:
        there = [name for name in group if name in layout.columns]
        if there and all(absent(name) for name in there):
            missing.append(" o ".join(f"{source} ({name})" for name in there for source in absent(name)))
    return list(dict.fromkeys(missing))


def split_header(text: str, delimiter: str) -> list[str]:
    """The names in a header record (which may hold quoted line breaks)."""
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []  # no table has a name that long


def header_record(text: str) -> str:
    """The record that `text` begins with. Quoted names may hold line breaks; a quote left open, or closed in
    the middle of a field, cannot swallow the rows below: then the record is the first line."""
    end = text.find("\n") + 1
    first = text[:end] or text
    for _ in range(_HEADER_LINES):
        record = text[:end] or text
        if record.count('"') % 2 == 0:
            break
        end = text.find("\n", end) + 1 if end else 0
    inside = re.sub(_QUOTED_NAME, "", record)
    return first if '"' in inside or "\n" in inside.rstrip("\r\n") else record


def find_header(
    plans: Sequence[HeaderPlan], rows: int, cells: Callable[[int, str], Sequence[str]], texts: bool = True
) -> Found:
    """The header among a file's first `rows` rows, by the first plan that one of them satisfies; else that of the
    row in which most columns are known, with its problem. `cells` splits a row by a delimiter (where `texts`)."""
    closest: tuple[int, Found] | None = None
    for plan in plans:
        for found in _candidates(plan, rows, cells, texts):
            known = sum(column is not None for column in found.header.columns)
            if closest is None or known > closest[0]:
                closest = known, found
            if found.header.problem is None:
                return found
    assert closest is not None
    return closest[1]


def _candidates(plan: HeaderPlan, rows: int, cells: Callable[[int, str], Sequence[str]], texts: bool) -> Iterator[Found]:
    """A header for each row that may be one, under the delimiter that lets most columns be known."""
    heading = plan.layout.header if plan.layout else None
    height = heading.rows if heading else 1
    delimiters: Sequence[str] = DELIMITERS if texts else ("",)
    if plan.layout and plan.layout.delimiter and texts:
        delimiters = (plan.layout.delimiter,)
    last = max(1, rows - height + 1)
    skip = heading.skip if heading else None
    for row in range(last) if skip is None else (min(skip, last - 1),):
        headers = [(mark, read_header(plan, _names(cells, row, height, mark, rows))) for mark in delimiters]
        mark, header = max(headers, key=lambda pair: sum(column is not None for column in pair[1].columns))
        yield Found(plan, header, row, height, mark)


def _names(cells: Callable[[int, str], Sequence[str]], row: int, height: int, mark: str, rows: int) -> list[str]:
    """The columns' names: where the header goes over several rows, those of a column joined, and an upper row's
    name standing for the columns at its right that it leaves empty."""
    names = list(cells(row, mark))
    for below in range(row + 1, min(row + height, rows)):
        lower = list(cells(below, mark))
        width = max(len(names), len(lower))
        names += [""] * (width - len(names))
        lower += [""] * (width - len(lower))
        above = ""
        for place, name in enumerate(names):
            above = name.strip() or above
            names[place] = f"{above} {lower[place].strip()}".strip()
    return names
