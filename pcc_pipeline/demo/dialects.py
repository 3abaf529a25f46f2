"""The ways an ente writes its tables: separators, encodings, Italian or ISO numbers and dates, Excel.

Takes a DuckDB relation in a feed's columns (without lineage) and writes one file. Which rows: see feeds.sql.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import xlsxwriter

from pcc_pipeline.tables.describe import Table

_BLOCK = 50_000


@dataclass(frozen=True)
class Dialect:
    """How a table is written; `excel` ignores the rest. `time` is what follows each date."""

    separator: str = ";"
    encoding: str = "utf-8"
    italian: bool = False
    line_end: str = "\r\n"
    excel: bool = False
    time: str = ""

    @property
    def extension(self) -> str:
        """The file name's extension, without dot."""
        return "xlsx" if self.excel else "csv"


DIALECTS = {
    "iso": Dialect(),
    "italian": Dialect(encoding="cp1252", italian=True),
    "tab": Dialect(separator="\t", encoding="utf-8-sig", line_end="\n", time=" 00:00:00"),
    "comma": Dialect(separator=",", italian=True),
    "xlsx": Dialect(excel=True),
}

#: Flags as the two sides write them.
_FLAGS = {"pcc_invoices": ("NO", "SI")}


def write_table(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    path: Path,
    dialect: Dialect,
    *,
    extra: Sequence[str] = (),
) -> int:
    """Write the view of that table to `path`, through a `.part` name; returns the rows written.

    `extra` are lines appended as they are (deliberately bad rows); only for text files.
    """
    part = path.with_name(path.name + ".part")
    write = _write_excel if dialect.excel else _write_text
    rows = write(connection, table, part, dialect, extra)
    part.rename(path)
    return rows


def _write_text(connection: duckdb.DuckDBPyConnection, table: Table, path: Path, dialect: Dialect, extra: Sequence[str]) -> int:
    """DuckDB writes the CSV; what it cannot (other encodings, bad rows) is done over the text, in blocks."""
    raw = path.with_name(path.name + ".utf8.part")
    columns = ", ".join(f"{_text(table, name, dialect)} as {name}" for name in _data_columns(connection, table))
    rows = connection.execute(
        f"copy (select {columns} from {table.name} order by line) to '{_quoted(raw)}' "
        f"(format csv, header true, delimiter '{dialect.separator}')"
    ).fetchone()
    with (
        raw.open(encoding="utf-8", newline="") as source,
        path.open("w", encoding=dialect.encoding, errors="replace", newline="") as target,
    ):
        while block := source.readlines(1 << 20):
            target.write("".join(block).replace("\n", dialect.line_end))
        for line in extra:
            target.write(line.replace(";", dialect.separator) + dialect.line_end)
    raw.unlink()
    return int(rows[0]) if rows else 0


def columns_of(connection: duckdb.DuckDBPyConnection, view: str) -> frozenset[str]:
    """The columns that a synthetic feed has: those of its table that the demo fills."""
    return frozenset(column for column, *_ in connection.execute(f"select * from {view} limit 0").description or ())


def _text(table: Table, name: str, dialect: Dialect) -> str:
    """The SQL expression that writes a column as the dialect has it."""
    kind = table.column(name).type
    no, yes = _FLAGS.get(table.name, ("N", "S"))
    if kind == "boolean":
        return f"if({name}, '{yes}', '{no}')"
    if kind == "date":
        return f"strftime({name}, '{'%d/%m/%Y' if dialect.italian else '%Y-%m-%d'}{dialect.time}')"
    if kind == "money" and dialect.italian:
        grouped = f"replace(format('{{:,}}', trunc(abs({name}))::bigint), ',', '.')"
        cents = f"lpad(((abs({name}) * 100)::bigint % 100)::text, 2, '0')"
        return f"if({name} < 0, '-', '') || {grouped} || ',' || {cents}"
    return name


def _write_excel(
    connection: duckdb.DuckDBPyConnection, table: Table, path: Path, dialect: Dialect, extra: Sequence[str]
) -> int:
    names = _data_columns(connection, table)
    workbook = xlsxwriter.Workbook(str(path), {"constant_memory": True, "default_date_format": "dd/mm/yyyy"})
    # Excel files carry a creation time; a fixed one keeps the same seed giving the same bytes.
    workbook.set_properties({"created": datetime(2026, 1, 1)})  # noqa: DTZ001
    # The parameters of the export come first, out of sight.
    parameters = workbook.add_worksheet("Parametri")
    parameters.write_row(0, 0, ("Esercizio", "Utente"))
    parameters.hide()
    sheet = workbook.add_worksheet(table.name[:31])
    sheet.activate()
    sheet.set_first_sheet()
    sheet.write_row(0, 0, names)
    no, yes = _FLAGS.get(table.name, ("N", "S"))
    count = 0
    for count, row in enumerate(_rows(connection, table.name, names), start=1):
        for column, value in enumerate(row):
            if isinstance(value, bool):
                sheet.write_string(count, column, yes if value else no)
            elif isinstance(value, Decimal):
                sheet.write_number(count, column, value)
            elif isinstance(value, date):
                sheet.write_datetime(count, column, value)
            elif value is not None:
                sheet.write_string(count, column, str(value))
    workbook.close()
    return count


def _rows(connection: duckdb.DuckDBPyConnection, view: str, names: Sequence[str]) -> Iterator[tuple[object, ...]]:
    cursor = connection.execute(f"select {', '.join(names)} from {view} order by line")
    while block := cursor.fetchmany(_BLOCK):
        yield from block


def write_rows(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a small CSV (ISO, `;`, CRLF) through a `.part` name."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    part = path.with_name(path.name + ".part")
    part.write_bytes(text.getvalue().encode("utf-8"))
    part.rename(path)


def _data_columns(connection: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    # What an accounting system does not keep is not in its files. `partial` is written by nobody: a parser sets it.
    lineage = ("ente", "delivery", "line", "partial")
    made = columns_of(connection, table.name)
    return [c.name for c in table.columns if c.name in made and c.name not in lineage and c.type != "records"]


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
