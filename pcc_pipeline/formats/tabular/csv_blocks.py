"""A CSV file cut into blocks of whole records, each knowing the line where each of its records starts.

A record is a line, or several when a quoted field holds line breaks. Fields are not read here: see
`csv_reader`, and `csv_careful` for what this module finds irregular.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

BLOCK = 8 << 20

_NEWLINE, _QUOTE, _RETURN = 10, 34, 13
Starts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """Whole records of a file: their bytes, where they start and on which line, how many lines they fill."""

    data: bytes
    offset: int
    line: int
    lines: int
    quoted: bool

    def starts(self, records: int) -> Starts:
        """The line where each record starts, empty lines left out. Where `records`, a count of the records by
        other means, is that of the lines, nothing need be looked for."""
        if not self.quoted and records == self.lines:
            return np.arange(self.line, self.line + records)
        return _starts(self.data) + self.line


@dataclass(frozen=True)
class Irregular:
    """From here on quotes do not follow the rule (doubled inside quotes, next to a delimiter or a line's end
    elsewhere), so records cannot be told by counting them."""

    offset: int
    line: int


def blocks(path: Path, skip: int, line: int, delimiter: str, size: int = BLOCK) -> Iterator[Block | Irregular]:
    """The file's blocks from byte `skip`, which lies at the start of line `line`; Irregular is the last."""
    offset, rest, size = skip, b"", BLOCK
    with path.open("rb") as file:
        file.seek(skip)
        while True:
            read = file.read(size)
            data = rest + read
            if not data:
                return
            cut = _cut(data, last=len(read) < size, delimiter=delimiter)
            if cut is None:
                yield Irregular(offset, line)
                return
            end, quoted = cut
            lines = data.count(b"\n", 0, end)
            whole = Block(data[:end], offset, line, lines + (data[end - 1] != _NEWLINE), quoted)
            yield whole
            offset, line, rest = offset + end, line + lines, data[end:]
            if len(read) < size:
                return


def _cut(data: bytes, *, last: bool, delimiter: str) -> tuple[int, bool] | None:
    """Where the last whole record ends and whether there are quotes; null when irregular."""
    if b'"' not in data:
        end = len(data) if last else data.rfind(b"\n") + 1
        return (end, False) if end else None
    octets = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(octets == _QUOTE)
    if last:
        end = len(data)
        if len(quotes) & 1:
            return None
    else:
        ends = _ends(octets, quotes)
        if not len(ends):
            return None  # no record ends within a whole block
        end = int(ends[-1]) + 1
    return (end, True) if _regular(octets[:end], quotes[quotes < end], delimiter) else None


def _ends(octets: npt.NDArray[np.uint8], quotes: Starts) -> Starts:
    """The line breaks that are outside quotes."""
    breaks = np.flatnonzero(octets == _NEWLINE)
    return breaks[(np.searchsorted(quotes, breaks) & 1) == 0]


def _starts(data: bytes) -> Starts:
    """The line, from 0, where each record starts that is not an empty line."""
    octets = np.frombuffer(data, np.uint8)
    breaks = np.flatnonzero(octets == _NEWLINE)
    ends = _ends(octets, np.flatnonzero(octets == _QUOTE))
    if not len(ends) or ends[-1] != len(data) - 1:
        ends = np.append(ends, len(data))
    begins = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - begins
    blank = (lengths == 0) | ((lengths == 1) & (octets[np.minimum(begins, len(data) - 1)] == _RETURN))
    return np.searchsorted(breaks, begins)[~blank].astype(np.int64)


def _regular(octets: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64], delimiter: str) -> bool:
    """Whether each opening quote follows a delimiter or a line's start, and each closing one precedes a
    delimiter or a line's end; a doubled quote inside is both a closing and an opening one."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening == 0, _NEWLINE, octets[opening - 1])
    after = np.where(closing == len(octets) - 1, _NEWLINE, octets[np.minimum(closing + 1, len(octets) - 1)])
    edge = ord(delimiter)
    return bool(np.isin(before, (_NEWLINE, _QUOTE, edge)).all() and np.isin(after, (_NEWLINE, _RETURN, _QUOTE, edge)).all())
