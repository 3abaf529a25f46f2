"""Notes on a file, gathered while it is read: the same note of many rows is one row with how often.

What may be noted is described in `tables.notes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from pcc_pipeline.formats.source import Source
from pcc_pipeline.tables.notes import DELIVERY_NOTES

#: Distinct values kept for one code and column; the rest is counted together.
_VALUES = 1_000


@dataclass(frozen=True)
class Note:
    """Something seen at a line: its code, the column and value it is about, how many rows share it."""

    code: str
    note: str
    line: int | None = None
    field: str | None = None
    value: str | None = None
    times: int = 1


class Notes:
    """The notes of one file."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str | None, str | None, str], list[int | None]] = {}
        self._values: dict[tuple[str, str | None], int] = {}

    def add(self, notes: Iterable[Note]) -> None:
        """Adds notes, in any order of lines."""
        for note in notes:
            value = None if note.value is None else note.value[:200]
            key = (note.code, note.field, value, note.note)
            if key not in self._found:
                group = (note.code, note.field)
                self._values[group] = self._values.get(group, 0) + 1
                if self._values[group] > _VALUES:
                    key = (note.code, note.field, None, note.note)
            line, times = self._found.get(key, [note.line, 0])
            if note.line is not None:
                line = note.line if line is None else min(line, note.line)
            self._found[key] = [line, (times or 0) + note.times]

    def batch(self, source: Source) -> pa.RecordBatch | None:
        """All of them as rows, by line; null when there are none."""
        if not self._found:
            return None
        rows = [
            {
                "ente": source.ente, "kind": source.kind, "delivery": source.delivery, "file": source.file,
                "code": code, "field": field, "value": value, "line": line, "times": times, "note": note,
            }
            for (code, field, value, note), (line, times) in self._found.items()
        ]  # fmt: skip
        rows.sort(key=lambda row: (row["line"] or 0, row["code"], row["field"] or "", row["value"] or ""))
        return pa.RecordBatch.from_pylist(rows, schema=DELIVERY_NOTES.arrow_schema)
