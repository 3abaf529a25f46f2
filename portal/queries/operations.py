"""The operations proposed for PCC with their states, and the decisions that stand on them.

One query says what state an operation is in (`pcc_pipeline.review.states`); here it is only narrowed, paged
and counted. Deciding is `pcc_pipeline.review.operations`' work.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from threading import Lock
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.review.operations import Selection
from pcc_pipeline.review.pairs import set_based
from pcc_pipeline.review.states import REVIEWED, SHOWN, STATES, parameters
from portal.queries.paging import SIZE, Page

#: A document's keys as one text: of these columns alone, so that PostgreSQL looks at its operations only.
_DOCUMENT = "(coalesce(r.id_documento, '') || chr(31) || coalesce(r.progressivo_registrazione, ''))"


#: Counts remembered by what they come from; a few hundred bytes each.
_COUNTED: OrderedDict[tuple[Any, ...], tuple[Count, ...]] = OrderedDict()
_REMEMBERED = 500
_LOCK = Lock()


@dataclass(frozen=True)
class OperationFilter:
    """What a list of operations is narrowed to: state (SHOWN_STATES), anomaly code, supplier's tax id; null narrows nothing."""

    shown: str | None = None
    code: str | None = None
    supplier: str | None = None

    def selection(self) -> Selection:
        """The same operations, as decisions choose them."""
        some = self.shown or self.code or self.supplier
        return Selection(code=self.code, supplier=self.supplier, shown=self.shown, least=None if some else Decimal(0))


@dataclass(frozen=True)
class Count:
    """How many operations of a code are in a state, and what they take from PCC's stock, in euro."""

    shown: str
    code: str
    operations: int
    stock_effect: Decimal


def operations(connection: sa.Connection, ente: str, wanted: OperationFilter, number: int) -> Page:
    """A page of the ente's operations as they would be sent: the columns of REVIEWED, and `shown`. The documents that
    change the stock most come first, each with its steps in order."""
    set_based(connection)
    where, given = wanted.selection().condition()
    given |= {**parameters(ente), "size": SIZE + 1, "skip": (max(number, 1) - 1) * SIZE}
    # First which ones, in narrow rows: all of them are put in order. Then those of the page in full, within their documents.
    chosen = connection.execute(
        sa.text(f"""
            select r.operation_id, {_DOCUMENT} as document,
                sum(abs(r.stock_effect)) over (partition by r.id_documento, r.progressivo_registrazione) as moved
            from ({REVIEWED}) as r where r.ente = :ente and {where}
            order by moved desc, r.id_documento, r.progressivo_registrazione, r.step
            limit :size offset :skip
        """),
        given,
    ).all()
    shown = chosen[:SIZE]
    in_full = connection.execute(
        sa.text(f"select r.*, {SHOWN} as shown from ({REVIEWED}) as r where r.ente = :ente and {_DOCUMENT} = any(:documents)"),
        {**parameters(ente), "documents": [row.document for row in shown]},
    ).mappings()
    by_id = {row["operation_id"]: row for row in in_full}
    return Page([by_id[row.operation_id] for row in shown], max(number, 1), len(chosen) > SIZE)


def counts(connection: sa.Connection, ente: str, supplier: str | None = None) -> tuple[Count, ...]:
    """The ente's operations (one supplier's) by state and code.

    All of them are read for it, so it is remembered until something that they come from changes (`_version`, read in the
    same snapshot).
    """
    key = (str(connection.engine.url), ente, supplier, *_version(connection, ente))
    with _LOCK:
        if key in _COUNTED:
            _COUNTED.move_to_end(key)
            return _COUNTED[key]
    set_based(connection)
    query = f"""
        select {SHOWN} as shown, r.code, count(*), sum(r.stock_effect) from ({REVIEWED}) as r
        where r.ente = :ente and (cast(:supplier as text) is null or r.original_creditor = :supplier)
        group by 1, 2 order by 1, 2
    """
    rows = connection.execute(sa.text(query), {**parameters(ente), "supplier": supplier})
    found = tuple(Count(*row) for row in rows)
    with _LOCK:
        _COUNTED[key] = found
        if len(_COUNTED) > _REMEMBERED:
            _COUNTED.popitem(last=False)
    return found


def _version(connection: sa.Connection, ente: str) -> tuple[Any, ...]:
    """What the states of an ente's operations come from: its publication, its decisions and limits, what was sent."""
    last = [
        sa.select(sa.func.max(t.c[column])).where(t.c.ente == ente).scalar_subquery()
        for t, column in (
            (table("publications"), "publication"),
            (table("operation_decisions"), "decision"),
            (table("approval_limits"), "decision"),
            (table("sent_operations"), "sent_at"),
        )
    ]
    return tuple(connection.execute(sa.select(*last)).one())


def standing(connection: sa.Connection, ente: str, chosen: Selection) -> list[int]:
    """The latest decision that stands on each of the chosen operations that was not sent (or PCC refused): what can be
    undone, by number."""
    set_based(connection)
    where, given = chosen.condition()
    query = f"""
        select s.decision from ({REVIEWED}) as r join ({STATES}) as s on s.operation_id = r.operation_id
        where r.ente = :ente and coalesce(r.sent, 'refused') = 'refused' and {where} order by 1
    """
    return list(connection.execute(sa.text(query), {**given, **parameters(ente)}).scalars())
