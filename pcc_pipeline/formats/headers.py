"""Header lines: which column of a file is which column of a feed table. No row is read here."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pcc_pipeline.tables.describe import Table
from pcc_pipeline.tables.feeds import LINEAGE

DELIMITERS = (";", ",", "\t")
#: Columns that a file names otherwise than its table (whose lineage column has the name already).
ALIASES = {"enti": {"ente": "codice_ente"}}

_HEADER_LINES = 50
#: A quoted field between delimiters or line ends, quotes doubled inside.
_QUOTED_NAME = re.compile(r'(?:(?<=[;,\t\n])|^)"(?:[^"]|"")*"(?=[;,\t\r\n]|$)')
_LINEAGE = frozenset(column.name for column in LINEAGE)


@dataclass(frozen=True)
class Header:
    """A file's columns in order: for each its table column, or null when the table has none such.

    `unknown` names the columns that the table does not have; `problem` says why the file is refused.
    """

    columns: tuple[str | None, ...]
    unknown: tuple[str, ...] = ()
    problem: str | None = None


def plain(name: str) -> str:
    """The name without case, accents, spaces and punctuation: `Data Emissione` and `data_emissione` agree."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters.casefold() if letter.isalnum())


def described(table: Table) -> list[str]:
    """Names of the table's columns that a file may bring: all but the lineage and what no cell can hold (records)."""
    return [c.name for c in table.columns if c.name not in _LINEAGE and c.type != "records"]


def read_header(table: Table, names: Sequence[str]) -> Header:
    """The header's columns; a missing required column or a repeated name is a problem naming it."""
    known = {plain(name): name for name in described(table)}
    for alias, name in ALIASES.get(table.name, {}).items():
        known[plain(alias)] = name
    keys = [plain(name) for name in names]
    columns = tuple(known.get(key) for key in keys)
    unknown = tuple(
        name.strip() for name, column in zip(names, columns, strict=True) if not column and name.strip()
    )
    found = set(columns)
    named = {name: alias for alias, name in ALIASES.get(table.name, {}).items()}
    missing = [
        named.get(c.name, c.name)
        for c in table.columns
        if c.required and c.name not in _LINEAGE and c.name not in found
    ]
    missing += [" or ".join(group) for group in table.one_of if not found & set(group)]
    # two names may differ in writing and still be one column (an alias beside its own name)
    counts = Counter(column or key for column, key in zip(columns, keys, strict=True) if key)
    repeated = [name for name, count in counts.items() if count > 1]
    problem = None
    if missing:
        problem = f"missing columns: {', '.join(missing)}"
    elif repeated:
        problem = f"columns named twice: {', '.join(repeated)}: rename or remove one of each"
    return Header(columns, unknown, problem)


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


def choose_delimiter(table: Table, text: str) -> str:
    """The delimiter under which the header names most of the table's columns; `;` when none does."""

    def recognised(delimiter: str) -> int:
        return sum(column is not None for column in read_header(table, split_header(text, delimiter)).columns)

    return max(DELIMITERS, key=recognised)
