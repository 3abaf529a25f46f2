"""CSV files into raw rows: encoding, header, delimiter, blocks; the fields by pyarrow, many blocks at once.

Values are not read here (see `rows`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from pcc_pipeline.formats.csv_blocks import Block, Irregular, blocks
from pcc_pipeline.formats.csv_careful import Record, batches, careful_records, ragged
from pcc_pipeline.formats.encoding import as_utf8
from pcc_pipeline.formats.headers import Header, choose_delimiter, header_record, read_header, split_header
from pcc_pipeline.formats.rows import Flaw, Raw
from pcc_pipeline.tables.describe import Table

_HEADER_BYTES = 1 << 20
_PARSED_AT_ONCE = 1 << 20  # what stays in a core's cache is parsed faster


@dataclass(frozen=True)
class CsvFile:
    """An opened CSV file: its header, and where its rows start; or the flaw for which it is refused."""

    path: Path
    header: Header
    delimiter: str = ";"
    offset: int = 0
    line: int = 1
    flaw: Flaw | None = None


def open_csv(table: Table, path: Path, scratch: Path) -> CsvFile:
    """Finds encoding, delimiter and header. `scratch` is a folder for a transcription to UTF-8."""
    text = as_utf8(path, scratch)
    if text.problem:
        return CsvFile(path, Header(()), flaw=Flaw(text.line, text.problem))
    with text.path.open("rb") as file:
        file.seek(text.skip)
        start = file.read(_HEADER_BYTES)
    offset, line = 0, 1
    while (blank := start.find(b"\n", offset)) >= 0 and not start[offset:blank].strip():
        offset, line = blank + 1, line + 1
    record = header_record(start[offset:].decode(errors="replace"))
    end = offset + len(record.encode())
    delimiter = choose_delimiter(table, record)
    header = read_header(table, split_header(record, delimiter))
    flaw = Flaw(None, f"the whole file is refused: {header.problem}") if header.problem else None
    if _lone_return(record.strip().encode()):
        flaw = Flaw(None, "lines end with a carriage return alone: save the file with LF or CRLF")
    line += record.count("\n")
    return CsvFile(text.path, header, delimiter, text.skip + end, line, flaw)


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
    """The texts without white space around, null where nothing is left."""
    if texts.null_count == len(texts):
        return texts
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
    columns = [
        trimmed(pa.array([fields[place] for _, fields in rows], pa.string())) for place in range(width)
    ]
    return _named(file, pa.array([line for line, _ in rows], pa.int64()), columns, flaws)


def _careful_tasks(file: CsvFile, offset: int, line: int) -> Iterator[Callable[[], Raw]]:
    records = careful_records(file.path, offset, line, file.delimiter, len(file.header.columns))
    for batch in batches(records):
        yield lambda batch=batch: _collect(file, batch)  # type: ignore[misc]
