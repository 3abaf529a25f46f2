"""What is expected of the ente: the questions that only it can answer, by kind; and what it answered so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.review.asked import STANDING_ANSWERS, UNANSWERED, parameters
from pcc_pipeline.rules import anomaly_codes
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
    effect = (rows.c.remaining != 0).label("effect")
    # Of a kind each document is asked once.
    moves = sa.func.sum(sa.func.abs(rows.c.remaining)).label("moves")
    counted = sa.select(rows.c.code, effect, sa.func.count().label("questions"), moves)
    kinds = counted.group_by(rows.c.code, effect).cte("kinds")
    first = (
        sa.select(rows)
        .where(rows.c.code == kinds.c.code, (rows.c.remaining != 0) == kinds.c.effect)
        .order_by(*_largest(rows))
        .limit(FIRST)
        .lateral("first")
    )
    query = sa.select(kinds.c.effect, kinds.c.questions, kinds.c.moves, first).join_from(kinds, first, sa.true())
    found: dict[tuple[str, bool], list[sa.RowMapping]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault((row["code"], row["effect"]), []).append(row)
    each = [
        QuestionGroup(code, effect, shown[0]["questions"], shown[0]["moves"], shown) for (code, effect), shown in found.items()
    ]
    return sorted(each, key=lambda group: (not group.effect, -group.moves, -group.questions, group.code))


def codes(connection: sa.Connection, ente: str) -> list[str]:
    """The kinds of which something is asked of the ente."""
    t = table("questions")
    every = sa.select(sa.func.unnest(sa.cast(anomaly_codes(), sa.ARRAY(sa.Text))).label("code")).subquery()
    asked = sa.exists().where(t.c.ente == ente, t.c.addressee == "ENTE", t.c.code == every.c.code)
    return list(connection.execute(sa.select(every.c.code).where(asked).order_by(every.c.code)).scalars())


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
