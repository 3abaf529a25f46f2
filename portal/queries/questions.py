"""What is expected of the ente: the questions that only it can answer, by kind; and what it answered so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.review.asked import STANDING_ANSWERS, UNANSWERED, parameters
from portal.queries.paging import Page, contains

#: Questions of a kind that are shown before one asks for the kind alone; then on a page.
FIRST, SIZE = 10, 50


@dataclass(frozen=True)
class QuestionFilter:
    """What the questions are narrowed to: a kind (code), a text in number or creditor, the least amount in euro, whether
    the stock waits for the answer (None: either); null narrows nothing."""

    code: str | None = None
    text: str | None = None
    least: Decimal | None = None
    effect: bool | None = None


@dataclass(frozen=True)
class QuestionGroup:
    """The open questions of a kind with or without effect on the stock: how many, the most that the answers move in the
    stock, and the first of them, largest first."""

    code: str
    effect: bool
    questions: int
    moves: Decimal
    first: Sequence[sa.RowMapping]


def _open(ente: str, wanted: QuestionFilter) -> sa.Select[Any]:
    """The questions still to be answered, in the columns of their table."""
    t = table("questions")
    given = parameters(ente)
    rows = sa.text(UNANSWERED).bindparams(**given).columns(*t.c).subquery("q")
    query = sa.select(rows)
    if wanted.code is not None:
        query = query.where(rows.c.code == wanted.code)
    if wanted.text:
        within = (contains(rows.c[name], wanted.text) for name in ("numero", "creditor_name", "creditor", "original_creditor"))
        query = query.where(sa.or_(*within))
    if wanted.least is not None:
        query = query.where(sa.func.abs(rows.c.amount) >= wanted.least)
    if wanted.effect is not None:
        query = query.where((rows.c.remaining != 0) == wanted.effect)
    return query


def _largest(rows: sa.FromClause) -> tuple[Any, ...]:
    return (sa.func.abs(rows.c.amount).desc(), rows.c.code, rows.c.id_documento, rows.c.progressivo_registrazione)


def questions(connection: sa.Connection, ente: str, page: int, wanted: QuestionFilter = QuestionFilter()) -> Page:
    """Questions still to be answered, largest amount first, in the columns of their table."""
    rows = _open(ente, wanted).subquery()
    query = sa.select(rows).order_by(*_largest(rows)).limit(SIZE + 1).offset((max(page, 1) - 1) * SIZE)
    found = connection.execute(query).mappings().all()
    return Page(found[:SIZE], max(page, 1), len(found) > SIZE)


def all_questions(connection: sa.Connection, ente: str, wanted: QuestionFilter) -> Sequence[sa.RowMapping]:
    """All of them."""
    rows = _open(ente, wanted).subquery()
    return connection.execute(sa.select(rows).order_by(*_largest(rows))).mappings().all()


def groups(connection: sa.Connection, ente: str, wanted: QuestionFilter) -> list[QuestionGroup]:
    """The open questions by kind and effect, what moves most first."""
    rows = _open(ente, wanted).subquery()
    kind, document = (rows.c.code, (rows.c.remaining != 0).label("effect")), ("id_documento", "progressivo_registrazione")
    each = (
        sa.select(*kind, sa.func.count().label("questions"), sa.func.max(sa.func.abs(rows.c.remaining)).label("moves"))
        .group_by(*kind, *(rows.c[name] for name in document))
        .subquery()
    )
    summed = sa.select(each.c.code, each.c.effect, sa.func.sum(each.c.questions), sa.func.sum(each.c.moves).label("moves"))
    counted = connection.execute(summed.group_by(each.c.code, each.c.effect)).all()
    place = sa.func.row_number().over(partition_by=kind, order_by=_largest(rows)).label("place")
    placed = sa.select(rows, kind[1], place).subquery()
    shown = connection.execute(sa.select(placed).where(placed.c.place <= FIRST).order_by(placed.c.place)).mappings().all()
    found = [
        QuestionGroup(code, effect, int(many), moves, [row for row in shown if (row["code"], row["effect"]) == (code, effect)])
        for code, effect, many, moves in counted
    ]
    return sorted(found, key=lambda group: (not group.effect, -group.moves, -group.questions, group.code))


def codes(connection: sa.Connection, ente: str) -> list[str]:
    """The kinds of which something is asked of the ente."""
    t = table("questions")
    query = sa.select(t.c.code).where(t.c.ente == ente, t.c.addressee == "ENTE").distinct().order_by(t.c.code)
    return list(connection.execute(query).scalars())


def answered(connection: sa.Connection, ente: str, page: int) -> tuple[Page, dict[int, list[sa.RowMapping]]]:
    """The answers that stand, latest first, in the columns of their table; and the files attached, by answer."""
    query = sa.text(f"""
        select * from ({STANDING_ANSWERS}) as a order by decision desc limit :size offset :skip
    """)
    given = {"ente": ente, "known_at": None, "size": SIZE + 1, "skip": (max(page, 1) - 1) * SIZE}
    rows = connection.execute(query, given).mappings().all()
    f = table("answer_attachments")
    files: dict[int, list[sa.RowMapping]] = {}
    attached = sa.select(f).where(f.c.ente == ente, f.c.decision.in_([row["decision"] for row in rows]))
    for file in connection.execute(attached.order_by(f.c.attachment)).mappings():
        files.setdefault(file["decision"], []).append(file)
    return Page(rows[:SIZE], max(page, 1), len(rows) > SIZE), files


def attachment(connection: sa.Connection, ente: str, wanted: int) -> sa.RowMapping | None:
    """A file attached to an answer; None where there is none."""
    f = table("answer_attachments")
    return connection.execute(sa.select(f).where(f.c.ente == ente, f.c.attachment == wanted)).mappings().one_or_none()
