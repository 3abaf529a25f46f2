"""Reads what has landed: each delivery's bytes become typed Parquet rows and quarantined defects, once.

How a format is read is in `formats`; which row stands when several deliveries name the same document is
decided by the staging models.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from math import isqrt
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pcc_pipeline.arrival.landing import unknown_kind
from pcc_pipeline.arrival.leftovers import clear
from pcc_pipeline.arrival.reading import ReaderFailed, Stopped, parse
from pcc_pipeline.arrival.spans import DAY_OF
from pcc_pipeline.arrival.suspects import Suspects, in_pieces
from pcc_pipeline.database.register import Delivery, Outcome, Register
from pcc_pipeline.formats import SMALL_FILES, Counts, Source, defect
from pcc_pipeline.formats.limits import READING
from pcc_pipeline.formats.reasons import RUN_DIED
from pcc_pipeline.formats.tabular.layouts.model import Layout
from pcc_pipeline.installation import Installation
from pcc_pipeline.store import Store
from pcc_pipeline.tables import DELIVERY_NOTES, FEEDS, QUARANTINE
from pcc_pipeline.tables.register import REFUSED, STAGED

#: Small files that share one Parquet file.
FILES_A_PART = 5_000
#: With fewer small files, starting a second process costs more than it gives.
FILES_WORTH_A_WORKER = 1_000

#: Seconds for which what was read may wait to be recorded.
SETTLED_EVERY = 1.0

log = logging.getLogger(__name__)

Settle = Callable[[Sequence[Outcome]], None]


@dataclass
class StagingReport:
    """What one staging of an ente did: counts by kind, deliveries that could not be read at all, and
    what became of each."""

    ente: str
    deliveries: int = 0
    counts: dict[str, Counts] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    outcomes: list[tuple[Delivery, Outcome]] = field(default_factory=list)
    #: Name of the layout by which the accounting system's tables were read.
    layout: str = "standard"
    #: How often each code of `delivery_notes` was noted.
    notes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadAnew:
    """What reading again did: deliveries read, defects before and after, rows before and after."""

    deliveries: int
    defects_before: int
    defects_after: int
    rows_before: int
    rows_after: int
    report: StagingReport


class ParquetSink:
    """A Sink that writes a part's rows and defects to the store; a file appears only when it has rows."""

    def __init__(self, store: Store, ente: str, kind: str, part: str) -> None:
        self._store = store
        self._names = {
            "staging": f"staging/{ente}/{kind}/{part}.parquet",
            "quarantine": f"quarantine/{ente}/{kind}/{part}.parquet",
            "notes": f"notes/{ente}/{kind}/{part}.parquet",
        }
        self._schemas = {
            "staging": FEEDS[kind].arrow_schema,
            "quarantine": QUARANTINE.arrow_schema,
            "notes": DELIVERY_NOTES.arrow_schema,
        }
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._stack = ExitStack()
        #: Reason by delivery, of what was refused as a whole.
        self.whole: dict[str, str] = {}
        #: Rows noted by code.
        self.noted: dict[str, int] = {}

    def rows(self, batch: pa.RecordBatch) -> None:
        """Writes accepted rows."""
        self._write("staging", batch)

    def defects(self, batch: pa.RecordBatch) -> None:
        """Writes defects and remembers those of whole files."""
        self._write("quarantine", batch)
        whole = batch.filter(batch.column("line").is_null())
        for row in whole.select(["delivery", "reason"]).to_pylist():
            self.whole.setdefault(row["delivery"], row["reason"])

    def notes(self, batch: pa.RecordBatch) -> None:
        """Writes notes and counts them."""
        self._write("notes", batch)
        for row in batch.select(["code", "times"]).to_pylist():
            self.noted[row["code"]] = self.noted.get(row["code"], 0) + row["times"]

    def _write(self, place: str, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        if place not in self._writers:
            target = self._stack.enter_context(self._store.write(self._names[place]))
            stream = self._stack.enter_context(self._store.fs.open(target, "wb"))
            self._writers[place] = self._stack.enter_context(
                pq.ParquetWriter(stream, self._schemas[place], compression="snappy")
            )
        self._writers[place].write_batch(batch.cast(self._schemas[place]))

    def __enter__(self) -> ParquetSink:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)


def stage(installation: Installation, ente: str, layout: Layout | None = None) -> StagingReport:
    """Reads every delivery of an ente that is landed and not yet read; a second call finds nothing to do.

    `layout` is that of the ente's accounting system (`enti.facts` knows it); without one only standard columns are read,
    which are read whatever it is.

    Each part is written and then, with what else was read within a second, recorded: a crash in between costs only reading
    it again. A delivery that kills the
    process that reads it, takes more memory or time than allowed, or over which runs died, is refused with that reason:
    only `read_anew` tries it again.
    """
    with installation.register.lock(ente):
        clear(installation, ente)
        pending = installation.register.pending(ente)
        Suspects(installation.store, ente).keep(pending)
        with _settled_together(installation.register) as settle:
            return _read(installation, ente, pending, settle, layout)


def read_anew(
    installation: Installation,
    ente: str,
    layout: Layout | None = None,
    *,
    deliveries: Sequence[str] | None = None,
    kind: str | None = None,
) -> ReadAnew:
    """Reads deliveries of an ente again from their kept bytes: all of a kind, or those named, or those with defects.

    Rows stay under their own delivery and its place in the order of arrival, so they never supersede what was delivered
    later. All new rows stand in the place of the former ones at once; until then, and after an error, the former stand.
    What the former reading gave is kept: a state asked as of an earlier moment is computed from it. Deliveries whose rows
    share a file are read together. Raises KeyError for a delivery that the ente does not have.
    """
    with installation.register.lock(ente):
        given = installation.register.readable(ente, deliveries, kind)
        read: list[Outcome] = []
        report = _read(installation, ente, [delivery for delivery, _ in given], read.extend, layout)
        installation.register.settle_anew(ente, read)
    before = [outcome for _, outcome in given]
    return ReadAnew(
        len(given),
        sum(outcome.defects or 0 for outcome in before),
        sum(outcome.defects for outcome in read),
        sum(outcome.rows or 0 for outcome in before),
        sum(outcome.rows for outcome in read),
        report,
    )


@contextmanager
def _settled_together(register: Register) -> Iterator[Settle]:
    """Takes what became of deliveries, and has it recorded about once a second, and at the end of the block, whatever ends
    it: to record a small file takes longer than to read it."""
    waiting: list[Outcome] = []
    last = time.monotonic()

    def record() -> None:
        nonlocal last
        if waiting:
            register.settle(waiting)
            waiting.clear()
        last = time.monotonic()

    def settle(outcomes: Sequence[Outcome]) -> None:
        waiting.extend(outcomes)
        if time.monotonic() - last >= SETTLED_EVERY:
            record()

    try:
        yield settle
    finally:
        record()


def _read(
    installation: Installation,
    ente: str,
    given: Sequence[Delivery],
    settle: Settle,
    layout: Layout | None,
) -> StagingReport:
    """Reads deliveries part by part; `settle` is told what became of each part. The caller holds the ente's lock."""
    report = StagingReport(ente)
    report.layout = layout.name if layout else report.layout
    suspects = Suspects(installation.store, ente)
    for kind, deliveries in _parts(given, suspects):
        deaths = suspects.deaths(deliveries[0].delivery) if len(deliveries) == 1 and not deliveries[0].reread else 0
        with suspects.reading(deliveries):
            if deaths >= READING.deaths:
                error = Stopped(RUN_DIED.format(deaths))
                counts = _unreadable(installation, settle, ente, kind, deliveries, report, layout, error)
            else:
                counts = _stage_part(installation, settle, ente, kind, deliveries, report, layout)
        report.deliveries += len(deliveries)
        report.counts[kind] = report.counts.get(kind, Counts()) + counts
    return report


def _parts(pending: Sequence[Delivery], suspects: Suspects) -> Iterator[tuple[str, list[Delivery]]]:
    for kind, group in groupby(sorted(pending, key=lambda d: (d.kind, d.sequence)), key=lambda d: d.kind):
        for part in suspects.pieces(list(group), FILES_A_PART if kind in SMALL_FILES else 1):
            yield kind, part


def _stage_part(
    installation: Installation,
    settle: Settle,
    ente: str,
    kind: str,
    deliveries: list[Delivery],
    report: StagingReport,
    layout: Layout | None,
) -> Counts:
    if kind not in FEEDS:
        reason = unknown_kind(FEEDS)
        settle([Outcome(d.delivery, REFUSED, reason=reason) for d in deliveries])
        report.refused |= dict.fromkeys((d.file for d in deliveries), reason)
        return Counts()
    part = _part_name(deliveries)
    workers = installation.settings.threads if len(deliveries) >= FILES_WORTH_A_WORKER else 1
    with ExitStack() as stack:
        sources = [
            Source(
                ente,
                kind,
                d.delivery,
                d.file,
                stack.enter_context(installation.store.local_path(installation.store.landing(ente, d.sha256))),
            )
            for d in deliveries
        ]
        try:
            with ParquetSink(installation.store, ente, kind, part) as sink:
                memory = installation.settings.memory_bytes
                counts = parse(kind, sources, sink, workers=workers, layout=layout, memory=memory)
        except (OSError, MemoryError, duckdb.Error):  # the machine's fault, not the file's: tried again by the next run
            raise
        except Exception as error:
            return _unreadable(installation, settle, ente, kind, deliveries, report, layout, error)
    for code, times in sink.noted.items():
        report.notes[code] = report.notes.get(code, 0) + times
    outcomes = []
    for d in deliveries:
        read = counts.get(d.delivery, Counts())
        why = sink.whole.get(d.delivery) if not read.rows else None
        outcomes.append(Outcome(d.delivery, REFUSED if why else STAGED, part, read.rows, read.refused, read.defects, why))
        if why is not None:
            report.refused[d.file] = why
    for d in deliveries:
        _own_span(installation, ente, d, part, layout)
    settle(outcomes)
    report.outcomes += zip(deliveries, outcomes, strict=True)
    return sum(counts.values(), Counts())


def _own_span(installation: Installation, ente: str, delivery: Delivery, part: str, layout: Layout | None) -> None:
    """The span of a delivery of which only its product, or the connector's query, says that it is whole: from its first to
    its last day."""
    day = DAY_OF.get(delivery.kind)
    described = layout is not None and layout.delivery == "whole" and delivery.kind in layout.kinds
    as_product = described and delivery.whole is None
    as_read = delivery.source is not None and delivery.whole and not (delivery.span_from or delivery.span_to)
    if day is None or not (as_product or as_read):
        return
    name = f"staging/{ente}/{delivery.kind}/{part}.parquet"
    if not installation.store.exists(name):
        return
    with installation.store.open(name) as file:
        days = pq.read_table(file, columns=[day])[day]
    ends = pc.min_max(days).as_py()
    installation.register.span(delivery.delivery, ends["min"], ends["max"])


def _unreadable(
    installation: Installation,
    settle: Settle,
    ente: str,
    kind: str,
    deliveries: list[Delivery],
    report: StagingReport,
    layout: Layout | None,
    error: Exception,
) -> Counts:
    """A parser never raises for what a file holds. Should one do so, or die of it, only that file is refused: `pcc
    quarantine release` reads it again once the program is mended."""
    if len(deliveries) > 1:
        fewer = in_pieces(deliveries, isqrt(len(deliveries)))
        return sum((_stage_part(installation, settle, ente, kind, some, report, layout) for some in fewer), Counts())
    (delivery,) = deliveries
    log.error("%s could not be read", delivery.file, exc_info=error)
    name = error.name if isinstance(error, ReaderFailed) else type(error).__name__
    reason = f"il programma non ha potuto leggere il file ({name}): segnalarlo, poi rileggerlo dalla quarantena"
    if isinstance(error, Stopped):
        reason = str(error)
    part = _part_name(deliveries)
    source = Source(ente, kind, delivery.delivery, delivery.file, Path())
    with ParquetSink(installation.store, ente, kind, part) as sink:
        sink.defects(defect(source, reason))
    outcome = Outcome(delivery.delivery, REFUSED, part, 0, 1, 1, reason)
    settle([outcome])
    report.refused[delivery.file] = reason
    report.outcomes.append((delivery, outcome))
    return Counts(0, 1, 1)


def _part_name(deliveries: list[Delivery]) -> str:
    """A part's file name: never that of an earlier reading, whose file stays as it was."""
    if len(deliveries) == 1 and deliveries[0].reread is None:
        return deliveries[0].delivery
    return hashlib.sha256("".join(d.delivery + str(d.reread or "") for d in deliveries).encode()).hexdigest()[:16]
