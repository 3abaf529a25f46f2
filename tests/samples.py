"""The golden enti at hand, inbox and expected tables: the project's own, and that of ../shared, where present."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).resolve().parent
SHARED = TESTS.parents[1] / "shared"

#: The days that the expected tables are for.
REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)

Row = tuple[object, ...]


class Golden(NamedTuple):
    """A golden ente: what it delivers, and the tables that the rules give."""

    ente: str
    inbox: Path
    expected: Path

    def files(self, kind: str = "*") -> list[Path]:
        """What it delivers of a kind, in the order of arrival."""
        return sorted((self.inbox / self.ente).glob(f"{kind}/*"))

    def has(self, table: str) -> bool:
        return (self.expected / f"{table}.csv").exists()

    def rows(self, table: str) -> list[dict[str, str]]:
        """The rows expected of a table."""
        with (self.expected / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def compared(self, table: str, now: Iterable[str]) -> tuple[set[Row], set[Row]]:
        """A table as expected and as it is now (lines of CSV), in the columns and views that are expected."""
        wanted = self.rows(table)
        columns, views = list(wanted[0]), {row["view"] for row in wanted if "view" in row}
        not_due = any(row.get("bucket") == "not_due" for row in wanted)
        found = [
            row
            for row in csv.DictReader(now)
            # An expected table without a view is the right one.
            if row.get("view", "right") in (views or {"right"}) and (not_due or row.get("bucket") != "not_due")
        ]
        return set(_valued(wanted, columns)), set(_valued(found, columns))


def _valued(rows: Iterable[dict[str, str]], columns: list[str]) -> Iterator[Row]:
    """Rows with their amounts as numbers."""
    for row in rows:
        yield tuple(
            Decimal(row[name])
            if row[name] and name in ("amount", "value", "importo", "stock_effect", "remaining")
            else row[name]
            for name in columns
        )


def _golden(folder: Path) -> Iterator[Golden]:
    for path in sorted((folder / "expected").glob("*")):
        yield Golden(path.name, folder / "inbox", path)


#: The project's own first.
OWN = Golden("borgolieto", TESTS / "golden" / "inbox", TESTS / "golden" / "expected" / "borgolieto")
GOLDEN = [OWN, *_golden(SHARED / "golden")]
