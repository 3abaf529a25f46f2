"""The golden enti at hand, inbox and expected tables: the project's own, and that of ../shared, where present."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from pcc_pipeline.formats import parse
from pcc_pipeline.formats.source import Source

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

    def delivered(self, folder: Path) -> Path:
        """A copy of the inbox in whose register every ente writes Modello 003, as its expected operations do."""
        shutil.copytree(self.inbox, folder, dirs_exist_ok=True)
        if not (folder / "_provider" / "enti").exists():
            (folder / "_provider" / "enti").mkdir(parents=True)
            register = "ente;denominazione;cf;tipo;attivato_il\n{};Comune di prova;80012340157;COMUNE;2025-01-01\n"
            (folder / "_provider" / "enti" / "enti.csv").write_text(register.format(self.ente), encoding="utf-8")
        for path in (folder / "_provider" / "enti").glob("*.csv"):
            head, *lines = path.read_text(encoding="utf-8").splitlines()
            if "modelli_pcc" not in head:
                path.write_text(
                    "\n".join([f"{head};modelli_pcc", *(f"{line};003" for line in lines if line), ""]), encoding="utf-8"
                )
        return folder

    def files(self, kind: str = "*") -> list[Path]:
        """What it delivers of a kind, in the order of arrival."""
        return sorted((self.inbox / self.ente).glob(f"{kind}/*"))

    def feeds(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """Its deliveries as `models.reconcile` takes them: kind and rows, read by the parsers, in the order of arrival."""
        return [(path.parent.name, rows(path, path.parent.name)) for path in self.files()]

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


def rows(path: Path, kind: str) -> list[dict[str, Any]]:
    """The rows of a file without defects, without where they came from but for their line."""
    from opi_flows import Lists  # beside this file, where pytest looks: `python -m tests.golden` needs it not

    sink = Lists(kind)
    counts = parse(kind, [Source("alfa", kind, "d", path.name, path)], sink)["d"]
    assert not sink.bad and counts.rows == len(sink.good), (path, sink.bad)
    return [{name: value for name, value in row.items() if name not in ("ente", "delivery")} for row in sink.good]


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
