"""Small tables whole: the rows of a text file or of a workbook's sheets as they stand, for readers that know the columns.

What a delivered table may be (encodings, delimiters, workbooks) holds here too. Feeds are read by `parse`, in pieces.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pcc_pipeline.formats.reasons import unreadable_workbook
from pcc_pipeline.formats.tabular.csv_careful import QUOTES
from pcc_pipeline.formats.tabular.encoding import OLE, ZIP, as_utf8
from pcc_pipeline.formats.tabular.headers import DELIMITERS, header_record, split_header
from pcc_pipeline.formats.tabular.workbook_size import oversize


class NoTable(ValueError):
    """A file that cannot be read as a table; its text says why."""


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook by its first bytes."""
    with path.open("rb") as file:
        return file.read(len(OLE)).startswith((ZIP, OLE))


def text_rows(path: Path) -> list[list[str]]:
    """The rows of a text file, its header first, by the delimiter that parts the header most. Raises NoTable."""
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        found = as_utf8(path, Path(folder))
        if found.problem:
            raise NoTable(found.problem)
        text = found.path.read_bytes()[found.skip :].decode()
    header = header_record(text)
    delimiter = max(DELIMITERS, key=lambda mark: len(split_header(header, mark)))
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        raise NoTable(QUOTES) from None


def workbook_rows(path: Path) -> Iterator[tuple[str, Iterator[list[Any]]]]:
    """The sheets of a workbook in its own order: each name, and its rows from the first. Raises NoTable."""
    import python_calamine as calamine

    if problem := oversize(path):
        raise NoTable(problem)
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            yield name, book.get_sheet_by_name(name).iter_rows()
    except Exception as error:  # calamine's errors share no useful base
        raise NoTable(unreadable_workbook(error)) from None
