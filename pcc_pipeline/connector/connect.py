"""One reading of an ente's accounting system: what came becomes deliveries, then the watermarks go on.

The order makes a crash harmless: rows are read to the end, their bytes kept and registered like any delivery's,
and only then is the watermark written. What is read again gives the same bytes, which are one delivery.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from pcc_pipeline.clock import today
from pcc_pipeline.connector.permission import refusals
from pcc_pipeline.connector.queries import Mark, Query, QueryError, parse_mark, queries_of, read_queries
from pcc_pipeline.connector.reading import MARK, Spooled, read_all
from pcc_pipeline.connector.sources import ErpSource, SourceError, label, without_secrets
from pcc_pipeline.database.engine import ente_lock
from pcc_pipeline.database.register import Arrived, Register, delivery_id
from pcc_pipeline.database.schema import table
from pcc_pipeline.duck import connect as calculator
from pcc_pipeline.enti.facts import EnteFacts, ente_facts
from pcc_pipeline.installation import Installation
from pcc_pipeline.store import Store
from pcc_pipeline.tables.connector import FAILED, NEW, REFUSED, UNCHANGED


@dataclass(frozen=True)
class KindRead:
    """What reading one kind gave: rows read, those unseen before, those gone, and the delivery they became if any."""

    kind: str
    rows: int
    unseen: int
    gone: int
    watermark: str | None
    delivery: str | None
    attempts: int


@dataclass(frozen=True)
class ConnectReport:
    """One reading of an ente: by kind; or why it was refused or failed (`reason`, without credentials)."""

    ente: str
    source: str
    outcome: str
    reason: str | None = None
    kinds: list[KindRead] = field(default_factory=list)


def connect(installation: Installation, source: ErpSource, *, on: date | None = None, wait: float = 1.0) -> ConnectReport:
    """Reads an ente's accounting system once; every outcome is registered in `erp_reads` and none raises.

    `on` is the day for which permission is judged (today unless told), `wait` the first pause before trying again.
    """
    shown = "?"
    try:
        facts = ente_facts(installation, source.ente, on)
        if reasons := refusals(facts, on or today()):
            return _ended(installation.register, source.ente, shown, REFUSED, "; ".join(reasons))
        url = source.url()
        shown = label(url)
        queries = read_queries(Path(source.queries)) if source.queries else _queries(facts)
        with ente_lock(installation.engine, f"erp {source.ente}"):
            return _read(installation, source.ente, url, queries, wait)
    except (SourceError, QueryError) as error:
        return _ended(installation.register, source.ente, shown, REFUSED, str(error))
    except (SQLAlchemyError, ModuleNotFoundError, ValueError, OSError) as error:
        orig = getattr(error, "orig", None) or error
        words = f"{type(orig).__name__}: {str(orig).strip()}"
        if shown != "?":
            words = without_secrets(words, url)
        return _ended(installation.register, source.ente, shown, FAILED, words[:1000])


def _queries(facts: EnteFacts) -> dict[str, Query]:
    return queries_of(facts.layout)


def _ended(register: Register, ente: str, source: str, outcome: str, reason: str) -> ConnectReport:
    """Registers a reading that gave nothing."""
    _record(register, {"ente": ente, "source": source, "outcome": outcome, "reason": reason.replace("\0", "")})
    return ConnectReport(ente, source, outcome, reason)


def _record(register: Register, *rows: dict[str, object]) -> None:
    t = table("erp_reads")
    with register.engine.begin() as connection:
        for row in rows:
            connection.execute(sa.insert(t).values(read_at=sa.func.now(), **row))


def last_readings(register: Register) -> dict[str, float]:
    """When each ente was read last, whatever came of it, in seconds since 1970."""
    t = table("erp_reads")
    query = sa.select(t.c.ente, sa.func.max(sa.extract("epoch", t.c.read_at))).group_by(t.c.ente)
    with register.engine.connect() as connection:
        return {ente: float(at) for ente, at in connection.execute(query)}


def _last(register: Register, ente: str, kind: str, source: str) -> tuple[str | None, str | None]:
    """Watermark and window of the last reading that succeeded from this very source."""
    t = table("erp_reads")
    query = (
        sa.select(t.c.watermark, t.c.seen)
        .where(t.c.ente == ente, t.c.kind == kind, t.c.source == source, t.c.outcome.in_([NEW, UNCHANGED]))
        .order_by(t.c.reading.desc())
        .limit(1)
    )
    with register.engine.connect() as connection:
        row = connection.execute(query).first()
    return (None, None) if row is None else (row.watermark, row.seen)


def _read(installation: Installation, ente: str, url: sa.URL, queries: dict[str, Query], wait: float) -> ConnectReport:
    shown, store, register = label(url), installation.store, installation.register
    last = {kind: _last(register, ente, kind, shown) for kind in queries}
    marks = {k: None if mark is None else parse_mark(queries[k].type, mark) for k, (mark, _) in last.items()}
    bounds = {kind: query.bound(marks[kind]) for kind, query in queries.items()}
    with tempfile.TemporaryDirectory(prefix="pcc-erp-") as name:
        folder = Path(name)
        spooled = read_all(url, queries, bounds, folder, wait=wait)
        made: list[KindRead] = []
        rows: list[dict[str, object]] = []
        arrived: list[Arrived] = []
        old_windows = []
        for kind, query in queries.items():
            found = _compare(installation, spooled[kind], last[kind][1], folder / f"{kind}.csv")
            mark = _greatest(query, marks[kind], found.mark, spooled[kind].zoned)
            seen = _keep_window(installation, ente, kind, spooled[kind], query.bound(mark) if query.watermark else None)
            delivery = None
            if found.changed:
                kept = store.put_file(ente, folder / f"{kind}.csv")
                file = f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.csv"
                # Without a watermark all is read each time; with one, what changed.
                whole = query.watermark is None
                arrived.append(Arrived(kind, kept.sha256, file, kept.size, source=shown, whole=whole))
                delivery = delivery_id(ente, kind, kept.sha256)
            told = None if mark is None else str(mark)
            made.append(KindRead(kind, spooled[kind].rows, found.unseen, found.gone, told, delivery, spooled[kind].attempts))
            rows.append(
                {
                    "ente": ente,
                    "kind": kind,
                    "source": shown,
                    "asked_from": str(bounds[kind]),
                    "watermark": told,
                    "seen": seen,
                    "rows": spooled[kind].rows,
                    "unseen": found.unseen,
                    "gone": found.gone,
                    "attempts": spooled[kind].attempts,
                    "delivery": delivery,
                    "outcome": UNCHANGED if delivery is None else NEW,
                }
            )
            old_windows.append(last[kind][1])
    store.settle([*(store.landing(ente, item.sha256) for item in arrived), *(str(row["seen"]) for row in rows)])
    if arrived:
        register.add(ente, arrived)
    _record(register, *rows)
    for old in filter(None, old_windows):
        store.delete(old)
    return ConnectReport(ente, shown, NEW if arrived else UNCHANGED, kinds=made)


@dataclass(frozen=True)
class _Compared:
    """A reading against the window of the one before. `changed` when it is worth a delivery."""

    unseen: int
    gone: int
    mark: Mark | None
    changed: bool


def _rows_with_hash(spooled: Spooled) -> str:
    texts = ", ".join(f"coalesce('=' || {_quoted(name)}, '-')" for name in spooled.columns)
    return f"select *, md5(concat_ws(chr(31), {texts})) as row_hash from spooled"


def _compare(installation: Installation, spooled: Spooled, window: str | None, target: Path) -> _Compared:
    """Counts what is new and what is gone, and writes the rows as CSV, always in one order, when anything is.

    All that was read goes into the delivery, not only what changed: of a payment order on a document the latest
    delivery that names it stands with all its rows.
    """
    with calculator(installation.settings) as connection:
        _open(connection, installation.store, spooled)
        if window is not None and installation.store.exists(window):
            connection.execute(f"create temp table seen as select * from read_parquet('{installation.store.uri(window)}')")
        else:
            connection.execute("create temp table seen (row_hash varchar)")
        unseen, mark = connection.execute(
            f"select count(*) filter (row_hash not in (select row_hash from seen)), max({MARK}) from found"
        ).fetchone() or (0, None)
        (gone,) = connection.execute(
            "select count(*) from seen where row_hash not in (select row_hash from found)"
        ).fetchone() or (0,)
        changed = bool(spooled.rows and (unseen or gone))
        if changed:
            columns = ", ".join(map(_quoted, spooled.columns))
            connection.execute(
                f"copy (select {columns} from found order by all) to '{target}' (format csv, header, delimiter ';')"
            )
    return _Compared(unseen, gone, mark, changed)


def _keep_window(installation: Installation, ente: str, kind: str, spooled: Spooled, bound: Mark | None) -> str:
    """Keeps the hashes of the rows that the next reading will read again; returns the file's relative name."""
    name = f"connector/{ente}/{kind}/{uuid4().hex}.parquet"
    with calculator(installation.settings) as connection:
        _open(connection, installation.store, spooled)
        at = bound.replace(tzinfo=None) if isinstance(bound, datetime) else bound
        where = "true" if at is None else f"{MARK} >= $bound"
        with installation.store.write(name) as target:
            connection.execute(
                f"copy (select distinct row_hash from found where {where}) to '{target}' (format parquet)",
                {} if at is None else {"bound": at},
            )
    return name


def _open(connection: duckdb.DuckDBPyConnection, store: Store, spooled: Spooled) -> None:
    store.attach(connection)
    connection.execute("set preserve_insertion_order = true")
    with pa.memory_map(str(spooled.path)) as file:
        reader = pa.ipc.open_stream(file)
        connection.register("spooled", reader)
        connection.execute(f"create temp table found as {_rows_with_hash(spooled)}")
        connection.unregister("spooled")


def _greatest(query: Query, last: Mark | None, found: Mark | None, zoned: bool) -> Mark | None:
    """The new watermark: never back, and never into the future, where one row with a wrong clock would stop all."""
    if query.watermark is None or found is None:
        return last
    now = datetime.now(UTC)
    if isinstance(found, datetime):
        found = found.replace(tzinfo=UTC) if zoned else found
        found = min(found, now if zoned else datetime.combine(today(), now.astimezone().time()))
    elif isinstance(found, date):
        found = min(found, today())
    if last is None or type(last) is not type(found):
        return found
    if isinstance(last, datetime) and isinstance(found, datetime) and (last.tzinfo is None) != (found.tzinfo is None):
        return found
    return max(last, found)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
