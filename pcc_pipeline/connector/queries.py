"""What is asked of an accounting system: a query a kind, with its watermark. Nothing is connected to here.

The queries are data: the key `queries` of a layout (docs/connector.md). Each gives the columns of docs/formats.md for
its kind and one more, the watermark, by which the next reading knows where to go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pcc_pipeline.formats.tabular.layouts.model import Layout

KINDS = ("erp_invoices", "erp_payments")
TYPES = ("timestamp", "date", "integer", "text")

#: Dialects of SQLAlchemy as sqlglot calls them.
_GRAMMARS = {
    "postgresql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "mssql": "tsql",
    "oracle": "oracle",
    "sqlite": "sqlite",
}

Mark = datetime | date | int | str


class QueryError(ValueError):
    """Queries that are not as they must be; the text says how."""


@dataclass(frozen=True)
class Query:
    """The query of one kind.

    `watermark` is a column of its result (None: all is read every time), of a type of TYPES; `start` the bound of
    the first reading; `window` how far before the last watermark a reading begins again (days for dates and
    timestamps, units for integers; text has none). `:watermark` in the SQL is that bound, to be compared with >=.
    """

    kind: str
    sql: str
    watermark: str | None = None
    type: str = "timestamp"
    start: str | None = None
    window: float = 0

    def bound(self, last: Mark | None) -> Mark:
        """Where to read from after the watermark `last`; None before the first reading."""
        if last is None:
            return parse_mark(self.type, self.start) if self.start is not None else _LEAST[self.type]
        if isinstance(last, int):
            return last - int(self.window)
        if isinstance(last, str):
            return last
        return last - timedelta(days=self.window)


_LEAST: dict[str, Mark] = {
    "timestamp": datetime(1900, 1, 1),  # noqa: DTZ001 - as the database has it, with or without zone
    "date": date(1900, 1, 1),
    "integer": -(2**31),
    "text": "",
}


def parse_mark(kind: str, text: str) -> Mark:
    """A watermark from its text. Raises ValueError."""
    if kind == "timestamp":
        return datetime.fromisoformat(text)
    if kind == "date":
        return date.fromisoformat(text[:10])
    return int(text) if kind == "integer" else text


def mark_of(kind: str, value: Any) -> Mark | None:
    """A value of the watermark column as a watermark; None for null. Raises ValueError when it is of another kind.

    Some databases (SQLite) have no dates and give texts; timestamps with a zone are told in UTC.
    """
    if value is None:
        return None
    if kind == "text":
        return str(value)
    if kind == "integer":
        return int(value)
    if isinstance(value, str):
        value = parse_mark(kind, value.strip())
    if kind == "date":
        return value.date() if isinstance(value, datetime) else date.fromisoformat(str(value)[:10])
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    raise ValueError(f"{value!r} is not a moment")


def check_select(sql: str, backend: str) -> None:
    """Raises QueryError unless the SQL is one statement that only reads, in the grammar of that database."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        found = [tree for tree in sqlglot.parse(sql, dialect=_GRAMMARS.get(backend)) if tree is not None]
    except SqlglotError as error:
        raise QueryError(f"not understood, so not sent: {str(error).splitlines()[0]}") from None
    if len(found) != 1:
        raise QueryError(f"{len(found)} statements: exactly one SELECT is accepted")
    (tree,) = found
    if not isinstance(tree, exp.Query):
        raise QueryError(f"{tree.key.upper()}: only SELECT is accepted")
    writing = (exp.DML, exp.DDL, exp.Drop, exp.Alter, exp.Command, exp.Into, exp.Lock, exp.TruncateTable, exp.Set, exp.Pragma)
    for node in tree.walk():
        if isinstance(node, writing):
            raise QueryError(f"{node.key.upper()} inside the query: only SELECT is accepted")


def parse_queries(found: object, name: str) -> dict[str, Query]:
    """The queries under the key `queries` of a layout, by kind. Raises QueryError naming what is wrong."""
    if not isinstance(found, dict):
        raise QueryError(f"{name}: `queries` gives a query for each of {', '.join(KINDS)}")
    made = {}
    for kind, entry in found.items():
        if kind not in KINDS:
            raise QueryError(f"{name}: no query for {kind}; known: {', '.join(KINDS)}")
        if not isinstance(entry, dict) or not isinstance(entry.get("sql"), str):
            raise QueryError(f"{name}: {kind} has no `sql`")
        if unknown := sorted(set(entry) - {"sql", "watermark", "type", "start", "window"}):
            raise QueryError(f"{name}: {kind} has unknown settings {', '.join(unknown)}")
        query = Query(kind=kind, **{**entry, **_typed(entry, f"{name}: {kind}")})
        _check(query, name)
        made[kind] = query
    return made


def _typed(entry: dict[str, Any], where: str) -> dict[str, Any]:
    """The settings that are no text in the program, whatever YAML (or a layout, whose scalars are all texts) made of them."""
    found: dict[str, Any] = {}
    if "start" in entry:
        found["start"] = str(entry["start"])
    if "window" in entry:
        try:
            found["window"] = float(entry["window"])
        except (TypeError, ValueError):
            raise QueryError(f"{where}: window {entry['window']!r} is no number") from None
    return found


def _check(query: Query, name: str) -> None:
    where = f"{name}: {query.kind}"
    if query.type not in TYPES:
        raise QueryError(f"{where}: type {query.type!r} is none of {', '.join(TYPES)}")
    if not query.window >= 0 or (query.type == "text" and query.window):
        raise QueryError(f"{where}: window must be a number of days (units for integers) from 0; texts have none")
    if (query.watermark is None) == (":watermark" in query.sql):
        raise QueryError(f"{where}: a watermark column and :watermark in the SQL go together")
    if query.start is not None:
        try:
            parse_mark(query.type, query.start)
        except ValueError:
            raise QueryError(f"{where}: start {query.start!r} is no {query.type}") from None


def read_queries(path: Path) -> dict[str, Query]:
    """The queries of a YAML file. Raises QueryError."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise QueryError(f"{path.name} cannot be read ({type(error).__name__})") from None
    return parse_queries(found.get("queries") if isinstance(found, dict) else None, path.name)


def queries_of(layout: Layout | None) -> dict[str, Query]:
    """The queries of a layout, else the standard ones. Raises QueryError."""
    from pcc_pipeline.formats.tabular.layouts.load import standard

    chosen = layout if layout is not None and layout.queries is not None else standard()
    return parse_queries(chosen.queries, chosen.name)
