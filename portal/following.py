"""An ente's files on their way: received, read, calculated with, published. A page asks again until they are there.

What lies in the inbox is seen on the disk, all else in the register. Files of the last hour are followed; one that takes
longer is the provider's matter, and a page that nobody reads does not keep its session open for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from pcc_pipeline.codes import ente_code
from pcc_pipeline.database.publish import Published
from pcc_pipeline.database.schema import table
from pcc_pipeline.tables.register import LANDED, REFUSED

#: How long a file is followed, how many are shown, and how many wrong lines of each.
LONG, MOST, WRONG_LINES = timedelta(hours=1), 20, 5

#: The way of a file, in order.
RECEIVED, READ, CALCULATING, PUBLISHED = STEPS = ("received", "read", "calculating", "published")
REFUSED_FILE = "refused"


@dataclass(frozen=True)
class Followed:
    """A file on its way: the step that it is at (or REFUSED_FILE); of one in the register its delivery, rows and first wrong
    lines."""

    file: str
    kind: str
    step: str
    delivery: str | None = None
    rows: int | None = None
    refused: int = 0
    reason: str | None = None
    defects: Sequence[sa.RowMapping] = ()

    @property
    def ends(self) -> bool:
        """Whether nothing more happens to it."""
        return self.step in (PUBLISHED, REFUSED_FILE)

    def passed(self, step: str) -> bool:
        """Whether it is past a step."""
        return self.step in STEPS and (STEPS.index(self.step) > STEPS.index(step) or self.step == PUBLISHED)


def follow(
    connection: sa.Connection, inbox: Path, ente: str, published: Published | None, now: datetime
) -> tuple[Followed, ...]:
    """The files of an ente's last hour, latest first."""
    d, p = table("deliveries"), table("publications")
    seen = sa.select(sa.func.max(p.c.seen_sequence)).where(p.c.ente == ente).scalar_subquery()
    query = (
        sa.select(d, (sa.func.greatest(d.c.sequence, d.c.reread) <= seen).label("calculated"))
        .where(d.c.ente == ente, d.c.received_at > now - LONG)
        .order_by(d.c.sequence.desc())
        .limit(MOST)
    )
    rows = connection.execute(query).mappings().all()
    wrong = _defects(connection, ente, [row["delivery"] for row in rows if row["refused"]])
    known = {(row["kind"], row["file"]): row["received_at"] for row in reversed(rows)}
    waiting = tuple(
        Followed(name, kind, RECEIVED)
        for kind, name, changed in _in_inbox(inbox, ente)
        # An inbox that is not drained keeps what was taken.
        if changed > now - LONG and not ((taken := known.get((kind, name))) and taken >= changed)
    )
    return (*waiting, *(_followed(row, published, wrong.get(row["delivery"], ())) for row in rows))[:MOST]


def _followed(row: sa.RowMapping, published: Published | None, defects: Sequence[sa.RowMapping]) -> Followed:
    calculated = row["calculated"]
    if calculated is None:  # nothing is published, or by a version that did not say what it saw
        calculated = published is not None and row["received_at"] <= published.published_at
    step = RECEIVED if row["status"] == LANDED else PUBLISHED if calculated else CALCULATING
    if row["status"] == REFUSED:
        step = REFUSED_FILE
    return Followed(row["file"], row["kind"], step, row["delivery"], row["rows"], row["refused"] or 0, row["reason"], defects)


def _in_inbox(inbox: Path, ente: str) -> list[tuple[str, str, datetime]]:
    """Kind and name of the files in an ente's inbox, and when each was written."""
    found = []
    for path in sorted((inbox / ente_code(ente)).glob("*/*")):
        with suppress(OSError):  # taken at this moment
            if not path.name.startswith(".") and path.is_file():
                found.append((path.parent.name, path.name, datetime.fromtimestamp(path.stat().st_mtime, UTC)))
    return found


def mark(files: Sequence[Followed]) -> str:
    """A text that changes with what is to be shown."""
    told = [(one.file, one.kind, one.step, one.rows, one.refused) for one in files]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _defects(connection: sa.Connection, ente: str, deliveries: Sequence[str]) -> dict[str, list[sa.RowMapping]]:
    if not deliveries:
        return {}
    q = table("quarantine")
    place = sa.func.row_number().over(partition_by=q.c.delivery, order_by=(q.c.line, q.c.field, q.c.reason)).label("place")
    numbered = sa.select(q.c.delivery, q.c.line, q.c.field, q.c.value, q.c.reason, place).where(
        q.c.ente == ente, q.c.delivery.in_(deliveries)
    )
    found = numbered.subquery()
    query = sa.select(found).where(found.c.place <= WRONG_LINES).order_by(found.c.delivery, found.c.place)
    by_delivery: dict[str, list[sa.RowMapping]] = {}
    for row in connection.execute(query).mappings():
        by_delivery.setdefault(row["delivery"], []).append(row)
    return by_delivery
