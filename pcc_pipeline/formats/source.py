"""What a parser is given and what it gives: Source, Sink, Counts. No format is read here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from pcc_pipeline.tables.feeds import QUARANTINE


@dataclass(frozen=True)
class Source:
    """One delivered file: whose it is, of which kind, its name as delivered and where its bytes lie."""

    ente: str
    kind: str
    delivery: str
    file: str
    path: Path


@dataclass(frozen=True)
class Counts:
    """What became of a delivery: rows accepted, rows refused, defects found in the refused ones."""

    rows: int = 0
    refused: int = 0
    defects: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.rows + other.rows, self.refused + other.refused, self.defects + other.defects)


class Sink(Protocol):
    """Where a parser writes, batch by batch."""

    def rows(self, batch: pa.RecordBatch) -> None:
        """Take accepted rows, in the schema of the kind's feed table."""

    def defects(self, batch: pa.RecordBatch) -> None:
        """Take defects, in the schema of the quarantine table."""

    def notes(self, batch: pa.RecordBatch) -> None:
        """Take notes, in the schema of the table `delivery_notes`."""


def defect(
    source: Source, reason: str, *, line: int | None = None, field: str | None = None, value: str | None = None
) -> pa.RecordBatch:
    """One defect as a quarantine batch; `value` is cut at 200 characters."""
    row = {
        "ente": source.ente,
        "kind": source.kind,
        "delivery": source.delivery,
        "file": source.file,
        "line": line,
        "field": field,
        "value": None if value is None else value[:200],
        "reason": reason,
    }
    return pa.RecordBatch.from_pylist([row], schema=QUARANTINE.arrow_schema)
