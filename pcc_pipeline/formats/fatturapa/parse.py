"""FatturaPA files (`sdi_invoices`) to the rows of SDI_INVOICES: many small files at a time, bounded memory.

Here batches are cut, shared among processes and counted. Files are opened in `fatturapa_open`, read in
`fatturapa_read`, typed in `fatturapa_type`, and defects explained in `fatturapa_explain`.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc

from pcc_pipeline.formats.fatturapa.explain import Fault, body_faults, header_faults
from pcc_pipeline.formats.fatturapa.open import open_document
from pcc_pipeline.formats.fatturapa.read import RawInvoice
from pcc_pipeline.formats.fatturapa.typed import to_batch
from pcc_pipeline.formats.notes import Note, Notes
from pcc_pipeline.formats.reasons import ASK
from pcc_pipeline.formats.source import Counts, Sink, Source
from pcc_pipeline.formats.xml_open import RefusedFile
from pcc_pipeline.formats.xml_parse import line_of
from pcc_pipeline.tables.feeds import QUARANTINE

#: Files of one batch: a few megabytes of rows.
BATCH_FILES = 2000
#: With fewer files other processes, about a second to start, are ready too late; a signed file takes as
#: long as five plain ones.
PARALLEL_FILES = 10_000

#: Rows, defects, notes, and the counts by delivery.
Read = tuple[pa.RecordBatch | None, pa.RecordBatch | None, pa.RecordBatch | None, dict[str, Counts]]
Packed = tuple[bytes | None, bytes | None, bytes | None, dict[str, Counts]]


def parse_fatturapa(sources: Sequence[Source], sink: Sink, *, workers: int = 1) -> dict[str, Counts]:
    """Reads FatturaPA files into `sink`; returns the counts of each delivery.

    Batches hold files of one ente, in the order given. A file that cannot be read is one refused row; a body
    with a defect does not stop the others of its file. With `workers` above one, and files enough to be worth
    it, so many processes read: this one and others started anew (not forked: threads of other libraries may
    hold locks), ended with the call. Never raises for what a file holds.
    """
    batches = list(_batches(sources))
    counts: dict[str, Counts] = {source.delivery: Counts() for source in sources}
    weight = sum(5 if source.file.lower().endswith(".p7m") else 1 for source in sources)
    parallel = workers > 1 and len(batches) > 1 and weight >= PARALLEL_FILES
    for rows, defects, notes, some in _read_apart(batches, workers) if parallel else map(read_batch, batches):
        if rows is not None:
            sink.rows(rows)
        if defects is not None:
            sink.defects(defects)
        if notes is not None:
            sink.notes(notes)
        for delivery, found in some.items():
            counts[delivery] += found
    return counts


def _batches(sources: Sequence[Source]) -> Iterator[list[Source]]:
    for _, group in groupby(sources, key=lambda source: source.ente):
        of_ente = list(group)
        for start in range(0, len(of_ente), BATCH_FILES):
            yield of_ente[start : start + BATCH_FILES]


def _read_apart(batches: list[list[Source]], workers: int) -> Iterator[Read]:
    """Reads batches in other processes and in this one, which does not wait for them to start.

    Gives results in order. Each process has two batches at a time, and no more than eight results a process
    wait for an earlier one, so memory stays bounded.
    """
    context = multiprocessing.get_context("spawn")
    results: deque[Read | Future[Packed]] = deque()
    pending = deque(batches)
    with ProcessPoolExecutor(min(workers, len(batches)) - 1, mp_context=context) as pool:
        while pending or results:
            away = sum(isinstance(result, Future) and not result.done() for result in results)
            room = len(results) < 8 * workers
            if pending and room and away < 2 * (workers - 1):
                results.append(pool.submit(_read_packed, pending.popleft()))
            elif pending and room and isinstance(results[0], Future) and not results[0].done():
                results.append(read_batch(pending.popleft()))
            else:
                first = results.popleft()
                yield _unpack(first.result()) if isinstance(first, Future) else first


def _read_packed(sources: list[Source]) -> Packed:
    """What `read_batch` gives, in bytes that pass between processes."""
    rows, defects, notes, counts = read_batch(sources)
    return _pack(rows), _pack(defects), _pack(notes), counts


def _pack(batch: pa.RecordBatch | None) -> bytes | None:
    if batch is None:
        return None
    target = pa.BufferOutputStream()
    with pa.ipc.new_stream(target, batch.schema) as writer:
        writer.write_batch(batch)
    packed: bytes = target.getvalue().to_pybytes()
    return packed


def _unpack(packed: Packed) -> Read:
    *parts, counts = packed
    rows, defects, notes = (None if part is None else pa.ipc.open_stream(part).read_next_batch() for part in parts)
    return rows, defects, notes, counts


def read_batch(sources: Sequence[Source]) -> Read:
    """Reads some files: their good rows, their defects, notes on them, and the counts by delivery."""
    raw = RawInvoice()
    defects: list[dict[str, object]] = []
    refused: Counter[str] = Counter()
    notes: list[pa.RecordBatch] = []
    for index, source in enumerate(sources):
        try:
            document = open_document(source.path)
            if document.notes:
                notes += _noted(source, document.notes)
            if not raw.add(document, index):
                raise RefusedFile("manca FatturaElettronicaBody: il file non contiene fatture", 1)
        except RefusedFile as refusal:
            refused[source.delivery] += 1
            fault = Fault(refusal.line, "", refusal.value, refusal.reason)
            defects.append(_defect(source, fault))
    rows = None
    good: Counter[str] = Counter()
    if raw.rows:
        rows, bad = to_batch(raw, sources)
        wrong = set(bad.nonzero()[0].tolist())
        suspects = sorted({*wrong, *raw.odd})
        for index, group in groupby(suspects, key=lambda row: raw.rows[row][0]):
            source = sources[int(index or 0)]
            faults, condemned = _explain(source, {row: int(raw.rows[row][1] or 0) for row in group}, wrong)
            bad[condemned] = True
            refused[source.delivery] += len(condemned)
            defects += [_defect(source, fault) for fault in faults]
        if bad.any():
            rows = rows.filter(pa.array(~bad))
        for found in pc.value_counts(rows.column("delivery")).to_pylist():
            good[found["values"]] = found["counts"]
        rows = rows if rows.num_rows else None
    per_defect = Counter(str(defect["delivery"]) for defect in defects)
    names = {*good, *refused, *per_defect}
    counts = {name: Counts(good[name], refused[name], per_defect[name]) for name in names}
    batch = pa.RecordBatch.from_pylist(defects, schema=QUARANTINE.arrow_schema) if defects else None
    return rows, batch, pa.concat_batches(notes) if notes else None, counts


def _noted(source: Source, found: Iterable[Note]) -> list[pa.RecordBatch]:
    notes = Notes()
    notes.add(found)
    batch = notes.batch(source)
    return [] if batch is None else [batch]


def _explain(source: Source, suspects: dict[int, int], bad: set[int]) -> tuple[list[Fault], list[int]]:
    """Looks again at rows of one file (row -> ordinal of its body): the defects, and the rows refused."""
    root = open_document(source.path).root
    faults = header_faults(root)
    condemned = set(suspects) if faults else set()
    bodies = root.findall("FatturaElettronicaBody")
    for row, line in suspects.items():
        own = body_faults(bodies[line - 1])
        if not own and row in bad and row not in condemned:
            reason = f"FatturaElettronicaBody non si legge: {ASK}"
            own = [Fault(line_of(bodies[line - 1]), "", None, reason)]
        if own:
            condemned.add(row)
        faults += own
    return faults, sorted(condemned)


def _defect(source: Source, fault: Fault) -> dict[str, object]:
    return {
        "ente": source.ente,
        "kind": source.kind,
        "delivery": source.delivery,
        "file": source.file,
        "line": fault.line,
        "field": fault.field or None,
        "value": None if fault.value is None else fault.value[:200],
        "reason": fault.reason,
    }
