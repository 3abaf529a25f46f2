"""An ente's documents: lists by bucket, creditor or number, and all that is known of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from portal.queries import history
from portal.queries.paging import Page, contains, paged


@dataclass(frozen=True)
class DocumentFilter:
    """What a list of documents is narrowed to; an empty field narrows nothing. `due` are the first and last due date.

    `creditor` is the present or the original one."""

    view: str = "right"
    bucket: str | None = None
    creditor: str | None = None
    number: str | None = None
    in_stock: bool = True
    due: tuple[date, date] | None = None


def documents(connection: sa.Connection, ente: str, wanted: DocumentFilter, page: int) -> Page:
    """Documents of a view, largest debt first, in the columns of `debt_positions`."""
    t = table("debt_positions")
    query = sa.select(t).where(t.c.ente == ente, t.c.view == wanted.view)
    if wanted.bucket:
        query = query.where(t.c.bucket == wanted.bucket)
    if wanted.creditor:
        query = query.where(sa.or_(t.c.creditor == wanted.creditor, t.c.original_creditor == wanted.creditor))
    if wanted.due:
        query = query.where(t.c.due_date.between(*wanted.due))
    if wanted.number:
        query = query.where(contains(t.c.numero, wanted.number))
    if wanted.in_stock:
        query = query.where(t.c.stock != 0 if wanted.bucket != "not_due" and not wanted.due else t.c.open_amount != 0)
    # All one way, as the index stands: a far page then is a walk along it, without sorting what is equal.
    order = [t.c[name].desc() for name in ("stock", "open_amount", "id_documento", "progressivo_registrazione")]
    return paged(connection, query, order, page)


@dataclass(frozen=True)
class DocumentDetail:
    """One document: its rows of `debt_positions` by view, its match, anomalies, operations proposed with their state,
    the questions open on it, its history in time order, the balances of its accounts on PCC and what is suspended by kind."""

    positions: dict[str, sa.RowMapping]
    match: sa.RowMapping | None
    anomalies: list[sa.RowMapping]
    operations: list[sa.RowMapping]
    questions: list[sa.RowMapping]
    events: list[history.Event]
    balances: list[sa.RowMapping]
    suspensions: list[sa.RowMapping]


def document(connection: sa.Connection, ente: str, id_documento: str | None, progressivo: str | None) -> DocumentDetail | None:
    """All that is published of a document named by either key; None where there is none."""

    def rows(name: str) -> list[sa.RowMapping]:
        t: Any = table(name)
        same = [
            t.c[column] == value
            for column, value in (("id_documento", id_documento), ("progressivo_registrazione", progressivo))
            if value
        ]
        return list(connection.execute(sa.select(t).where(t.c.ente == ente, *same)).mappings())

    if not (id_documento or progressivo):
        return None
    positions = {row["view"]: row for row in rows("debt_positions")}
    if not positions:
        return None
    first = positions.get("right") or next(iter(positions.values()))
    keys = history.Keys(first["id_documento"], first["progressivo_registrazione"])
    matches = rows("matches")
    proposed = [row["operation_id"] for row in rows("operations")]
    events, balances = history.history(connection, ente, keys, first)
    return DocumentDetail(
        positions, matches[0] if matches else None, rows("anomalies"), history.operations(connection, ente, proposed),
        history.questions(connection, ente, keys), events, balances, rows("suspension_kinds"),
    )  # fmt: skip


def anomalies(connection: sa.Connection, ente: str, code: str | None, page: int) -> Page:
    """Anomalies, largest amount first, in the columns of their table."""
    t = table("anomalies")
    query = sa.select(t).where(t.c.ente == ente)
    if code:
        query = query.where(t.c.code == code)
    order = (sa.func.abs(t.c.amount).desc(), t.c.code, t.c.id_documento, t.c.progressivo_registrazione)
    return paged(connection, query, order, page)


def pcc_changes(connection: sa.Connection, ente: str, number: int) -> Page:
    """What PCC changed without an operation of ours or an order, what moves the stock most first; with documents' numbers."""
    t, d = table("pcc_changes"), table("debt_positions")
    pcc = sa.select(d.c.progressivo_registrazione, d.c.numero).where(d.c.ente == ente, d.c.view == "pcc").subquery()
    query = (
        sa.select(t, pcc.c.numero)
        .outerjoin(pcc, pcc.c.progressivo_registrazione == t.c.progressivo_registrazione)
        .where(t.c.ente == ente)
    )
    order = (
        sa.func.abs(t.c.stock_effect).desc(),
        t.c.received_at.desc(),
        t.c.progressivo_registrazione,
        t.c.delivery,
        t.c.field,
    )
    return paged(connection, query, order, number)


def changed_by_delivery(connection: sa.Connection, ente: str) -> list[sa.RowMapping]:
    """For each delivery of PCC that shows such changes, latest first: when it arrived, documents, what its stock moved by."""
    t = table("pcc_changes")
    query = (
        sa.select(
            t.c.delivery, t.c.received_at, sa.func.count(sa.distinct(t.c.progressivo_registrazione)).label("documents"),
            sa.func.sum(t.c.stock_effect).label("stock_effect"),
        )
        .where(t.c.ente == ente).group_by(t.c.delivery, t.c.received_at).order_by(t.c.received_at.desc())
    )  # fmt: skip
    return list(connection.execute(query).mappings())
