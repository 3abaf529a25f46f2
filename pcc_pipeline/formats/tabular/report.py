"""What a layout makes of one file: what it reads, what it leaves, what it cannot tell. Nothing is stored."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pcc_pipeline.formats.conventions import AMBIGUOUS
from pcc_pipeline.formats.names import described, plain
from pcc_pipeline.formats.source import Counts, Source
from pcc_pipeline.formats.tabular.choose import KINDS, PCC_KINDS, Fit, fits
from pcc_pipeline.formats.tabular.guess import likeliest
from pcc_pipeline.formats.tabular.headers import Header, HeaderPlan
from pcc_pipeline.formats.tabular.layouts.load import standard
from pcc_pipeline.formats.tabular.layouts.model import Layout, Recipe
from pcc_pipeline.formats.tabular.parse import parse_tabular
from pcc_pipeline.formats.tabular.parts import open_parts
from pcc_pipeline.tables.feeds import FEEDS

#: A file fits, and half of its columns are known: a kind that asks for one column alone fits nearly every file.
_SURE = 1.5


class Memory:
    """A sink that keeps what people are told of: a few rows, defects by what they say, notes."""

    def __init__(self) -> None:
        self.first: list[dict[str, Any]] = []
        self.bad: Counter[tuple[str | None, str]] = Counter()
        self.shown: dict[tuple[str | None, str], tuple[int | None, str | None]] = {}
        self.noted: list[dict[str, Any]] = []

    def rows(self, batch: pa.RecordBatch) -> None:
        """Keeps the first rows."""
        if len(self.first) < 3:
            self.first += batch.slice(0, 3 - len(self.first)).to_pylist()

    def defects(self, batch: pa.RecordBatch) -> None:
        """Counts the defects; the first of each sort is kept."""
        for row in batch.to_pylist():
            sort = (row["field"], row["reason"].replace(str(row["value"]), "…"))
            self.bad[sort] += 1
            self.shown.setdefault(sort, (row["line"], row["value"]))

    def notes(self, batch: pa.RecordBatch) -> None:
        """Keeps the notes."""
        self.noted += batch.to_pylist()


@dataclass(frozen=True)
class Told:
    """A sort of defect: its column, reason, how often, and the first line and value."""

    field: str | None
    reason: str
    times: int
    line: int | None
    value: str | None


@dataclass
class Report:
    """What a layout makes of a file.

    `reads` pairs the file's columns with what they become; `left` are those not read; `absent` the standard columns
    that nothing gives; `untold` the defects of ambiguous values, `refused` the others; `problem` is why the whole
    file does not fit.
    """

    kind: str
    layout: str
    problem: str | None = None
    reads: list[tuple[str, str]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    untold: list[Told] = field(default_factory=list)
    refused: list[Told] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    first: list[dict[str, Any]] = field(default_factory=list)


def kind_of(path: Path) -> str:
    """The kind whose layouts a file fits best; where it fits none, the one that its columns resemble most."""
    best: tuple[float, str] = (-1.0, KINDS[0])
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        for kind in FEEDS:
            if kind not in ("sdi_invoices", "sdi_messages"):
                found = fits(kind, path, Path(folder))
                best = max(best, (found[0].score if found else 0.0, kind), key=lambda pair: pair[0])
    return best[1] if best[0] >= _SURE else likeliest(path, (*KINDS, *PCC_KINDS))


def best_fit(path: Path, kind: str) -> Fit:
    """The layout that a file of that kind fits best."""
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        return fits(kind, path, Path(folder))[0]


def report(path: Path, kind: str, layout: Layout | None = None) -> Report:
    """Reads the whole file by that layout, or by the one that it fits best, and tells what became of it."""
    from pcc_pipeline.formats.tabular.layouts.load import layouts

    if layout is None:
        name = best_fit(path, kind).plan.name
        layout = layouts()[name]
    mine = layout.kinds.get(kind)
    plan = HeaderPlan(FEEDS[kind], mine, layout.name if mine else standard().name)
    made = Report(kind, plan.name)
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        parts, flaw = open_parts([plan], path, Path(folder))
    for part in parts:
        _columns(made, part.plan, part.header)
    made.problem = flaw.reason if flaw else None
    if flaw:
        return made
    memory = Memory()
    made.counts = parse_tabular(Source("", kind, "", path.name, path), memory, layout=layout)
    for sort, times in memory.bad.most_common():
        told = Told(*sort, times, *memory.shown[sort])
        (made.untold if told.reason.startswith(AMBIGUOUS) else made.refused).append(told)
    made.notes, made.first = memory.noted, memory.first
    return made


def _columns(made: Report, plan: HeaderPlan, header: Header) -> None:
    by_source: dict[str, list[str]] = {}
    if plan.layout is not None:
        for name, recipe in plan.layout.columns.items():
            for source in recipe.sources or ("",):
                by_source.setdefault(plain(source), []).append(name + _how(recipe))
    given: set[str] = set()
    for name, column in zip(header.names, header.columns, strict=True):
        meant = by_source.get(plain(name), [])
        if plan.layout is None and column:
            meant = [column]
        given.update(one.split(" ")[0] for one in meant)
        if meant and (name, ", ".join(meant)) not in made.reads:
            made.reads.append((name, ", ".join(meant)))
    constants = [("(always)", name) for name in by_source.get("", ())]
    made.reads += [pair for pair in constants if pair not in made.reads]
    given.update(name.split(" ")[0] for _, name in constants)
    made.left += [name for name in header.names if name and name not in {read for read, _ in made.reads} | set(made.left)]
    made.absent = [name for name in described(plan.table) if name not in given]


def _how(recipe: Recipe) -> str:
    """What is done to a column beside renaming it, in short."""
    done = [
        name.rstrip("_")
        for name in ("join", "first_of", "which", "sign_of", "pattern", "values", "negative_when", "numbers", "dates")
        if getattr(recipe, name)
    ]
    done += [recipe.sign] if recipe.sign != "as_is" else []
    done += [f"constant {recipe.constant}"] if recipe.constant is not None else []
    return f" ({', '.join(done)})" if done else ""
