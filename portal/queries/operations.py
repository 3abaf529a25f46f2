"""The operations proposed for PCC with their states, and the decisions that stand on them.

One query says what state an operation is in (`pcc_pipeline.review.states`). What it says of each is noted with every
decision (`operation_standing`): by that they are narrowed, paged and counted here. Deciding is the work of
`pcc_pipeline.review.operations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.engine import set_based
from pcc_pipeline.database.schema import table
from pcc_pipeline.review.operations import Selection
from pcc_pipeline.review.states import REVIEWED, REVIEWED_SOME, SHOWN, STATES, parameters
from portal.queries.paging import Page, paged


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
    """A page of the ente's operations as they would be sent: the columns of REVIEWED, and `shown`. The documents whose
    operations move the stock most come first, each with its steps in order."""
    t = table("operation_standing")
    chosen = sa.select(t.c.operation_id, t.c.id_documento, t.c.progressivo_registrazione).where(t.c.ente == ente)
    for column, value in ((t.c.shown, wanted.shown), (t.c.code, wanted.code), (t.c.original_creditor, wanted.supplier)):
        if value:
            chosen = chosen.where(column == value)
    order = (t.c.moved.desc(), t.c.id_documento, t.c.progressivo_registrazione, t.c.step)
    page = paged(connection, chosen, order, number)
    in_full = {row["operation_id"]: row for row in _with_their_documents(connection, ente, page.rows)}
    return Page([in_full[row["operation_id"]] for row in page.rows], page.number, page.more)


def _with_their_documents(connection: sa.Connection, ente: str, chosen: Sequence[Mapping[Any, Any]]) -> Sequence[sa.RowMapping]:
    """Operations in full, with the others of their documents: what is refused of a document holds what comes after."""
    o = table("operations")
    ids = {row["id_documento"] for row in chosen}
    numbers = {row["progressivo_registrazione"] for row in chosen if row["id_documento"] is None}
    borne = sa.or_(
        o.c.id_documento.in_(ids - {None}),
        sa.and_(o.c.id_documento.is_(None), o.c.progressivo_registrazione.in_(numbers - {None})),
    )
    some = connection.execute(sa.select(o.c.operation_id).where(o.c.ente == ente, borne)).scalars().all()
    query = f"select r.*, {SHOWN} as shown from ({REVIEWED_SOME}) as r"
    return connection.execute(sa.text(query), {**parameters(ente), "some": some}).mappings().all()


def counts(connection: sa.Connection, ente: str, supplier: str | None = None) -> list[Count]:
    """The ente's operations (one supplier's) by state and code."""
    t = table("operation_standing")
    query = sa.select(t.c.shown, t.c.code, sa.func.count(), sa.func.sum(t.c.stock_effect)).where(t.c.ente == ente)
    if supplier:
        query = query.where(t.c.original_creditor == supplier)
    rows = connection.execute(query.group_by(t.c.shown, t.c.code).order_by(t.c.shown, t.c.code))
    return [Count(*row) for row in rows]


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
