"""Texts taken out of XML into typed rows of a feed: the same checks as a table's (`rows`), the XML's own lines.

XML says dates and amounts one way only (xs:date, xs:decimal), so nothing is guessed from a column's other values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from pcc_pipeline.clock import ROME
from pcc_pipeline.formats.notes import Note, Notes
from pcc_pipeline.formats.rows import Raw, check_rows
from pcc_pipeline.formats.source import Counts, Sink, Source, defect
from pcc_pipeline.formats.words import emptied
from pcc_pipeline.tables.describe import Table
from pcc_pipeline.tables.feeds import LINEAGE

_ROWS = 20_000
_ZONE = re.compile(r"(?<=[0-9])(Z|[+-][0-9]{2}:[0-9]{2})$")
_DECIMALS = re.compile(r"^([+-]?[0-9]+\.[0-9]{2})0+$")
_ONE = re.compile(r"^\+|\.$")


def day(written: str | None) -> str | None:
    """An xs:date without its time zone, which a date of the calendar does not have."""
    return None if written is None else _ZONE.sub("", written)


def amount(written: str | None) -> str | None:
    """An xs:decimal with no more decimals than cents where the rest are zeros."""
    return None if written is None else _DECIMALS.sub(r"\1", _ONE.sub("", written))


def day_in_rome(written: str | None) -> str | None:
    """The day in Italy of an xs:dateTime; without offset it is Italian time. What is no time stays as it is."""
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return written
    return (moment if moment.tzinfo is None else moment.astimezone(ROME)).date().isoformat()


class Rows:
    """Gathers one source's rows and gives them to the sink in batches; `counts` is what became of them."""

    def __init__(self, table: Table, source: Source, sink: Sink) -> None:
        self._table, self._source, self._sink = table, source, sink
        known = {column.name for column in LINEAGE}
        self._names = [c.name for c in table.columns if c.name not in known and c.type != "records"]
        self._texts: dict[str, list[str | None]] = {name: [] for name in self._names}
        self._native: dict[str, list[object]] = {c.name: [] for c in table.columns if c.type == "records"}
        self._lines: list[int | None] = []
        self._first = 1
        self._notes = Notes()
        self.counts = Counts()

    def add(self, values: Mapping[str, object], line: int | None) -> None:
        """Takes one row by column (missing ones are null); `line` is where it begins in the XML."""
        for name in self._names:
            value = values.get(name)
            self._texts[name].append(None if value is None else str(value))
        for name, cells in self._native.items():
            cells.append(values.get(name))
        self._lines.append(line)
        if len(self._lines) >= _ROWS:
            self.flush()

    def refuse(
        self,
        reason: str,
        line: int | None = None,
        field: str | None = None,
        value: str | None = None,
        *,
        rows: int = 1,
    ) -> None:
        """Takes a defect of which no row is made; `rows` is how many rows it costs."""
        self.flush()
        self._sink.defects(defect(self._source, reason, line=line, field=field, value=value))
        self.counts += Counts(0, rows, 1)

    def finish(self, notes: Iterable[Note] = ()) -> Counts:
        """Gives the rest, and the notes on all of it and on the file; returns the counts."""
        self.flush()
        self._notes.add(notes)
        found = self._notes.batch(self._source)
        if found is not None:
            self._sink.notes(found)
        return self.counts

    def flush(self) -> None:
        """Gives what was gathered so far."""
        if not self._lines:
            return
        count = len(self._lines)
        raw = Raw(
            pa.array(range(self._first, self._first + count), pa.int64()),
            {name: pa.array(cells, pa.string()) for name, cells in self._texts.items()},
        )
        raw = emptied(self._table, raw)
        checked = check_rows(self._table, self._source, raw, {})
        rows = checked.rows
        assert rows is not None  # with evidence given nothing waits
        if self._native:
            kept = rows.column("line").to_pylist()
            for name, natives in self._native.items():
                place = rows.schema.get_field_index(name)
                given = pa.array([natives[line - self._first] for line in kept], rows.schema.field(place).type)
                rows = rows.set_column(place, rows.schema.field(place), given)
        if len(rows):
            self._sink.rows(rows)
        self._notes.add(replace(note, line=self._line(note.line)) for note in (*raw.notes, *checked.notes))
        found = 0
        if checked.defects is not None:
            found = len(checked.defects)
            ordinals = checked.defects.column("line").to_pylist()
            lines = pa.array([self._line(ordinal) for ordinal in ordinals], pa.int64())
            place = checked.defects.schema.get_field_index("line")
            self._sink.defects(checked.defects.set_column(place, checked.defects.schema.field(place), lines))
        self.counts += Counts(len(rows), checked.refused, found)
        self._first += count
        self._lines = []
        for cells in self._texts.values():
            cells.clear()
        for native in self._native.values():
            native.clear()

    def _line(self, ordinal: int | None) -> int | None:
        """Where in the XML the row of that ordinal begins."""
        return None if ordinal is None else self._lines[ordinal - self._first]


def plain_rows(table: Table, sources: Sequence[Source], values: Sequence[Mapping[str, object]]) -> pa.RecordBatch | None:
    """The rows of many files of one ente, one each, as `Rows` gives them; None where there is more to tell of any of them."""
    known = {column.name for column in LINEAGE}
    texts = {
        name: pa.array([None if (cell := row.get(name)) is None else str(cell) for row in values], pa.string())
        for name in table.column_names
        if name not in known
    }
    raw = emptied(table, Raw(pa.array(range(len(sources)), pa.int64()), texts))
    checked = check_rows(table, sources[0], raw, {})
    rows = checked.rows
    if rows is None or checked.defects is not None or checked.refused or raw.notes or checked.notes:
        return None
    deliveries = pa.array([source.delivery for source in sources], pa.string())
    lines = pa.repeat(pa.scalar(1, pa.int64()), len(sources))
    for name, column in (("delivery", deliveries), ("line", lines)):
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, rows.schema.field(place), column)
    return rows
