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


@dataclass(frozen=True)
class Block:
    """Whole records of a file: their bytes, where they start and on which line, and the line where each record
    that is not an empty line starts."""

    data: bytes
    offset: int
    line: int
    starts: npt.NDArray[np.int64]
    quoted: bool


@dataclass(frozen=True)
class Irregular:
    """From here on quotes do not follow the rule (doubled inside quotes, next to a delimiter or a line's end
    elsewhere), so records cannot be told by counting them."""

    offset: int
    line: int


def blocks(
    path: Path, skip: int, line: int, delimiter: str, size: int = BLOCK
) -> Iterator[Block | Irregular]:
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
            end, starts, newlines, quoted = cut
            yield Block(data[:end], offset, line, starts + line, quoted)
            offset, line, rest = offset + end, line + newlines, data[end:]
            if len(read) < size:
                return


_Cut = tuple[int, npt.NDArray[np.int64], int, bool]


def _cut(data: bytes, *, last: bool, delimiter: str) -> _Cut | None:
    """Where the last whole record ends, the lines (from 0) where records start, the number of line breaks
    before the end, whether there are quotes; null when irregular."""
    octets = np.frombuffer(data, np.uint8)
    breaks = np.flatnonzero(octets == _NEWLINE)
    quoted = b'"' in data
    ends, numbers = breaks, np.arange(1, len(breaks) + 1)
    if quoted:
        quotes = np.flatnonzero(octets == _QUOTE)
        outside = (np.searchsorted(quotes, breaks) & 1) == 0
        ends, numbers = breaks[outside], numbers[outside]
    if last and (not len(ends) or ends[-1] != len(data) - 1):
        if quoted and len(quotes) & 1:
            return None
        ends, numbers = np.append(ends, len(data)), np.append(numbers, len(breaks) + 1)
    if not len(ends):
        return None  # no record ends within a whole block
    end = min(int(ends[-1]) + 1, len(data))
    if quoted and not _regular(octets[:end], quotes[quotes < end], delimiter):
        return None
    begins = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - begins
    blank = (lengths == 0) | ((lengths == 1) & (octets[np.minimum(begins, len(data) - 1)] == _RETURN))
    starts = np.concatenate(([0], numbers[:-1]))
    return end, starts[~blank].astype(np.int64), len(breaks[breaks < end]), quoted


def _regular(octets: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64], delimiter: str) -> bool:
    """Whether each opening quote follows a delimiter or a line's start, and each closing one precedes a
    delimiter or a line's end; a doubled quote inside is both a closing and an opening one."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening == 0, _NEWLINE, octets[opening - 1])
    after = np.where(closing == len(octets) - 1, _NEWLINE, octets[np.minimum(closing + 1, len(octets) - 1)])
    edge = ord(delimiter)
    return bool(
        np.isin(before, (_NEWLINE, _QUOTE, edge)).all()
        and np.isin(after, (_NEWLINE, _RETURN, _QUOTE, edge)).all()
    )
