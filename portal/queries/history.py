"""One document's history on both sides, in time order; PCC's accounts of it; its operations with their states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.clock import ROME
from pcc_pipeline.database.schema import table
from pcc_pipeline.review.states import REVIEWED_SOME, parameters

#: Of one day the document itself comes first, PCC's answers last.
_SIDES = ("", "ERP", "SDI", "PCC")
_LATEST = date.max


@dataclass(frozen=True)
class Keys:
    """The keys of a document on both sides; either may be missing."""

    id_documento: str | None
    progressivo: str | None

    def borne_by(self, t: sa.Table) -> sa.ColumnElement[bool]:
        """The rows of a table that bear either key."""
        pairs = ((t.c.id_documento, self.id_documento), (t.c.progressivo_registrazione, self.progressivo))
        return sa.or_(*(column == value for column, value in pairs if value is not None), sa.false())


@dataclass(frozen=True)
class Event:
    """Something that happened: when, who tells it ("" the document itself), what (KIND.…), amount in euro, and the
    columns of the row that tells it. `first_seen`: the day is that of the delivery that said it first."""

    day: date | None
    side: str
    kind: str
    amount: Decimal | None = None
    first_seen: bool = False
    more: dict[str, Any] = field(default_factory=dict)


def history(
    connection: sa.Connection, ente: str, keys: Keys, position: sa.RowMapping
) -> tuple[list[Event], list[sa.RowMapping]]:
    """Everything known of a document in time order, and the balances of its accounts on PCC.

    `position` is its row of `debt_positions`, which tells issue and due date. What bears no day comes last.
    """
    t = table("document_events")
    rows = connection.execute(sa.select(t).where(t.c.ente == ente, keys.borne_by(t))).mappings().all()
    balances = sorted((row for row in rows if row["kind"] == "BALANCE"), key=lambda row: row["row_id"])
    events = [
        Event(position["issue_date"], "", "ISSUED", position["commercial_amount"]),
        Event(position["due_date"], "", "DUE"),
        *_told(row for row in rows if row["kind"] != "BALANCE"),
        *_sent(connection, ente, keys),
    ]
    return sorted(events, key=_order), balances


def _told(rows: Iterable[sa.RowMapping]) -> list[Event]:
    """A message of SDI reaches a document of both sides twice: once is enough."""
    once = {(row["kind"], row["side"], row["row_id"]): row for row in rows}
    return [Event(row["day"], row["side"], row["kind"], row["amount"], row["first_seen"], dict(row)) for row in once.values()]


def _sent(connection: sa.Connection, ente: str, keys: Keys) -> list[Event]:
    """What was sent to PCC, PCC's answer, and when a feed of PCC showed it done."""
    t = table("sent_states")
    query = sa.select(t).where(t.c.ente == ente, keys.borne_by(t)).order_by(t.c.sent_at, t.c.line)
    events = []
    for row in connection.execute(query).mappings():
        for kind, at in (("SENT", row["sent_at"]), ("ANSWERED", row["answered_at"]), ("DONE", row["seen_done_at"])):
            if at is not None:
                events.append(Event(_in_italy(at), "PCC", kind, row["importo"], more=dict(row)))
    return events


def _in_italy(at: datetime) -> date:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ROME).date()


def _order(event: Event) -> tuple[date, int, int]:
    ending = ("SENT", "ANSWERED", "DONE")
    return (event.day or _LATEST, _SIDES.index(event.side), ending.index(event.kind) + 1 if event.kind in ending else 0)


def operations(connection: sa.Connection, ente: str, proposed: Sequence[str]) -> list[sa.RowMapping]:
    """The operations proposed for a document, in order, in the columns of REVIEWED: as they would be sent, each with its
    state. `proposed` are the keys of all of them: none where nothing is proposed."""
    if not proposed:
        return []
    query = f"select r.* from ({REVIEWED_SOME}) as r order by r.id_documento, r.progressivo_registrazione, r.step"
    return list(connection.execute(sa.text(query), {**parameters(ente), "some": list(proposed)}).mappings())


def questions(connection: sa.Connection, ente: str, keys: Keys) -> list[sa.RowMapping]:
    """The questions open on a document, whoever is asked, in the columns of their table."""
    t = table("questions")
    query = sa.select(t).where(t.c.ente == ente, keys.borne_by(t))
    return list(connection.execute(query.order_by(t.c.addressee, t.c.code)).mappings())
