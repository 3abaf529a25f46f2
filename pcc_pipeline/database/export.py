"""Exports: an ente's rows of a published table as CSV, Excel or Parquet, streamed from PostgreSQL.

Dates are ISO, amounts have two decimals and a point, lists of records are JSON; rows come in the order of
the table's key, so the same state gives the same file. Who may export what is not decided here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from psycopg import sql

from pcc_pipeline.database.publish import current
from pcc_pipeline.database.schema import SCHEMA, published
from pcc_pipeline.spreadsheet import PATTERN
from pcc_pipeline.tables.describe import Column, Table

#: Rows fetched at a time.
BATCH = 50_000

#: Rows of one Excel sheet, beside the header: its format's limit.
SHEET = 1_048_575

MOMENT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


class NotExported(ValueError):
    """An export that cannot be made; its text says why and what would do."""


def export(
    engine: sa.Engine, table: str, ente: str, out: str | Path, stdout: IO[bytes] | None = None, *, raw: bool = False
) -> int:
    """Writes an ente's rows of `table` to `out` (.csv, .xlsx, .parquet, or - for CSV on standard output).

    In CSV, texts that a spreadsheet would take for formulas bear an apostrophe, unless `raw`.

    Returns the number of rows. A file appears whole or not at all. Raises NotExported for a table, ente or
    kind of file that is not known.
    """
    described = published().get(table)
    if described is None:
        raise NotExported(f"No table {table}: there are {', '.join(sorted(published()))}")
    if current(engine, ente) is None:
        raise NotExported(f"Nothing has been published for ente {ente}")
    if str(out) == "-":
        return _csv(engine, described, ente, stdout or sys.stdout.buffer, raw)
    target = Path(out)
    writer = partial(_csv, raw=raw) if target.suffix.lower() == ".csv" else _WRITERS.get(target.suffix.lower())
    if writer is None:
        raise NotExported(f"{target.name} must end in {', '.join(_WRITERS)}")
    temporary = target.with_name(f".{uuid4().hex}.part")
    try:
        with temporary.open("wb") as file:
            rows = writer(engine, described, ente, file)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return rows


def _csv(engine: sa.Engine, table: Table, ente: str, out: IO[bytes], raw: bool = False) -> int:
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER)").format(_select(table, ente, as_text=True, harmless=not raw))
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        with cursor.copy(statement) as copy:
            for chunk in copy:
                out.write(chunk)
        out.flush()
        return int(cursor.rowcount)


def _xlsx(engine: sa.Engine, table: Table, ente: str, out: IO[bytes]) -> int:
    import xlsxwriter

    book = xlsxwriter.Workbook(
        out,
        {
            "constant_memory": True,
            "strings_to_urls": False,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
        },
    )
    # A fixed moment: the same rows make the same file.
    book.set_properties({"title": table.name, "created": datetime(2000, 1, 1)})  # noqa: DTZ001
    bold = book.add_format({"bold": True})
    formats = {
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "timestamp": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "money": book.add_format({"num_format": "0.00"}),
        "decimal": book.add_format({"num_format": "0.00######"}),
    }
    cells = [formats.get(column.type) for column in table.columns]
    total = 0
    sheet: Any = None
    for batch in _batches(engine, table, ente):
        for row in batch:
            place = total % SHEET
            if place == 0:
                sheet = _sheet(book, table, bold, total // SHEET)
            for number, value in enumerate(row):
                if value is not None:
                    sheet.write(place + 1, number, _cell(value), cells[number])
            total += 1
    if sheet is None:
        _sheet(book, table, bold, 0)
    book.close()
    return total


def _sheet(book: Any, table: Table, bold: Any, number: int) -> Any:
    name = table.name[:27] + (f" {number + 1}" if number else "")
    sheet = book.add_worksheet(name)
    sheet.write_row(0, 0, table.column_names, bold)
    sheet.freeze_panes(1, 0)
    return sheet


def _cell(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)  # Excel knows no other number; the text of a cent survives up to 15 digits
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return value[:32_767] if isinstance(value, str) else value


def _parquet(engine: sa.Engine, table: Table, ente: str, out: IO[bytes]) -> int:
    schema = pa.schema([_field(column) for column in table.columns])
    total = 0
    with pq.ParquetWriter(out, schema) as writer:
        for batch in _batches(engine, table, ente):
            columns = zip(*batch, strict=True)
            arrays = [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
            total += len(batch)
    return total


def _field(column: Column) -> pa.Field:
    kind = pa.string() if column.type in ("records", "texts") else column.arrow_type
    return pa.field(column.name, kind, nullable=not column.required)


def _batches(engine: sa.Engine, table: Table, ente: str) -> Iterator[Sequence[tuple[Any, ...]]]:
    """An ente's rows through a cursor on the server: the whole result is never in memory."""
    with engine.begin() as connection:
        driver = connection.connection.driver_connection
        with driver.cursor(name=f"pcc_{uuid4().hex}") as cursor:  # type: ignore[union-attr]
            cursor.execute(_select(table, ente, as_text=False))
            while batch := cursor.fetchmany(BATCH):
                yield batch


def _select(table: Table, ente: str, as_text: bool, harmless: bool = False) -> sql.Composed:
    columns = sql.SQL(", ").join(_expression(column, as_text, harmless) for column in table.columns)
    # Byte order, whatever the server's language; after the key every other column, so that none is left open.
    names = dict.fromkeys([*table.key, *table.column_names])
    order = sql.SQL(", ").join(_ordered(table.column(name)) for name in names)
    source = sql.Identifier(SCHEMA, table.name)
    return sql.SQL("SELECT {} FROM {} AS t WHERE ente = {} ORDER BY {}").format(columns, source, sql.Literal(ente), order)


def _expression(column: Column, as_text: bool, harmless: bool = False) -> sql.Composed:
    name = sql.Identifier("t", column.name)
    if column.type == "text" and harmless:
        shown = sql.SQL("CASE WHEN {} ~ {} THEN chr(39) || {} ELSE {} END").format(name, sql.Literal(PATTERN), name, name)
        return sql.SQL("{} AS {}").format(shown, sql.Identifier(column.name))
    if column.type in ("records", "texts"):
        return sql.SQL("{}::text AS {}").format(name, sql.Identifier(column.name))
    if as_text and column.type == "timestamp":
        shown = sql.SQL("to_char({} AT TIME ZONE 'UTC', {})").format(name, sql.Literal(MOMENT))
        return sql.SQL("{} AS {}").format(shown, sql.Identifier(column.name))
    if as_text and column.type == "date":
        shown = sql.SQL("to_char({}, 'YYYY-MM-DD')").format(name)
        return sql.SQL("{} AS {}").format(shown, sql.Identifier(column.name))
    if as_text and column.type == "boolean":
        return sql.SQL("{}::text AS {}").format(name, sql.Identifier(column.name))
    return sql.SQL("{}").format(name)


def _ordered(column: Column) -> sql.Composed:
    name = sql.Identifier("t", column.name)
    return sql.SQL('{} COLLATE "C"' if column.type == "text" else "{}").format(name)


_WRITERS: dict[str, Callable[[sa.Engine, Table, str, IO[bytes]], int]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".parquet": _parquet,
}
