"""Reading a table's Parquet files through DuckDB: relations of many enti, and what makes a row fail.

Each row bears `owner`, the ente whose files it was read from, whatever its own column `ente` says.
How failing rows are counted is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pcc_pipeline.checks.names import Check
from pcc_pipeline.duck import literal
from pcc_pipeline.tables.describe import Table
from pcc_pipeline.tables.feeds import FEEDS
from pcc_pipeline.tables.lineage import LINEAGE

#: The ente whose files hold the row, and the file itself.
OWNER, FILE = "owner__", "file__"
#: The view of the table being checked.
CHECKED = "checked__"

#: By ente, what holds its rows: Parquet paths, or queries in parentheses.
Paths = Mapping[str, Sequence[str]]
Types = Mapping[str, Mapping[str, str]]
Known = dict[tuple[str, ...], Mapping[str, str]]


class Marked(str):
    """A query in parentheses of many enti's rows, marked with OWNER: an entry that stands for each of them."""


def quoted(name: str) -> str:
    """The name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _is_query(path: str) -> bool:
    """Whether an entry is a model's view rather than a file."""
    return path.startswith("(")


def _list(paths: Sequence[str]) -> str:
    return f"[{', '.join(literal(path) for path in paths)}]"


def _files(paths: Sequence[str]) -> str:
    """What stands after FROM to read all the entries, whatever columns each has."""
    files = [path for path in paths if not _is_query(path)]
    sources = [path for path in paths if _is_query(path)]
    if files:
        sources.append(f"read_parquet({_list(files)}, union_by_name = true)")
    return f"({' UNION ALL BY NAME '.join(f'SELECT * FROM {source}' for source in sources)})"


def found_types(connection: Any, paths: Paths, known: Known | None = None) -> Types:
    """DuckDB's type of each column in an ente's files together, by ente; empty without files.

    `known` keeps what was found for whoever asks again, while the files stay as they are.
    """
    files = sorted({path for given in paths.values() for path in given if not _is_query(path)})
    alike: dict[str, str] = {}
    if len(files) > 1:
        query = (
            f"SELECT file_name, md5(string_agg(s::VARCHAR, '|')) FROM parquet_schema({_list(files)}) AS s GROUP BY file_name"
        )
        alike = dict(connection.execute(query).fetchall())
    asked = {} if known is None else known
    found = {}
    for ente, given in paths.items():
        kinds = tuple(sorted({alike.get(path, path) for path in given}))
        if kinds and kinds not in asked:
            rows = connection.execute(f"DESCRIBE SELECT * FROM {_files(given)}").fetchall()
            asked[kinds] = {row[0]: row[1] for row in rows}
        found[ente] = asked[kinds] if kinds else {}
    return found


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
    """Make a temporary view (of several readings: table) of every ente's rows, as `_reading` has them."""
    query, several = _reading(table, paths, types)
    connection.execute(f"CREATE OR REPLACE TEMP {'TABLE' if several else 'VIEW'} {quoted(name)} AS {query}")


def _reading(table: Table, paths: Paths, types: Types) -> tuple[str, bool]:
    """A query of every ente's rows, in described types, and OWNER; and whether it is worth running once only.

    A missing column reads as null (as `duck.parquet` reads it), and a value that does not fit the described type too:
    the check `types` tells of both, but for what older files of a feed lack.
    Records columns are left out. Without any file there are no rows. Enti whose files have the same columns are one
    reading: to plan a union of hundreds costs more than to read them.
    """
    plain = [column for column in table.columns if column.type != "records"]
    branches = []
    together: dict[tuple[tuple[str, str], ...], dict[str, Sequence[str]]] = {}
    marked = {path: types[ente] for ente, given in paths.items() for path in given if isinstance(path, Marked)}
    branches += [f"SELECT {OWNER}, {_cast(table, kinds)} FROM {query}" for query, kinds in marked.items()]
    for ente, given in paths.items():
        if any(isinstance(path, Marked) for path in given):
            continue
        if given and any(_is_query(path) for path in given):
            branches.append(f"SELECT {literal(ente)} AS {OWNER}, {_cast(table, types[ente])} FROM {_files(given)}")
        elif given:
            together.setdefault(tuple(types[ente].items()), {})[ente] = given
    for kinds, by_ente in together.items():
        files = [path for given in by_ente.values() for path in given]
        read = f"read_parquet({_list(files)}, union_by_name = {len(files) > len(by_ente)}, filename = {literal(FILE)})"
        owners = ", ".join(f"({literal(path)}, {literal(ente)})" for ente, given in by_ente.items() for path in given)
        read = f"{read} JOIN (VALUES {owners}) AS owners({FILE}, {OWNER}) USING ({FILE})"
        branches.append(f"SELECT {OWNER}, {_cast(table, dict(kinds))} FROM {read}")
    if not branches:
        nulls = ", ".join(f"NULL::{c.duckdb_type} AS {quoted(c.name)}" for c in plain)
        branches.append(f"SELECT NULL::VARCHAR AS {OWNER}, {nulls} WHERE false")
    return " UNION ALL ".join(branches), len(branches) > 1 or bool(marked)


def _cast(table: Table, types: Mapping[str, str]) -> str:
    """The table's columns but records, from files whose columns have those types."""
    columns = []
    for column in table.columns:
        if column.type == "records":
            continue
        wanted, has = column.duckdb_type, types.get(column.name)
        if has is None:
            value = f"NULL::{wanted}"
        elif has == wanted:
            value = quoted(column.name)
        else:
            value = f"TRY_CAST({quoted(column.name)} AS {wanted})"
        columns.append(f"{value} AS {quoted(column.name)}")
    return ", ".join(columns)


def create_relation(connection: Any, name: str, table: Table, paths: Paths, checked: bool, known: Known) -> None:
    """Make the temporary view `name` for a reconciliation: its column `ente` says whose files they are.

    `checked` says that its rows are those of CHECKED, which need no second reading; `known` as for `found_types`.
    """
    inner = CHECKED
    if not checked:
        query, several = _reading(table, paths, found_types(connection, paths, known))
        inner = f"({query})"
        if several:
            inner = quoted(f"{name}__files")
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {inner} AS {query}")
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS SELECT * EXCLUDE ({OWNER}) REPLACE ({OWNER} AS ente) FROM {inner}"
    )


def fails(check: Check, table: Table) -> str:
    """The SQL condition under which a row fails a check that is judged row by row."""
    first = quoted(check.columns[0])
    column = table.column(check.columns[0])
    if check.kind in ("required", "one_of"):
        return " AND ".join(f"{quoted(name)} IS NULL" for name in check.columns)
    if check.kind == "own_ente":
        return f"{first} IS DISTINCT FROM {OWNER}"
    if check.kind == "allowed":
        return f"{first} NOT IN ({', '.join(literal(value) for value in column.allowed)})"
    if check.kind == "pattern":
        return f"NOT regexp_full_match({first}, {literal(column.pattern or '')})"
    if check.kind == "minimum":
        return f"{first} < {column.minimum}"
    raise KeyError(f"{check.kind} is not judged row by row")
