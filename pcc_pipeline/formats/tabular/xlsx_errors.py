"""Which cells of a workbook's sheet hold an error (`#N/A`, `#DIV/0!`), told from the sheet's XML.

The reader of `xlsx_reader` gives such cells as empty: without this an amount would quietly be missing.
"""

from __future__ import annotations

import html
import re
import zipfile
from pathlib import Path, PurePosixPath

_CHUNK = 4 << 20
_ERROR = re.compile(rb'<(?:\w+:)?c\s[^>]*\bt="e"[^>]*>')
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]+)"')
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")

_BOOK = "xl/workbook.xml"
_1904 = re.compile(rb'date1904="(1|true)"')

Cells = frozenset[tuple[int, int]]


def error_cells(path: Path, name: str) -> Cells:
    """Row (from 1) and column (from 0) of each cell of that sheet that holds an error. Nothing is told of `.xls`,
    `.xlsb` and `.ods`, which are not in this format."""
    if not zipfile.is_zipfile(path):
        return frozenset()
    with zipfile.ZipFile(path) as book:
        if _BOOK not in book.namelist():
            return frozenset()
        return _errors(book, name)


def counts_from_1904(path: Path) -> bool:
    """Whether the workbook counts days from 1904 (an old Mac's habit)."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as book:
        return _BOOK in book.namelist() and bool(_1904.search(book.read(_BOOK)))


def _errors(book: zipfile.ZipFile, name: str) -> Cells:
    with book.open(_part(book, name)) as sheet:
        found: set[tuple[int, int]] = set()
        rest = b""
        while chunk := sheet.read(_CHUNK):
            text = rest + chunk
            if b'"e"' in text:
                found.update(_place(tag) for tag in _ERROR.findall(text))
            rest = text[text.rfind(b"<") :]  # a tag cut in two is looked at again
        return frozenset(found)


def _part(book: zipfile.ZipFile, name: str) -> str:
    tags = _SHEET.findall(book.read(_BOOK).decode())
    identifier = next((_attribute(tag, r"\w+:id") for tag in tags if html.unescape(_attribute(tag, "name")) == name), "")
    for relation in _RELATION.findall(book.read("xl/_rels/workbook.xml.rels").decode()):
        if _attribute(relation, "Id") == identifier:
            return str(PurePosixPath("xl") / _attribute(relation, "Target")).removeprefix("/")
    raise KeyError(f"the part of sheet {name}")


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return found[1] if found else ""


def _place(tag: bytes) -> tuple[int, int]:
    found = _PLACE.search(tag)
    if found is None:
        raise KeyError("the place of a cell")
    column = 0
    for letter in found[1]:
        column = column * 26 + letter - 64
    return int(found[2]), column - 1
