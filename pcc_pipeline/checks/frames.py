"""Reading a table's Parquet files through DuckDB: relations by ente, and batches of rows.

Each row bears `owner`, the ente whose files it was read from, whatever its own column `ente` says.
What is demanded of the rows is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
Types = Mapping[str, Mapping[str, str]]


def quoted(name: str) -> str:
    """The name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _files(paths: Sequence[str]) -> str:
    """What stands after FROM to read all the entries; one in parentheses is a query (a model's view)."""
    files = [path for path in paths if not path.startswith("(")]
    sources = [path for path in paths if path.startswith("(")]
    if files:
        sources.append(f"read_parquet([{', '.join(literal(path) for path in files)}], union_by_name = true)")
    return f"({' UNION ALL BY NAME '.join(f'SELECT * FROM {source}' for source in sources)})"


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


def create_view(connection: Any, name: str, table: Table, paths: Paths, types: Types) -> None:
    """Make a temporary view (of many enti: table) of every ente's rows, in described types, and OWNER.

    A missing column reads as null (as `duck.parquet` reads it), and a value that does not fit the described type too:
    the check `types` tells of both, but for what older files of a feed lack.
    Records columns are left out. Without any file the view is empty.
    """
    plain = [column for column in table.columns if column.type != "records"]
    branches = []
    for ente, files in paths.items():
        if not files:
            continue
        columns = []
        for column in plain:
            wanted, has = column.duckdb_type, types[ente].get(column.name)
            if has is None:
                value = f"NULL::{wanted}"
            elif has == wanted:
                value = quoted(column.name)
            else:
                value = f"TRY_CAST({quoted(column.name)} AS {wanted})"
            columns.append(f"{value} AS {quoted(column.name)}")
        branches.append(f"SELECT {literal(ente)} AS {OWNER}, {', '.join(columns)} FROM {_files(files)}")
    if not branches:
        nulls = ", ".join(f"NULL::{c.duckdb_type} AS {quoted(c.name)}" for c in plain)
        branches.append(f"SELECT NULL::VARCHAR AS {OWNER}, {nulls} WHERE false")
    # Many small enti are read once: planning a union of hundreds of files again and again costs more than it.
    kind = "TABLE" if len(branches) > 1 else "VIEW"
    connection.execute(f"CREATE OR REPLACE TEMP {kind} {quoted(name)} AS {' UNION ALL '.join(branches)}")


def create_relation(connection: Any, name: str, table: Table, paths: Paths, checked: bool) -> None:
    """Make the temporary view `name` for a reconciliation: its column `ente` says whose files they are.

    `checked` says that its rows are those of CHECKED, which need no second reading.
    """
    inner = CHECKED if checked else f"{name}__files"
    if not checked:
        types = {ente: found_types(connection, files) for ente, files in paths.items()}
        create_view(connection, inner, table, paths, types)
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
