"""The register of deliveries: what was delivered to whom, when, and what became of it.

It is the memory that the sensor, landing and staging trust. Bytes are in the store; how files get here is in
`pcc_pipeline.arrival.landing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from pcc_pipeline.database.engine import decision_lock, ente_lock, lock
from pcc_pipeline.database.moments import later_than_sent
from pcc_pipeline.database.schema import table
from pcc_pipeline.database.unnest import unnest
from pcc_pipeline.tables import FEEDS
from pcc_pipeline.tables.register import DELIVERIES, LANDED, REFUSED

#: Rows sent in one statement.
BATCH = 20_000

#: How the sha-256 column begins for a file too large to be kept: a mark, not its content's (see `landing`).
NOT_KEPT = "0" * 16


def delivery_id(ente: str, kind: str, sha256: str) -> str:
    """The identifier of these bytes delivered to that ente as that kind: 16 hexadecimal digits."""
    return hashlib.sha256(f"{ente}/{kind}/{sha256}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Arrived:
    """A file whose bytes are in the store, to be registered. `reason` set means it cannot be read at all;
    `source` names the accounting system it was read from, null for a delivered file."""

    kind: str
    sha256: str
    file: str
    size: int
    archive: str | None = None
    reason: str | None = None
    source: str | None = None
    whole: bool | None = None
    span_from: date | None = None
    span_to: date | None = None


@dataclass(frozen=True)
class Delivery:
    """A registered delivery, as the table `deliveries` describes it."""

    delivery: str
    ente: str
    kind: str
    sha256: str
    file: str
    archive: str | None
    size: int
    received_at: datetime
    sequence: int
    status: str
    reason: str | None = None
    source: str | None = None
    reread: int | None = None
    whole: bool | None = None
    span_from: date | None = None
    span_to: date | None = None


@dataclass(frozen=True)
class Outcome:
    """What reading a delivery gave: `staged` with its part and counts, or `refused` with the reason."""

    delivery: str
    status: str
    part: str | None = None
    rows: int = 0
    refused: int = 0
    defects: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class Seen:
    """A file of an inbox that is not drained, as it was when read; size in bytes, mtime in nanoseconds."""

    path: Path
    size: int
    mtime_ns: int


class Register:
    """Reads and writes the register's tables through one engine."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def lock(self, *enti: str) -> AbstractContextManager[None]:
        """Holds the work of these enti for this caller; see `engine.ente_lock`."""
        return ente_lock(self.engine, *enti)

    def add(self, ente: str, arrived: Sequence[Arrived], seen: Iterable[Seen] = ()) -> tuple[list[Delivery], list[Arrived]]:
        """Registers what arrived for an ente, in the given order: one transaction, one `received_at`.

        Returns the new deliveries and what was known already. `seen` files are remembered with them.
        """
        new: list[Delivery] = []
        known: list[Arrived] = []
        with self.engine.begin() as connection, lock(connection, f"register {ente}"):
            moment = later_than_sent(connection, ente)
            for start in range(0, len(arrived), BATCH):
                part = arrived[start : start + BATCH]
                names = _names(connection, ente, part)
                added = _insert(connection, ente, part, names, moment)
                new += added
                left = {item.delivery for item in added}
                for item, name in zip(part, names, strict=True):
                    if name in left:
                        left.discard(name)
                    else:
                        known.append(item)
            _remember(connection, ente, list(seen))
        return new, known

    def arrivals(self, ente: str | None = None) -> dict[str, tuple[int, int]]:
        """Files of undrained inboxes already read, of one ente or all: path to (size, mtime in ns)."""
        t = table("arrivals")
        query = sa.select(t.c.path, t.c.size, t.c.mtime_ns)
        if ente is not None:
            query = query.where(t.c.ente == ente)
        with self.engine.connect() as connection:
            return {path: (size, mtime) for path, size, mtime in connection.execute(query)}

    def pending(self, ente: str) -> list[Delivery]:
        """Deliveries of an ente that are landed and not yet read, in order of arrival."""
        t = table("deliveries")
        query = sa.select(*(t.c[name] for name in Delivery.__dataclass_fields__))
        with self.engine.connect() as connection:
            mine = query.where(t.c.ente == ente, t.c.status == LANDED).order_by(t.c.sequence)
            return [Delivery(*row) for row in connection.execute(mine)]

    def enti(self) -> list[str]:
        """Every ente that ever had a delivery, by name."""
        t = table("deliveries")
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(t.c.ente).distinct().order_by(t.c.ente)).scalars())

    def complete_up_to(self, ente: str) -> int:
        """The sequence up to which every delivery of an ente has been read; 0 when none has."""
        t = table("deliveries")
        moment = last_read(t)
        landed = sa.func.min(moment).filter(t.c.status == LANDED) - 1
        query = sa.select(sa.func.coalesce(landed, sa.func.max(moment), 0)).where(t.c.ente == ente)
        with self.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def readable(
        self, ente: str, deliveries: Sequence[str] | None = None, kind: str | None = None
    ) -> list[tuple[Delivery, Outcome]]:
        """An ente's deliveries to read anew from their kept bytes, in order of arrival, each with its present reading.

        All of a kind, or those named, or else those with defects; and with them those whose rows lie in the same file.
        What was refused at the door is among them only where it was refused for its kind. Each bears a number of its
        own as `reread`, by which its new file is called. Raises KeyError for an unknown delivery.
        """
        t = table("deliveries")
        mine = sa.select(t).where(t.c.ente == ente, t.c.status != LANDED).order_by(t.c.sequence)
        with self.engine.begin() as connection:
            rows = [row._mapping for row in connection.execute(mine)]
            number = connection.execute(sa.select(_next_number())).scalar_one()
        if unknown := set(deliveries or ()) - {row["delivery"] for row in rows}:
            raise KeyError(f"{ente} has no delivery {', '.join(sorted(unknown))}")

        def asked(row: Any) -> bool:
            if kind is not None:
                return bool(row["kind"] == kind)
            if deliveries is not None:
                return row["delivery"] in deliveries
            return bool(row["defects"] or row["part"] is None)

        wanted = [row for row in rows if asked(row) and (row["part"] is not None or _refused_for_its_kind(row))]
        parts = {(row["kind"], row["part"]) for row in wanted if row["part"] is not None}
        names = {row["delivery"] for row in wanted}
        return [
            (
                Delivery(**{name: row[name] for name in Delivery.__dataclass_fields__} | {"reread": number}),
                Outcome(*(row[name] for name in Outcome.__dataclass_fields__)),
            )
            for row in rows
            if row["delivery"] in names or (row["kind"], row["part"]) in parts
        ]

    def span(self, delivery: str, first: date | None, last: date | None) -> None:
        """Says of a delivery that it is whole between two days, its own first and last."""
        t = table("deliveries")
        with self.engine.begin() as connection:
            connection.execute(sa.update(t).where(t.c.delivery == delivery).values(whole=True, span_from=first, span_to=last))

    def confirm(self, ente: str, delivery: str, who: str) -> bool:
        """Notes who confirmed that what a whole delivery does not have is gone; returns whether nobody had before.

        Raises KeyError where the ente has no such delivery that was said to be whole.
        """
        t, c = table("deliveries"), table("delivery_confirmations")
        known = sa.select(t.c.delivery).where(t.c.ente == ente, t.c.delivery == delivery, t.c.whole)
        with self.engine.begin() as connection, decision_lock(connection, ente):
            if connection.execute(known).first() is None:
                raise KeyError(f"{ente} has no whole delivery {delivery}")
            if connection.execute(sa.select(c.c.delivery).where(c.c.ente == ente, c.c.delivery == delivery)).first():
                return False
            row = {"ente": ente, "delivery": delivery, "decided_by": who}
            connection.execute(sa.insert(c).values(decided_at=sa.func.clock_timestamp(), **row))
        return True

    def confirmed(self, ente: str, known_at: datetime | None = None) -> dict[str, str]:
        """Deliveries of an ente that a person confirmed up to `known_at` (now unless told), each with who did."""
        c = table("delivery_confirmations")
        query = sa.select(c.c.delivery, c.c.decided_by).where(c.c.ente == ente)
        if known_at is not None:
            query = query.where(c.c.decided_at <= known_at)
        with self.engine.connect() as connection:
            return {row.delivery: row.decided_by for row in connection.execute(query)}

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Records what became of many deliveries, all or none. Raises KeyError for one not registered."""
        with self.engine.begin() as connection:
            _settle(connection, outcomes)

    def settle_anew(self, ente: str, outcomes: Sequence[Outcome]) -> None:
        """Puts a new reading of an ente's deliveries in the place of the present one, all at once or none.

        What the present reading gave is kept (`former_readings`), and the deliveries count as unpublished.
        """
        t, former = table("deliveries"), table("former_readings")
        kept = [column.name for column in former.c if column.name != "superseded_at"]
        # Under the lock of `add` the numbers are in the order in which readers see what they stand for.
        with self.engine.begin() as connection, lock(connection, f"register {ente}"):
            for start in range(0, len(outcomes), BATCH):
                part = outcomes[start : start + BATCH]
                which = t.c.delivery.in_([item.delivery for item in part])
                present = sa.select(*(t.c[name] for name in kept), sa.func.now()).where(which)
                connection.execute(sa.insert(former).from_select([*kept, "superseded_at"], present))
                connection.execute(sa.update(t).where(which).values(reread=_next_number()))
            _settle(connection, outcomes)

    def deliveries(self, ente: str, known_at: datetime | None = None) -> pa.Table:
        """An ente's deliveries in order of arrival, as `DELIVERIES` has them, received up to `known_at`.

        Of one that was read anew since, the reading that stood then. `known_at` needs a time zone.
        """
        if known_at is not None and known_at.tzinfo is None:
            raise ValueError("known_at needs a time zone")
        t = table("deliveries")
        query = sa.select(*(t.c[name] for name in DELIVERIES.column_names)).where(t.c.ente == ente)
        if known_at is not None:
            query = _as_known(ente, known_at)
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(t.c.sequence)).all()
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(DELIVERIES.columns)
        schema = DELIVERIES.arrow_schema
        arrays = [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)


def _settle(connection: sa.Connection, outcomes: Sequence[Outcome]) -> None:
    t = table("deliveries")
    for start in range(0, len(outcomes), BATCH):
        part = outcomes[start : start + BATCH]
        texts = dict.fromkeys(("delivery", "status", "part", "reason"), sa.Text)
        counts = dict.fromkeys(("rows", "refused", "defects"), sa.BigInteger)
        given = unnest(part, {**texts, **counts})
        names = ("status", "part", "rows", "refused", "defects", "reason")
        update = sa.update(t).where(t.c.delivery == given.c.delivery)
        changed = connection.execute(update.values({name: given.c[name] for name in names})).rowcount
        if changed != len({item.delivery for item in part}):
            raise KeyError("An outcome names a delivery that is not registered")


def _next_number() -> Any:
    """The next place in the order of arrival."""
    t = table("deliveries")
    return sa.func.nextval(sa.func.pg_get_serial_sequence(f"{t.schema}.{t.name}", "sequence"))


def last_read(deliveries: Any) -> Any:
    """The place in the order of arrival of a delivery, or of its bytes' last reading anew."""
    return sa.func.greatest(deliveries.c.sequence, deliveries.c.reread)


def _refused_for_its_kind(row: Any) -> bool:
    """Whether what was refused at the door may now be read: archives, oversized files and the provider's own may not."""
    if row["kind"] == "enti" and row["part"] is None:
        return False
    if row["status"] != REFUSED or row["kind"] not in FEEDS:
        return False
    return not row["file"].lower().endswith(".zip") and not row["sha256"].startswith(NOT_KEPT)


def _as_known(ente: str, known_at: datetime) -> sa.Select[Any]:
    """The deliveries received up to a moment, each with the reading that stood then."""
    t, f = table("deliveries"), table("former_readings")
    g = f.alias("following")
    next_one = sa.select(sa.func.min(g.c.superseded_at)).where(g.c.delivery == t.c.delivery, g.c.superseded_at > known_at)
    stood = sa.and_(f.c.delivery == t.c.delivery, f.c.superseded_at == next_one.correlate(t).scalar_subquery())
    columns = [
        sa.case((f.c.delivery.is_not(None), f.c[name]), else_=t.c[name]).label(name)
        if name in f.c and name not in ("delivery", "ente")
        else t.c[name]
        for name in DELIVERIES.column_names
    ]
    return sa.select(*columns).select_from(t.outerjoin(f, stood)).where(t.c.ente == ente, t.c.received_at <= known_at)


def _names(connection: sa.Connection, ente: str, arrived: Sequence[Arrived]) -> list[str]:
    """The identifier of each: its content's, or another where the same bytes come again, now or later, and are said whole.

    Then they say more than they did: that what came since and lies in the span is not there.
    """
    t = table("deliveries")
    names = [delivery_id(ente, item.kind, item.sha256) for item in arrived]
    query = sa.select(t.c.delivery, t.c.whole, t.c.span_from, t.c.span_to).where(t.c.delivery.in_(names))
    known = {row[0]: (*row[1:],) for row in connection.execute(query)} if any(item.whole for item in arrived) else {}
    for place, (item, name) in enumerate(zip(arrived, names, strict=True)):
        said = (item.whole, item.span_from, item.span_to)
        if known.setdefault(name, said) != said and item.whole:
            names[place] = delivery_id(ente, item.kind, f"{item.sha256}/{item.span_from}..{item.span_to}")
    return names


def _insert(connection: sa.Connection, ente: str, arrived: Sequence[Arrived], names: list[str], on: datetime) -> list[Delivery]:
    t = table("deliveries")
    rows: list[dict[str, Any]] = [
        {
            "delivery": name,
            "kind": item.kind,
            "sha256": item.sha256,
            "file": item.file,
            "archive": item.archive,
            "source": item.source,
            "size": item.size,
            "status": REFUSED if item.reason else LANDED,
            "reason": item.reason,
            "whole": item.whole,
            "span_from": item.span_from,
            "span_to": item.span_to,
        }
        for item, name in zip(arrived, names, strict=True)
    ]
    own = {"size": sa.BigInteger, "whole": sa.Boolean, "span_from": sa.Date, "span_to": sa.Date}
    types: dict[str, Any] = {name: own.get(name, sa.Text) for name in rows[0]} if rows else {}
    if not rows:
        return []
    given = unnest(rows, types, ordered=True)
    values: list[Any] = [sa.literal(ente), sa.literal(on, sa.DateTime(timezone=True)), *(given.c[name] for name in types)]
    select = sa.select(*values).order_by(given.c.place)
    statement = (
        insert(t)
        .from_select(["ente", "received_at", *types], select)
        .on_conflict_do_nothing()
        .returning(*(t.c[name] for name in Delivery.__dataclass_fields__))
    )
    added = sorted((Delivery(*row) for row in connection.execute(statement)), key=lambda item: item.sequence)
    if len(added) < len(rows):
        _same(connection, rows)
    return added


def _same(connection: sa.Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Two contents with one identifier would lose a delivery: so unlikely that stopping is right."""
    t = table("deliveries")
    given = unnest(rows, {"delivery": sa.Text, "sha256": sa.Text})
    same = (given.c.delivery == t.c.delivery) & (given.c.sha256 != t.c.sha256)
    clash = sa.select(t.c.delivery).join(given, same)
    if (found := connection.execute(clash).scalar()) is not None:
        raise RuntimeError(f"Two different contents have the identifier {found}")


def _remember(connection: sa.Connection, ente: str, seen: Sequence[Seen]) -> None:
    t = table("arrivals")
    for start in range(0, len(seen), BATCH):
        rows = {
            str(item.path): {"path": str(item.path), "size": item.size, "mtime_ns": item.mtime_ns}
            for item in seen[start : start + BATCH]
        }
        types = {"path": sa.Text, "size": sa.BigInteger, "mtime_ns": sa.BigInteger}
        given = unnest(list(rows.values()), types)
        values = (sa.literal(ente), *(given.c[name] for name in types))
        select = sa.select(*values).order_by(given.c.path)
        statement = insert(t).from_select(["ente", "path", "size", "mtime_ns"], select)
        update = {name: statement.excluded[name] for name in ("ente", "size", "mtime_ns")}
        connection.execute(statement.on_conflict_do_update(index_elements=["path"], set_=update))
