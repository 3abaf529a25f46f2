"""Reading a table's Parquet files through DuckDB: relations by ente, and batches of rows.

Each row bears `owner`, the ente whose files it was read from, whatever its own column `ente` says.
What is demanded of the rows is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pcc_pipeline.checks.names import Check
from pcc_pipeline.duck import literal
from pcc_pipeline.tables.describe import Table
from pcc_pipeline.tables.feeds import FEEDS
from pcc_pipeline.tables.lineage import LINEAGE

#: The ente whose files hold the row.
OWNER = "owner__"
#: The view of the table being checked.
CHECKED = "checked__"

#: By ente, what holds its rows: Parquet paths, or queries in parentheses.
Paths = Mapping[str, Sequence[str]]


def quoted(name: str) -> str:
    """The name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _files(paths: Sequence[str], also: str = "") -> str:
    """What stands after FROM to read all the entries; one in parentheses is a query (a model's view). `also` is selected
    beside the columns."""
    files = [path for path in paths if not path.startswith("(")]
    sources = [path for path in paths if path.startswith("(")]
    if files:
        sources.append(f"read_parquet([{', '.join(literal(path) for path in files)}], union_by_name = true)")
    columns = f"*, {also}" if also else "*"
    return f"({' UNION ALL BY NAME '.join(f'SELECT {columns} FROM {source}' for source in sources)})"


def found_types(connection: Any, paths: Sequence[str]) -> dict[str, str]:
    """DuckDB's type of each column in the files together; empty without files."""
    if not paths:
        return {}
    rows = connection.execute(f"DESCRIBE SELECT * FROM {_files(paths)}").fetchall()
    return {row[0]: row[1] for row in rows}


def wrong_types(table: Table, found: Mapping[str, str]) -> list[dict[str, str]]:
    """Columns that are missing or of another type than described, as samples to show.

    A feed's column that its files lack is not wrong: they were written before it was described, and it is null.
    """
    wrong = []
    origin = {column.name for column in LINEAGE}
    for column in table.columns:
        if column.name not in found and table.name in FEEDS and column.name not in origin:
            continue
        has = found.get(column.name, "missing")
        good = has.endswith("[]") and has.startswith("STRUCT") if column.type == "records" else has == column.duckdb_type
        if not good:
            wrong.append({"column": column.name, "described": column.type, "found": has})
    return wrong


@dataclass(frozen=True)
class Held:
    """What holds the rows of some enti, all with the same columns: a query marked with OWNER, and DuckDB's type of each."""

    enti: tuple[str, ...]
    sql: str
    types: Mapping[str, str]


def held(connection: Any, paths: Paths, together: str | None = None) -> list[Held]:
    """Where the enti's rows are; those without files are left out.

    Enti whose files have the same columns are read at once. `together` is a query of all their rows, marked with OWNER:
    then the paths only tell which enti there are.
    """
    if together is not None:
        types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {together}").fetchall()}
        return [Held(tuple(paths), together, types)]
    found: list[Held] = []
    alike: dict[frozenset[tuple[Any, ...]], list[str]] = {}
    shapes = _shapes(connection, [file for files in paths.values() for file in files if not file.startswith("(")])
    for ente, files in paths.items():
        if any(path.startswith("(") for path in files):
            sql = f"SELECT {literal(ente)} AS {OWNER}, * FROM {_files(files)}"
            found.append(Held((ente,), sql, found_types(connection, files)))
        elif files:
            alike.setdefault(frozenset(shapes[file] for file in files), []).append(ente)
    for enti in alike.values():
        owners = ", ".join(f"({literal(file)}, {literal(ente)})" for ente in enti for file in paths[ente])
        rows = _files([file for ente in enti for file in paths[ente]], "filename AS file__")
        sql = (
            f"SELECT owners.ente AS {OWNER}, rows.* EXCLUDE (file__) FROM {rows} AS rows "
            f"JOIN (VALUES {owners}) AS owners(file, ente) ON owners.file = rows.file__"
        )
        found.append(Held(tuple(enti), sql, found_types(connection, paths[enti[0]])))
    return found


def _shapes(connection: Any, files: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """The columns of Parquet files, by file: equal where the files' columns are."""
    if not files:
        return {}
    listed = ", ".join(literal(file) for file in files)
    query = f"""
        SELECT file_name, list((name, type, type_length, num_children, scale, precision, logical_type) ORDER BY column_id)
        FROM parquet_schema([{listed}]) GROUP BY file_name
    """
    return {name: tuple(columns) for name, columns in connection.execute(query).fetchall()}


def create_view(connection: Any, name: str, table: Table, rows: Sequence[Held]) -> None:
    """Make a temporary view (of many enti: table) of the rows, in described types, and OWNER.

    A missing column reads as null (as `duck.parquet` reads it), and a value that does not fit the described type too:
    the check `types` tells of both, but for what older files of a feed lack.
    Records columns are left out. Without any file the view is empty.
    """
    plain = [column for column in table.columns if column.type != "records"]
    branches = []
    for part in rows:
        columns = []
        for column in plain:
            wanted, has = column.duckdb_type, part.types.get(column.name)
            if has is None:
                value = f"NULL::{wanted}"
            elif has == wanted:
                value = quoted(column.name)
            else:
                value = f"TRY_CAST({quoted(column.name)} AS {wanted})"
            columns.append(f"{value} AS {quoted(column.name)}")
        branches.append(f"SELECT {OWNER}, {', '.join(columns)} FROM ({part.sql})")
    if not branches:
        nulls = ", ".join(f"NULL::{c.duckdb_type} AS {quoted(c.name)}" for c in plain)
        branches.append(f"SELECT NULL::VARCHAR AS {OWNER}, {nulls} WHERE false")
    # Many small enti are read once: planning hundreds of files again and again costs more than it.
    kind = "TABLE" if sum(len(part.enti) for part in rows) > 1 else "VIEW"
    connection.execute(f"CREATE OR REPLACE TEMP {kind} {quoted(name)} AS {' UNION ALL '.join(branches)}")


def create_relation(connection: Any, name: str, table: Table, paths: Paths, together: str | None, *, checked: bool) -> None:
    """Make the temporary view `name` for a reconciliation: its column `ente` says whose files they are.

    `checked` says that its rows are those of CHECKED, which need no second reading; else see `held`.
    """
    inner = CHECKED if checked else f"{name}__files"
    if not checked:
        create_view(connection, inner, table, held(connection, paths, together))
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS "
        f"SELECT * EXCLUDE ({OWNER}) REPLACE ({OWNER} AS ente) FROM {quoted(inner)}"
    )


def expression(check: Check) -> tuple[str, str]:
    """The frame's column for a row check, and the SQL that fills it: texts and doubles only.

    Whether a value is there is judged on a mark, 1 or null, and a minimum on the value's floor, which
    against a whole bound is exact: Great Expectations hashes every frame and compares other types value by
    value in Python, ten times slower on dates and decimals.
    """
    first = quoted(check.columns[0])
    if check.kind == "minimum":
        return check.name, f"floor({first})::DOUBLE"
    if check.kind in ("required", "one_of"):
        present = " OR ".join(f"{quoted(name)} IS NOT NULL" for name in check.columns)
        return check.name, f"CASE WHEN {present} THEN 1::DOUBLE END"
    return check.columns[0], first


def batches(connection: Any, checks: Sequence[Check], shown: Sequence[str], size: int) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Batches of at most about `size` rows of CHECKED: what is judged, and what can be shown.

    The second has OWNER and the columns of `shown`, row for row beside the first.
    """
    judged = dict(expression(check) for check in checks)
    names = list(dict.fromkeys([OWNER, *shown]))
    selected = [f"{sql} AS {quoted('judged ' + name)}" for name, sql in judged.items()]
    selected += [quoted(name) for name in names]
    reader = connection.sql(f"SELECT {', '.join(selected)} FROM {CHECKED}").to_arrow_reader(size)
    # DuckDB ends a batch with each file: small ones are put together, since each judgement costs the same.
    waiting: list[pa.RecordBatch] = []
    for batch in reader:
        if waiting and sum(part.num_rows for part in waiting) + batch.num_rows > size:
            yield _split(waiting, list(judged), names)
            waiting = []
        if batch.num_rows:
            waiting.append(batch)
    if waiting:
        yield _split(waiting, list(judged), names)


def _split(parts: Sequence[pa.RecordBatch], judged: Sequence[str], shown: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    columns = pa.Table.from_batches(parts).combine_chunks().columns
    return (
        pa.Table.from_arrays(columns[: len(judged)], names=list(judged)),
        pa.Table.from_arrays(columns[len(judged) :], names=list(shown)),
    )
