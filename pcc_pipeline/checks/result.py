"""What a check says: CheckResult, with failing rows as plain values. How it is found is not here."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

#: At most this many failing rows are shown for one check of one ente.
SAMPLES = 20


class CheckError(RuntimeError):
    """A check could not be evaluated at all: a defect of the program, never of the data."""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check for one ente.

    `failing_rows` of `rows` break the rule; `samples` shows up to `SAMPLES` of them (key, delivery,
    line and the offending columns) as values that JSON can hold. `blocking` says whether failing stops
    publication.
    """

    check: str
    passed: bool
    blocking: bool
    failing_rows: int
    rows: int
    samples: list[dict[str, Any]] = field(default_factory=list)
    description: str = ""


def plain(value: Any) -> Any:
    """The value as JSON can hold it: money as text with its decimals, dates and times in ISO form."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


class Tally:
    """Failing rows and samples, by ente and check."""

    def __init__(self) -> None:
        self.failing: dict[tuple[str, str], int] = defaultdict(int)
        self.samples: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)

    def add(self, ente: str, check: str, rows: int, samples: Sequence[Mapping[str, Any]]) -> None:
        """Add failing rows of the ente; of the samples only the first SAMPLES are kept."""
        self.failing[ente, check] += rows
        kept = self.samples[ente, check]
        kept.extend(plain(row) for row in samples[: SAMPLES - len(kept)])
