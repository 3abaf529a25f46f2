"""Which cells of a workbook's first sheet hold an error (`#N/A`, `#DIV/0!`), told from the sheet's XML.

The reader of `xlsx_reader` gives such cells as empty: without this an amount would quietly be missing.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path, PurePosixPath

_CHUNK = 4 << 20
_ERROR = re.compile(rb'<(?:\w+:)?c\s[^>]*\bt="e"[^>]*>')
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]+)"')
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")

Cells = frozenset[tuple[int, int]]


def error_cells(path: Path) -> Cells:
    """Row (from 1) and column (from 0) of each cell of the first sheet that holds an error."""
    with zipfile.ZipFile(path) as book, book.open(_first_sheet(book)) as sheet:
        found: set[tuple[int, int]] = set()
        rest = b""
        while chunk := sheet.read(_CHUNK):
            text = rest + chunk
            if b'"e"' in text:
                found.update(_place(tag) for tag in _ERROR.findall(text))
            rest = text[text.rfind(b"<") :]  # a tag cut in two is looked at again
        return frozenset(found)


def _first_sheet(book: zipfile.ZipFile) -> str:
    tag = _SHEET.search(book.read("xl/workbook.xml").decode())
    identifier = _attribute(tag[0] if tag else "", r"\w+:id")
    for relation in _RELATION.findall(book.read("xl/_rels/workbook.xml.rels").decode()):
        if _attribute(relation, "Id") == identifier:
            return str(PurePosixPath("xl") / _attribute(relation, "Target")).removeprefix("/")
    raise KeyError("the first sheet's part")


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
