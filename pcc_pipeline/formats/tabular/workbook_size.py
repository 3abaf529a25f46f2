"""How large a workbook is, measured before its reader opens it: that one holds whole rectangles of cells.

What Excel (.xlsx, .xlsb) and OpenDocument pack in a zip file is looked at here; an .xls of old cannot be larger than
its format. Nothing is held but counts.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO

from pcc_pipeline.formats.limits import SHEETS, WORKBOOK, Sheets, Zipped
from pcc_pipeline.formats.reasons import ASK_AGAIN, damaged
from pcc_pipeline.formats.tabular.ods_size import Extent, of_content
from pcc_pipeline.formats.zipped import DAMAGE, Damaged, Outsized, refuse_long_directory, refuse_outsized, unpacked

BOOK = "la cartella di lavoro"
FAR = "il foglio arriva alla colonna {0}, più delle {1} ammesse: togliere ciò che sta lontano dalla tabella"
SPARSE = "il foglio si estende su {0} celle e ne scrive {1}: togliere ciò che sta lontano dalla tabella"
MANY = "il foglio si estende su {0} celle, più delle {1} ammesse: consegnarlo in più parti, o in CSV"
MERGES = "le celle unite coprono {0} righe, più delle {1} ammesse: dividerle"
LONG = "la parte {0} della cartella di lavoro occupa {1} byte, più dei {2} ammessi: " + ASK_AGAIN
STRINGS = "la cartella di lavoro ha {0} testi, più dei {1} ammessi: consegnarla in più parti, o in CSV"

_PLACE = re.compile(rb'\sr\s*=\s*["\']([A-Z]{1,3})([0-9]{1,7})["\']')
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension\s[^>]*?\bref\s*=\s*["\'](?:[A-Z]+[0-9]+:)?([A-Z]{1,3})([0-9]{1,7})["\']')
_CELL = re.compile(rb"<(?:\w+:)?c[\s>/]")
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?\bref\s*=\s*["\'][A-Z]{1,3}([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})["\']')
#: A tag cut in two by the end of a piece is looked at with the next one, if it is not longer than this.
_TAG = 4096


def oversize(path: Path, zipped: Zipped = WORKBOOK, sheets: Sheets = SHEETS) -> str | None:
    """Why a workbook is too large to be opened, or lies about its size; null where it may be opened, or is no zip file."""
    stat = path.stat()
    return _oversize(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns), zipped, sheets)


@lru_cache(maxsize=4)  # a file is tried by one layout after the other
def _oversize(path: Path, identity: tuple[int, int, int], zipped: Zipped, sheets: Sheets) -> str | None:
    try:
        refuse_long_directory(path, zipped, BOOK)
        if not zipfile.is_zipfile(path):
            return None
        with zipfile.ZipFile(path) as book:
            entries = book.infolist()
        refuse_outsized(entries, path.stat().st_size, zipped, BOOK)
        with path.open("rb") as file:
            for entry in entries:
                _measure(file, entry, sheets)
    except Outsized as error:
        return str(error)
    except (Damaged, *DAMAGE):
        return damaged(BOOK)
    return None


def _measure(file: IO[bytes], entry: zipfile.ZipInfo, limits: Sheets) -> None:
    """Raises Outsized or Damaged for a part beyond the limits. Every part that may be a sheet is looked at as one, since
    the book's relations say which is."""
    name = entry.filename.lower()
    if not name.endswith((".xml", ".rels", ".bin")):
        return
    if name.endswith(("workbook.xml", ".rels", "workbook.bin", "[content_types].xml")):
        _no_longer(entry, limits.book)
    elif name.endswith(("sharedstrings.xml", "sharedstrings.bin")):
        _no_longer(entry, limits.strings)
    pieces = unpacked(file, entry)
    if name.endswith("sharedstrings.xml"):
        count = sum(piece.count(b"<si") for piece in pieces)
        if count > limits.count_strings:
            raise Outsized(STRINGS.format(count, limits.count_strings))
    elif name == "content.xml":
        for extent in of_content(pieces):
            _judge(extent, limits)
    elif name.endswith(".xml"):
        _judge(_of_sheet(pieces, limits), limits)
    else:
        for _ in pieces:  # that it is as long as it says
            pass


def _no_longer(entry: zipfile.ZipInfo, most: int) -> None:
    if entry.file_size > most:
        raise Outsized(LONG.format(entry.filename[-80:], entry.file_size, most))


def _of_sheet(pieces: Iterable[bytes], limits: Sheets) -> Extent:
    """Up to where a sheet's cells go and how many are written. Raises Outsized as soon as one lies too far away."""
    letters: set[bytes] = set()
    rows = cells = merged = 0
    for text in _tags(pieces):
        cells += len(_CELL.findall(text))
        found = _PLACE.findall(text)
        found += _DIMENSION.findall(text)
        if found:
            new = {name for name, _ in found} - letters
            letters |= new
            for name in new:
                if _column(name) > limits.columns:
                    raise Outsized(FAR.format(name.decode(), limits.columns))
            rows = max(rows, *(int(row) for _, row in found))
        if b"mergeCell" in text:
            merged += sum(max(0, int(last) - int(first)) for first, last in _MERGE.findall(text))
            if merged > limits.merged_rows:
                raise Outsized(MERGES.format(merged, limits.merged_rows))
    return Extent(rows, max(map(_column, letters), default=0), cells)


def _tags(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, cut before a tag."""
    rest = b""
    for piece in pieces:
        text = rest + piece
        cut = text.rfind(b"<", max(0, len(text) - _TAG))
        rest = text[cut:] if cut >= 0 else b""
        yield text[:cut] if cut >= 0 else text
    yield rest


def _column(name: bytes) -> int:
    number = 0
    for letter in name:
        number = number * 26 + letter - 64
    return number


def _judge(extent: Extent, limits: Sheets) -> None:
    if extent.columns > limits.columns:
        raise Outsized(FAR.format(extent.columns, limits.columns))
    size = extent.rows * extent.columns
    if size > limits.free_cells and size > limits.sparse * extent.written:
        raise Outsized(SPARSE.format(size, extent.written))
    if (most := max(size, extent.written)) > limits.cells:  # cells may leave out where they are
        raise Outsized(MANY.format(most, limits.cells))
