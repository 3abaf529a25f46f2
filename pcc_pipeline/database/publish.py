"""Publication: an ente's rows replaced in PostgreSQL, all tables in one transaction.

Readers see the state before or the state after, never between (who reads several tables together takes a
REPEATABLE READ transaction). Whether a state may be published is decided before, by the checks.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import duckdb
import sqlalchemy as sa
from psycopg import Cursor, sql

from pcc_pipeline.database.engine import lock
from pcc_pipeline.database.schema import SCHEMA, published, table
from pcc_pipeline.duck import connect
from pcc_pipeline.settings import Settings
from pcc_pipeline.tables.describe import Column, Table

CHUNK = 1 << 20

#: What is done with enti in the transaction that publishes them.
After = Callable[[sa.Connection, Sequence[str]], None]


@dataclass(frozen=True)
class Publication:
    """What a published state stands for: reference date D, observation date O, the run that made it, and the
    sequence up to which all deliveries were in its calculation."""

    reference_date: date
    observed_at: date
    run_id: str | None = None
    seen_sequence: int | None = None


@dataclass(frozen=True)
class Published:
    """A publication as readers see it: its number, moment, what it stands for, and rows over all tables."""

    publication: int
    ente: str
    reference_date: date
    observed_at: date
    published_at: datetime
    run_id: str | None
    rows: int


def publish(
    engine: sa.Engine,
    ente: str,
    tables: Mapping[str, str],
    publication: Publication,
    prepare: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
    settings: Settings | None = None,
    after: After | None = None,
) -> Published:
    """Replaces an ente's rows of each named table by those of its Parquet file (uri), in one transaction.

    What stands in parentheses, or reads a file by itself, is a query instead (`calculator.source`). `prepare`
    gives the connection that reads them what it needs: the store, macros; `settings` limit its memory and threads (the
    environment's unless given). Published tables that are not named stay as they are. `after` is done with the ente at the
    end of the transaction.
    Raises KeyError for a table that is not published, and ValueError when a file holds another ente's rows;
    after any error readers still see the state before.
    """
    known = published()
    if unknown := [name for name in tables if name not in known]:
        raise KeyError(f"Not published: {', '.join(unknown)}")
    rows = 0
    with connect(settings, keep_order=True) as calculator, engine.begin() as connection, lock(connection, f"publish {ente}"):
        if prepare is not None:
            prepare(calculator)
        cursor = cast("Cursor[Any]", connection.connection.cursor())
        for name, uri in tables.items():
            cursor.execute(sql.SQL("DELETE FROM {} WHERE ente = %s").format(_name(name)), [ente])
            rows += copy_in(cursor, calculator, known[name], uri, ente)
        t = table("publications")
        values = {"ente": ente, "rows": rows, "published_at": sa.func.now(), **publication.__dict__}
        made = connection.execute(sa.insert(t).values(values).returning(*_published_columns())).one()
        if after is not None:
            after(connection, [ente])
    return Published(**made._mapping)


def publish_together(
    engine: sa.Engine,
    publications: Mapping[str, Publication],
    tables: Iterable[str],
    rows: Callable[[str], str],
    owner: str,
    calculator: duckdb.DuckDBPyConnection,
    after: After | None = None,
) -> dict[str, Published]:
    """As `publish`, for many enti in one transaction: each is as it was, or all of it new.

    `rows` gives, for a table, a query of all these enti's rows in `calculator`, which is asked twice, marked in the column
    `owner` with the ente whose files they lie in. Raises ValueError when a row is of another ente than its file.
    """
    known, enti = published(), sorted(publications)
    counts = dict.fromkeys(enti, 0)
    with engine.begin() as connection, ExitStack() as held:
        for ente in enti:
            held.enter_context(lock(connection, f"publish {ente}"))
        cursor = cast("Cursor[Any]", connection.connection.cursor())
        for name in tables:
            source = f"({rows(name)})"
            count = f"SELECT {owner}, count(*), count(*) FILTER (ente IS DISTINCT FROM {owner}) FROM {source} GROUP BY ALL"
            for ente, total, foreign in calculator.execute(count).fetchall():
                if foreign:
                    raise ValueError(f"{name}: {foreign} rows are not of ente {ente}")
                counts[ente] += total
            cursor.execute(sql.SQL("DELETE FROM {} WHERE ente = ANY(%s)").format(_name(name)), [enti])
            _stream(cursor, calculator, known[name], source, f" ORDER BY {owner}" if len(enti) > 1 else "")
        t = table("publications")
        made = []
        for ente in enti:
            values = {"ente": ente, "rows": counts[ente], "published_at": sa.func.now(), **publications[ente].__dict__}
            made.append(connection.execute(sa.insert(t).values(values).returning(*_published_columns())).one())
        if after is not None:
            after(connection, enti)
    return {row.ente: Published(**row._mapping) for row in made}


def replace(
    engine: sa.Engine,
    ente: str,
    tables: Mapping[str, str],
    prepare: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
    settings: Settings | None = None,
) -> int:
    """Replaces an ente's rows of some tables as `publish` does, without counting as a publication; returns the rows.

    For what has a time of its own (the nightly service levels): the stock that readers see stays what it is.
    """
    known = published()
    with connect(settings, keep_order=True) as calculator, engine.begin() as connection, lock(connection, f"publish {ente}"):
        if prepare is not None:
            prepare(calculator)
        cursor = cast("Cursor[Any]", connection.connection.cursor())
        rows = 0
        for name, uri in tables.items():
            cursor.execute(sql.SQL("DELETE FROM {} WHERE ente = %s").format(_name(name)), [ente])
            rows += copy_in(cursor, calculator, known[name], uri, ente)
    return rows


def current(engine: sa.Engine, ente: str) -> Published | None:
    """The state of an ente that readers see now; None before its first publication."""
    with engine.connect() as connection:
        return current_in(connection, ente)


def current_in(connection: sa.Connection, ente: str) -> Published | None:
    """The state of an ente that a connection's transaction sees; None before its first publication."""
    t = table("publications")
    query = sa.select(*_published_columns()).where(t.c.ente == ente).order_by(t.c.publication.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Published(**row._mapping)


def copy_in(cursor: Cursor[Any], calculator: duckdb.DuckDBPyConnection, described: Table, uri: str, ente: str) -> int:
    """Streams a Parquet file's rows into the table of the same description; returns how many."""
    source = uri if uri.startswith(("(", "read_parquet(")) else f"read_parquet('{_quoted(uri)}')"
    count = f"SELECT count(*), count(*) FILTER (ente IS DISTINCT FROM ?) FROM {source}"
    total, foreign = calculator.execute(count, [ente]).fetchone() or (0, 0)
    if foreign:
        raise ValueError(f"{described.name}: {foreign} rows are not of ente {ente}")
    _stream(cursor, calculator, described, source)
    return int(total)


def _stream(cursor: Cursor[Any], calculator: duckdb.DuckDBPyConnection, described: Table, source: str, order: str = "") -> None:
    """Copies what stands after FROM into the table of the same description.

    DuckDB writes the rows as CSV at one end of a pipe while PostgreSQL reads at the other: no value becomes a
    Python object, numbers travel as exact text, and a null (nothing) differs from an empty text ("").
    """
    names = sql.SQL(", ").join(sql.Identifier(name) for name in described.column_names)
    target = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(_name(described.name), names)
    select = f"SELECT {', '.join(_expression(column) for column in described.columns)} FROM {source}{order}"
    with cursor.copy(target) as copy, _csv(calculator, select) as chunks:
        for chunk in chunks:
            copy.write(chunk)


def _expression(column: Column) -> str:
    name = f'"{column.name}"'
    if column.type == "text":
        return f"replace({name}, chr(0), '')"  # the one character that PostgreSQL cannot keep
    return f"to_json({name})" if column.type in ("records", "texts") else name


@contextmanager
def _csv(calculator: duckdb.DuckDBPyConnection, select: str) -> Iterator[Iterator[bytes]]:
    """The result of a query as CSV, in chunks, while DuckDB is still computing. Raises what DuckDB raises."""
    options = "(FORMAT csv, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR '')"
    if os.name == "nt":  # no pipe with a name there
        with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
            path = Path(folder) / "rows.csv"
            calculator.execute(f"COPY ({select}) TO '{_quoted(str(path))}' {options}")
            with path.open("rb") as file:
                yield iter(lambda: file.read(CHUNK), b"")
        return
    reading, writing = os.pipe()
    errors: list[BaseException] = []

    def produce() -> None:
        try:
            calculator.execute(f"COPY ({select}) TO '/dev/fd/{writing}' {options}")
        except BaseException as error:
            errors.append(error)
        finally:
            os.close(writing)

    def chunks() -> Iterator[bytes]:
        while chunk := os.read(reading, CHUNK):
            yield chunk
        worker.join()
        if errors:
            raise errors[0]

    worker = threading.Thread(target=produce, name="pcc-publish")
    worker.start()
    try:
        yield chunks()
    finally:
        os.close(reading)  # a producer that still writes gets an error and ends
        worker.join()


def _published_columns() -> list[sa.Column[Any]]:
    return [table("publications").c[name] for name in Published.__dataclass_fields__]


def _name(table_name: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, table_name)


def _quoted(text: str) -> str:
    return text.replace("'", "''")
