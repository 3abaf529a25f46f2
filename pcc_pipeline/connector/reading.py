"""Asking an accounting system, read-only and in batches: a query's rows into an Arrow file of texts.

A connection is opened so that its server refuses writing, wherever the dialect has the means; the query has been
looked at before (`queries.check_select`). A reading that loses its connection begins again, from the start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

from pcc_pipeline.connector.queries import Mark, Query, QueryError, check_select, mark_of

log = logging.getLogger(__name__)

#: Rows held in memory at a time.
BATCH_ROWS = 20_000
#: Attempts at one reading, and the longest wait between two, in seconds.
ATTEMPTS, LONGEST_WAIT = 4, 30.0
#: The column of the spool with the watermark, beside the columns of the kind.
MARK = "watermark__"

_MARK_TYPES = {"timestamp": pa.timestamp("us"), "date": pa.date32(), "integer": pa.int64(), "text": pa.string()}


@dataclass(frozen=True)
class Spooled:
    """A query's rows in a file: the columns of the kind as texts, and the watermark. `zoned`: marks are in UTC."""

    path: Path
    columns: tuple[str, ...]
    rows: int
    attempts: int
    zoned: bool


def patiently(work: Callable[[int], Any], *, wait: float = 1.0) -> Any:
    """Does `work` (given the attempt's number), again after a passing failure of the connection, waiting longer each time.

    Raises what the last attempt raised; at once when trying again cannot help (a wrong password, a wrong query).
    """
    retrying = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=wait, max=LONGEST_WAIT) + wait_random(0, wait),
        retry=retry_if_exception(passing),
        reraise=True,
    )
    for attempt in retrying:
        with attempt:
            return work(attempt.retry_state.attempt_number)


def passing(error: BaseException) -> bool:
    """Whether the same reading may well succeed a moment later: the connection was lost, refused or locked."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    words = str(error.orig).lower()
    lasting = ("authentication failed", "no such", "does not exist", "unable to open", "access denied", "not a database")
    if any(word in words for word in lasting):  # trying a wrong password again may lock the account
        return False
    return isinstance(error, OperationalError | InterfaceError)


@contextmanager
def opened(url: URL) -> Iterator[sa.Connection]:
    """A connection that cannot write, in one transaction (one snapshot where the database has them).

    PostgreSQL, MySQL, MariaDB and Oracle are told so; SQLite opens its file read-only. Elsewhere only the query's
    own check stands in the way: give the service an account that may only read (docs/connector.md).
    """
    backend = url.get_backend_name()
    options: dict[str, Any] = {}
    arguments: dict[str, Any] = {}
    if backend == "sqlite":
        url = _sqlite_read_only(url)
    elif backend == "postgresql":
        arguments = {"connect_timeout": 15}
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments, hide_parameters=True)
    begin = {
        "mysql": "START TRANSACTION READ ONLY",
        "mariadb": "START TRANSACTION READ ONLY",
        "oracle": "SET TRANSACTION READ ONLY",
        "sqlite": "PRAGMA query_only = ON",
    }.get(backend)
    try:
        with engine.connect().execution_options(stream_results=True, **options) as connection:
            if begin:
                connection.exec_driver_sql(begin)
            yield connection
            connection.rollback()
    finally:
        engine.dispose()


def _sqlite_read_only(url: URL) -> URL:
    if not url.database or url.database == ":memory:":
        raise QueryError("a SQLite source needs the path of its file")
    path = url.database.removeprefix("file:")
    return url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})


def read(connection: sa.Connection, query: Query, bound: Mark, path: Path, batch_rows: int = BATCH_ROWS) -> Spooled:
    """Runs the query from `bound` on and writes its rows to the Arrow file `path`, a batch at a time.

    Raises QueryError for a query that does more than read or gives no watermark, DBAPIError as the driver does.
    """
    backend = connection.dialect.name
    check_select(query.sql, backend)
    given = {"watermark": _bound(bound, backend)} if query.watermark else {}
    result = connection.execute(sa.text(query.sql), given)
    names = [name.lower() for name in result.keys()]  # noqa: SIM118 - a result is no dict
    if len(set(names)) < len(names):
        raise QueryError(f"{query.kind}: two columns of the query have one name")
    place = None
    if query.watermark is not None:
        if query.watermark.lower() not in names:
            raise QueryError(f"{query.kind}: the query gives no column {query.watermark}, its watermark")
        place = names.index(query.watermark.lower())
    columns = tuple(name for at, name in enumerate(names) if at != place)
    fields = [pa.field(name, pa.string()) for name in columns] + [pa.field(MARK, _MARK_TYPES[query.type])]
    schema = pa.schema(fields)
    rows, zoned = 0, False
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        for part in result.partitions(batch_rows):
            batch, of_zone = _batch(part, place, query.type, schema)
            writer.write_batch(batch)
            rows += len(part)
            zoned = zoned or of_zone
    return Spooled(path, columns, rows, 1, zoned)


def _batch(rows: Sequence[Sequence[Any]], place: int | None, kind: str, schema: pa.Schema) -> tuple[pa.RecordBatch, bool]:
    """Rows of the driver as one batch, column by column; and whether their marks bear a zone."""
    cells = list(zip(*rows, strict=True))
    marks: list[Mark | None] = [None] * len(rows)
    if place is not None:
        marks = [mark_of(kind, value) for value in cells.pop(place)]
    zoned = any(isinstance(mark, datetime) and mark.tzinfo is not None for mark in marks)
    if zoned:
        marks = [mark.replace(tzinfo=None) if isinstance(mark, datetime) else mark for mark in marks]
    arrays = [pa.array([_text(value) for value in column], pa.string()) for column in cells]
    return pa.RecordBatch.from_arrays([*arrays, pa.array(marks, schema.field(MARK).type)], schema=schema), zoned


def _text(value: Any) -> str | None:
    """A value as our CSV has it: one way only for each value, so that what did not change stays the same."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "S" if value else "N"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value)


def _bound(bound: Mark, backend: str) -> Any:
    """The bound as the driver takes it: SQLite has no dates, its texts compare as written."""
    if backend != "sqlite" or not isinstance(bound, date):
        return bound
    return bound.isoformat(sep=" ", timespec="seconds") if isinstance(bound, datetime) else bound.isoformat()


def read_all(
    url: URL, queries: Mapping[str, Query], bounds: Mapping[str, Mark], folder: Path, *, wait: float = 1.0
) -> dict[str, Spooled]:
    """All kinds in one transaction, so that payments and invoices agree; retried as a whole. See `patiently`."""

    def once(attempt: int) -> dict[str, Spooled]:
        found = {}
        with opened(url) as connection:
            for kind, query in queries.items():
                spooled = read(connection, query, bounds[kind], folder / f"{kind}-{attempt}.arrow")
                found[kind] = Spooled(spooled.path, spooled.columns, spooled.rows, attempt, spooled.zoned)
        return found

    made: dict[str, Spooled] = patiently(once, wait=wait)
    return made
