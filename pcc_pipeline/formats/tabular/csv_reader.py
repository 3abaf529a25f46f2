"""CSV files into raw rows: encoding, header, delimiter, blocks; the fields by pyarrow, many blocks at once.

Values are not read here (see `rows`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from pcc_pipeline.formats.cells import bare_column
from pcc_pipeline.formats.rows import WHOLE, Flaw, Raw
from pcc_pipeline.formats.tabular.csv_blocks import Block, Irregular, blocks
from pcc_pipeline.formats.tabular.csv_careful import Record, batches, careful_records, ragged
from pcc_pipeline.formats.tabular.encoding import as_utf8
from pcc_pipeline.formats.tabular.headers import (
    DELIMITERS,
    HEADER_ROWS,
    Header,
    HeaderPlan,
    find_header,
    header_record,
    split_header,
)

_HEADER_BYTES = 1 << 20
_RECORD_BYTES = 1 << 16
_EDGES = '" \t\r\n'
_PARSED_AT_ONCE = 1 << 20  # what stays in a core's cache is parsed faster


@dataclass(frozen=True)
class CsvFile:
    """An opened CSV file: its header, and where its rows start; or the flaw for which it is refused.

    `titles` are the rows above the header, with their lines; `mended` says what of the file's bytes was mended.
    """

    path: Path
    header: Header
    plan: HeaderPlan
    delimiter: str = ";"
    offset: int = 0
    line: int = 1
    flaw: Flaw | None = None
    titles: tuple[tuple[int, str], ...] = ()
    mended: tuple[str, ...] = ()


def open_csv(plans: Sequence[HeaderPlan], path: Path, scratch: Path) -> CsvFile:
    """Finds encoding, delimiter and header, by the first of the plans that fits. `scratch` is a folder for a
    transcription to UTF-8."""
    encoding = next((plan.layout.encoding for plan in plans if plan.layout and plan.layout.encoding), None)
    text = as_utf8(path, scratch, encoding)
    if text.problem:
        return CsvFile(path, Header(()), plans[0], flaw=Flaw(text.line, text.problem))
    with text.path.open("rb") as file:
        file.seek(text.skip)
        start = file.read(_HEADER_BYTES)
    records = list(islice(_records(start), HEADER_ROWS))
    found = find_header(plans, len(records), lambda row, mark: split_header(records[row][2], mark))
    last = records[min(found.row + found.rows, len(records)) - 1]
    problem = found.header.problem
    flaw = Flaw(None, f"{WHOLE}{problem}") if problem else None
    if _lone_return(last[2].strip().encode()):
        flaw = Flaw(None, "le righe finiscono con il solo ritorno a capo CR: salvare il file con LF o CRLF")
    end, line = last[0] + len(last[2].encode()), last[1] + last[2].count("\n")
    titles = tuple((number, record.strip(_EDGES + found.delimiter)) for _, number, record in records[: found.row])
    return CsvFile(text.path, found.header, found.plan, found.delimiter, text.skip + end, line, flaw, titles, text.notes)


def _records(start: bytes) -> Iterator[tuple[int, int, str]]:
    """The first records that are not blank: where each begins (byte, line) and its text; at least one."""
    offset, line, some = 0, 1, False
    while offset < len(start):
        end = start.find(b"\n", offset) + 1
        if end and not start[offset:end].strip():
            offset, line = end, line + 1
            continue
        # a record is looked for in what one line may hold: quoted names over some lines, no more
        record = header_record(start[offset : offset + _RECORD_BYTES].decode(errors="replace"))
        if record.strip(_EDGES + "".join(DELIMITERS)) or not some:
            some = True
            yield offset, line, record
        offset, line = offset + len(record.encode()), line + record.count("\n")


def raw_tasks(file: CsvFile) -> Iterator[Callable[[], Raw]]:
    """One task a block, each giving its raw rows when called, on any thread and in any order."""
    for block in blocks(file.path, file.offset, file.line, file.delimiter):
        if isinstance(block, Irregular):
            yield from _careful_tasks(file, block.offset, block.line)
            return
        yield lambda block=block: _raw(file, block)  # type: ignore[misc]


def _raw(file: CsvFile, block: Block) -> Raw:
    if block.data.isspace():
        return _collect(file, [])
    if not block.quoted and _lone_return(block.data):
        return _carefully(file, block)
    names = [str(position) for position in range(len(file.header.columns))]
    rejected: list[pa_csv.InvalidRow] = []

    def reject(row: pa_csv.InvalidRow) -> str:
        rejected.append(row)
        return "skip"

    try:
        table = pa_csv.read_csv(
            io.BytesIO(block.data),
            read_options=pa_csv.ReadOptions(use_threads=False, column_names=names, block_size=_PARSED_AT_ONCE),
            parse_options=pa_csv.ParseOptions(
                delimiter=file.delimiter, newlines_in_values=block.quoted, invalid_row_handler=reject
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:  # a record longer than what is parsed at once: its line is a defect, the others are read
        return _carefully(file, block)
    records, flaws = table.num_rows + len(rejected), list[Flaw]()
    starts = block.starts(records)
    if records != len(starts):
        return _carefully(file, block)
    if rejected:
        places = np.array([row.number - 1 for row in rejected])
        flaws = _flaws(file, rejected, starts[places])
        starts = np.delete(starts, places)
    columns = [column.combine_chunks() for column in table.columns]
    columns = [column.chunk(0) if isinstance(column, pa.ChunkedArray) else column for column in columns]
    ascii_only = block.data.isascii()
    columns = [trimmed(column, ascii_only) for column in columns]
    return _named(file, pa.array(starts), columns, flaws)


def _lone_return(data: bytes) -> bool:
    """Whether a carriage return stands alone: pyarrow ends a record there, and our lines do not."""
    returns = data.count(b"\r")
    return returns > 0 and returns != data.count(b"\r\n")


def _carefully(file: CsvFile, block: Block) -> Raw:
    records = careful_records(file.path, block.offset, block.line, file.delimiter, len(file.header.columns))
    end = block.line + block.lines
    return _collect(file, list(takewhile(lambda item: _line(item) < end, records)))


def _line(item: Record | Flaw) -> int:
    return (item.line or 0) if isinstance(item, Flaw) else item[0]


def _flaws(file: CsvFile, rejected: list[pa_csv.InvalidRow], lines: np.ndarray) -> list[Flaw]:
    width = len(file.header.columns)
    return [
        Flaw(int(line), ragged(width, row.actual_columns), row.text)
        for line, row in zip(lines, rejected, strict=True)
        if row.text.strip(f'{file.delimiter}" \t\r\n')
    ]


def trimmed(texts: pa.Array, ascii_only: bool = False) -> pa.Array:
    """The texts without white space around and characters without width, null where nothing is left."""
    if texts.null_count == len(texts):
        return texts
    texts = texts if ascii_only else bare_column(texts)
    cut = pc.ascii_trim_whitespace(texts) if ascii_only else pc.utf8_trim_whitespace(texts)
    lengths = pc.binary_length(cut)
    if pc.min(lengths).as_py() and pc.sum(lengths) == pc.sum(pc.binary_length(texts)):
        return texts  # nothing to trim and none empty: the usual case
    return pc.if_else(pc.equal(cut, ""), pa.scalar(None, pa.string()), cut)


def _named(file: CsvFile, lines: pa.Array, columns: list[pa.Array], flaws: list[Flaw]) -> Raw:
    pairs = list(zip(file.header.columns, columns, strict=True))
    known = {name: column for name, column in pairs if name}
    return Raw(lines, known, others=[column for name, column in pairs if not name], flaws=flaws)


def _collect(file: CsvFile, records: list[Record | Flaw]) -> Raw:
    rows = [item for item in records if not isinstance(item, Flaw)]
    flaws = [item for item in records if isinstance(item, Flaw)]
    width = len(file.header.columns)
    columns = [trimmed(pa.array([fields[place] for _, fields in rows], pa.string())) for place in range(width)]
    return _named(file, pa.array([line for line, _ in rows], pa.int64()), columns, flaws)


def _careful_tasks(file: CsvFile, offset: int, line: int) -> Iterator[Callable[[], Raw]]:
    records = careful_records(file.path, offset, line, file.delimiter, len(file.header.columns))
    for batch in batches(records):
        yield lambda batch=batch: _collect(file, batch)  # type: ignore[misc]
