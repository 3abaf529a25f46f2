"""CSV and Excel tables into a feed's rows: the kinds of formats.md that are tables, by standard names.

Two passes at most: what a part of the file can settle by itself goes out at once; the parts in which some
value waits for the evidence of the whole column (Italian dates, mostly) are kept aside as text and read when
the file has been seen to its end. How values are read is in `conventions`, rows in `rows`.
"""

from __future__ import annotations

import logging
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

from pcc_pipeline.formats.csv_reader import open_csv, raw_tasks
from pcc_pipeline.formats.headers import Header
from pcc_pipeline.formats.rows import Checked, Flaw, Raw, check_rows, flaws_batch
from pcc_pipeline.formats.source import Counts, Sink, Source
from pcc_pipeline.formats.spool import Spool
from pcc_pipeline.formats.xlsx_reader import open_sheet, sheet_tasks
from pcc_pipeline.tables.describe import Table
from pcc_pipeline.tables.feeds import FEEDS

log = logging.getLogger(__name__)

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_REASON = "an old or password-protected Excel file: deliver .xlsx without password, or CSV"
Task = Callable[[], Raw]
T = TypeVar("T")


def parse_tabular(source: Source, sink: Sink, *, threads: int = 2, scratch: Path | None = None) -> Counts:
    """Reads a delivered table, giving accepted rows and defects to `sink`; returns how many.

    Never raises for what the file holds. A file that cannot be read at all, or lacks a required column, is
    one defect and counts as one refused row. `threads` parts are read at once, each of some 8 MB of text;
    `scratch` is where temporary files go (the system's folder by default).
    """
    table = FEEDS[source.kind]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pcc-", dir=scratch)))
        header, tasks, flaw = _open(table, source.path, folder)
        if flaw:
            sink.defects(flaws_batch(source, [flaw]))
            return Counts(0, 1, 1)
        if header.unknown:
            shown = ", ".join(name[:40] for name in header.unknown[:10])
            log.warning("%s: %d unknown columns ignored: %s", source.file, len(header.unknown), shown)
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        spool = Spool(folder)
        return _first_pass(table, source, sink, pool, threads, tasks, spool)


def _open(table: Table, path: Path, folder: Path) -> tuple[Header, Iterator[Task], Flaw | None]:
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_OLE):
        return Header(()), iter(()), Flaw(None, _OLE_REASON)
    if start.startswith(_ZIP):
        sheet = open_sheet(table, path)
        return sheet.header, sheet_tasks(table, sheet), sheet.flaw
    csv = open_csv(table, path, folder)
    return csv.header, raw_tasks(csv), csv.flaw


def _first_pass(
    table: Table,
    source: Source,
    sink: Sink,
    pool: ThreadPoolExecutor,
    threads: int,
    tasks: Iterator[Task],
    spool: Spool,
) -> Counts:
    evidence: dict[str, set[str]] = {}

    def read(task: Task) -> tuple[Raw, Checked]:
        raw = task()
        return raw, check_rows(table, source, raw, None)

    counts = Counts()
    for raw, checked in _in_order(pool, threads, (partial(read, task) for task in tasks)):
        for name, told in checked.evidence.items():
            evidence.setdefault(name, set()).update(told)
        counts += _flaws(source, sink, raw)
        if checked.waiting:
            spool.put(checked.waiting)
        else:
            counts += _give(sink, checked)
    known = {name: frozenset(told) for name, told in evidence.items()}
    second = (partial(check_rows, table, source, raw, known) for raw in spool.take())
    for checked in _in_order(pool, threads, second):
        counts += _give(sink, checked)
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


def _give(sink: Sink, checked: Checked) -> Counts:
    rows = len(checked.rows) if checked.rows is not None else 0
    if checked.rows is not None and rows:
        sink.rows(checked.rows)
    defects = 0
    if checked.defects is not None:
        defects = len(checked.defects)
        sink.defects(checked.defects)
    return Counts(rows, checked.refused, defects)
