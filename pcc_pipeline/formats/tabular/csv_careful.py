"""CSV records read one at a time, for the part of a file whose quotes follow no rule.

Slow and patient: a quote that is never closed costs its own line, not the rest of the file. Regular files
never come here (see `csv_blocks`).
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from pcc_pipeline.formats.limits import LINE
from pcc_pipeline.formats.rows import Flaw

#: A quoted field spanning more lines than this is taken for an unclosed quote.
_LONGEST = 200
QUOTES = "virgolette non chiuse o fuori posto: raddoppiare quelle dentro un campo tra virgolette"
TOO_LONG = f"riga di oltre {LINE >> 20} MB, che nessuna tabella ha: dividerla, o chiudere le virgolette che la uniscono"
#: Of a line that is too long.
_SHOWN = 200

Record = tuple[int, list[str]]


class _Lines:
    """The file's lines, numbered, with those of a failed record given back."""

    def __init__(self, lines: Iterator[str], number: int) -> None:
        self._lines, self._back, self._taken = lines, deque[str](), list[str]()
        self.number = number

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self._taken) >= _LONGEST:
            raise StopIteration
        line = self._back.popleft() if self._back else next(self._lines)
        self._taken.append(line)
        return line

    def too_long(self) -> bool:
        """Whether the next line is longer than LINE: it is then taken, for `retreat`. Raises StopIteration at the end."""
        line = next(self)
        if len(line) > LINE or len(line.encode()) > LINE:
            return True
        self._back.appendleft(self._taken.pop())
        return False

    def keep(self) -> None:
        """The record is done: its lines are passed."""
        self.number += len(self._taken)
        self._taken.clear()

    def retreat(self) -> str:
        """Only the record's first line is passed, and returned; the others come again."""
        first = self._taken[0]
        self._back.extendleft(reversed(self._taken[1:]))
        self.number += 1
        self._taken.clear()
        return first


def careful_records(path: Path, offset: int, line: int, delimiter: str, width: int) -> Iterator[Record | Flaw]:
    """Records of `width` fields with the line where each starts, and flaws, from byte `offset`, on `line`."""
    with path.open("rb") as file:
        file.seek(offset)
        lines = _Lines(_bounded(file), line)
        while True:
            start = lines.number
            try:
                if lines.too_long():
                    yield Flaw(start, TOO_LONG, lines.retreat()[:_SHOWN])
                    continue
                fields = next(csv.reader(lines, delimiter=delimiter, strict=True))
            except StopIteration:
                return
            except csv.Error:
                yield Flaw(start, QUOTES, lines.retreat().rstrip("\r\n"))
                continue
            if fields and len(fields) != width:
                text = lines.retreat().rstrip("\r\n")
                if text.strip(f'{delimiter}" \t'):
                    yield Flaw(start, ragged(width, len(fields)), text)
                continue
            lines.keep()
            if fields:
                yield start, fields


def _bounded(file: BinaryIO) -> Iterator[str]:
    """The lines, each no longer than LINE and one byte more: the rest of a longer one is passed over."""
    while line := file.readline(LINE + 1):
        rest = line
        while len(rest) > LINE and not rest.endswith(b"\n"):
            rest = file.readline(LINE + 1)
        yield line.decode(errors="ignore" if rest is not line else "strict")


def ragged(expected: int, found: int) -> str:
    """The reason for a row whose number of fields is not the header's."""
    return f"la riga ha {found} campi e l'intestazione {expected}: mettere tra virgolette i campi che contengono il separatore"


def batches(records: Iterator[Record | Flaw], size: int = 20_000) -> Iterator[list[Record | Flaw]]:
    """The records in lists of at most `size`."""
    while batch := list(islice(records, size)):
        yield batch
