"""CSV and workbooks into a feed's rows: the kinds of docs/formats.md that are tables, by standard names or a layout's.

Two passes at most: what a part of the file can settle by itself goes out at once; the parts in which some
value waits for the evidence of the whole column (Italian dates, mostly) are kept aside as text and read when
the file has been seen to its end. How values are read is in `conventions`, rows in `rows`.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from pcc_pipeline.formats.notes import Notes
from pcc_pipeline.formats.rows import WHOLE, Checked, Raw, check_rows, flaws_batch, in_sheet
from pcc_pipeline.formats.source import Counts, Sink, Source
from pcc_pipeline.formats.tabular.choose import difference, plans_for
from pcc_pipeline.formats.tabular.dirt import cleaned, dirt_of
from pcc_pipeline.formats.tabular.layouts.apply import applied, declared, gross, uses
from pcc_pipeline.formats.tabular.layouts.model import Layout
from pcc_pipeline.formats.tabular.parts import Part, Task, open_parts
from pcc_pipeline.formats.tabular.spool import Spool
from pcc_pipeline.formats.words import emptied, emptied_sources

T = TypeVar("T")


def parse_tabular(
    source: Source, sink: Sink, *, layout: Layout | None = None, threads: int = 2, scratch: Path | None = None
) -> Counts:
    """Reads a delivered table, giving accepted rows, defects and notes to `sink`; returns how many.

    Never raises for what the file holds. A file that cannot be read at all, or fits neither the `layout` nor the
    standard columns, is one defect and counts as one refused row. `threads` parts are read at once, each of some
    8 MB of text; `scratch` is where temporary files go (the system's folder by default).
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pcc-", dir=scratch)))
        plans = plans_for(source.kind, layout, source.path, folder)
        parts, flaw = open_parts(plans, source.path, folder)
        if flaw:
            if flaw.reason.startswith(WHOLE):
                flaw = replace(flaw, reason=f"{flaw.reason}; {difference(source, layout, folder)}")
            sink.defects(flaws_batch(source, [flaw]))
            return Counts(0, 1, 1)
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        notes = Notes()
        counts = Counts()
        for part in parts:
            notes.add(part.notes)
            counts += _read_part(part, source, sink, pool, threads, Spool(folder), notes)
        found = notes.batch(source)
        if found is not None:
            sink.notes(found)
        return counts


def _read_part(
    part: Part, source: Source, sink: Sink, pool: ThreadPoolExecutor, threads: int, spool: Spool, notes: Notes
) -> Counts:
    table, layout = part.plan.table, part.plan.layout
    dirt = dirt_of(part.plan, part.header)
    evidence = {name: set(told) for name, told in (declared(table, layout) if layout else {}).items()}

    def read(task: Task) -> tuple[Raw, Checked]:
        raw = cleaned(part.plan, dirt, task())
        if layout is not None:
            raw = emptied_sources(uses(table, layout), raw)
            raw = replace(applied(table, layout, raw), notes=raw.notes)
        raw = emptied(table, raw)
        return raw, check_rows(table, source, raw, None)

    counts = Counts()
    for raw, checked in _in_order(pool, threads, (partial(read, task) for task in part.tasks)):
        for name, told in checked.evidence.items():
            evidence.setdefault(name, set()).update(told)
        notes.add(raw.notes)
        counts += _flaws(source, sink, raw)
        if checked.waiting:
            spool.put(checked.waiting)
        else:
            counts += _give(sink, checked, notes, part)
    known = {name: frozenset(told) for name, told in evidence.items()}
    second = (partial(check_rows, table, source, raw, known) for raw in spool.take())
    for checked in _in_order(pool, threads, second):
        counts += _give(sink, checked, notes, part)
    return counts


def _in_order(pool: ThreadPoolExecutor, threads: int, calls: Iterator[Callable[[], T]]) -> Iterator[T]:
    """The calls' results in order, few at a time: memory stays bounded while every thread works."""
    running: deque[Future[T]] = deque()
    for call in calls:
        running.append(pool.submit(call))
        if len(running) > threads + 1:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()


def _flaws(source: Source, sink: Sink, raw: Raw) -> Counts:
    if not raw.flaws:
        return Counts()
    sink.defects(flaws_batch(source, raw.flaws))
    return Counts(0, len(raw.flaws), len(raw.flaws))


def _give(sink: Sink, checked: Checked, notes: Notes, part: Part) -> Counts:
    notes.add(checked.notes)
    if part.plan.net and checked.rows is not None:
        checked.rows, told = gross(checked.rows)
        notes.add(told)
    rows = len(checked.rows) if checked.rows is not None else 0
    if checked.rows is not None and rows:
        sink.rows(checked.rows)
    defects = 0
    if checked.defects is not None:
        defects = len(checked.defects)
        sink.defects(checked.defects if part.sheet is None else in_sheet(checked.defects, *part.sheet))
    return Counts(rows, checked.refused, defects)
