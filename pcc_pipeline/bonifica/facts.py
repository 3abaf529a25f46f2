"""What the report says of an ente, read in one transaction from the published tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.publish import Published, current
from pcc_pipeline.database.schema import table
from pcc_pipeline.rules import anomaly_codes, buckets, rule_rows

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Step:
    """Part of the difference between PCC's stock and the right one: a code, its documents, euro.

    `amount` is what it adds to PCC's stock, `settled` what operations settle of it, `remaining` what waits for answers.
    """

    code: str
    documents: int
    amount: Decimal
    remaining: Decimal

    @property
    def settled(self) -> Decimal:
        """What the operations settle of it."""
        return self.amount - self.remaining


@dataclass(frozen=True)
class Report:
    """An ente's state before and after; amounts in euro. Work and questions come with the most urgent first."""

    published: Published
    stocks: Mapping[str, Decimal]
    by_bucket: Sequence[tuple[str, Decimal, Decimal, Decimal]]
    steps: Sequence[Step]
    work: Sequence[Mapping[str, Any]]
    questions: Sequence[Mapping[str, Any]]
    operations: Sequence[tuple[str, str, int]]

    @property
    def remaining(self) -> Decimal:
        """What the questions wait for: projected less right."""
        return self.stocks["projected"] - self.stocks["right"]


def report_of(engine: sa.Engine, ente: str) -> Report | None:
    """The report of an ente's published state; None before its first publication."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        published = current(engine, ente)
        if published is None:
            return None
        documents = _documents(connection, ente)
        questions = _questions(connection, ente)
        return Report(
            published,
            _stocks(connection, ente),
            _buckets(connection, ente),
            _steps(documents),
            _work(documents),
            questions,
            _operations(connection, ente),
        )


def _stocks(connection: sa.Connection, ente: str) -> dict[str, Decimal]:
    stock = table("stock")
    found = connection.execute(sa.select(stock.c.view, stock.c.amount).where(stock.c.ente == ente))
    return dict.fromkeys(("pcc", "projected", "right"), ZERO) | dict(found.all())


def _buckets(connection: sa.Connection, ente: str) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    stock = table("stock_by_due_date")
    rows = connection.execute(sa.select(stock.c.bucket, stock.c.view, stock.c.amount).where(stock.c.ente == ente))
    amounts = {(bucket, view): amount for bucket, view, amount in rows}
    views = ("pcc", "projected", "right")
    return [(bucket, *(amounts.get((bucket, view), ZERO) for view in views)) for bucket in buckets()]


def _documents(connection: sa.Connection, ente: str) -> list[dict[str, Any]]:
    """Each document with anomalies once: its first code in the catalogue's order, its amount, operations and what remains."""
    anomalies, operations, questions = table("anomalies"), table("operations"), table("questions")
    place = sa.func.array_position(sa.literal(list(anomaly_codes()), sa.ARRAY(sa.Text)), anomalies.c.code)
    key = ("id_documento", "progressivo_registrazione")
    first = (
        sa.select(anomalies)
        .where(anomalies.c.ente == ente)
        .distinct(*(anomalies.c[name] for name in key))
        .order_by(*(anomalies.c[name] for name in key), place)
        .subquery()
    )
    proposed = sa.select(*(operations.c[name] for name in key), sa.func.count().label("operations")).where(
        operations.c.ente == ente
    ).group_by(*(operations.c[name] for name in key)).subquery()
    asked = sa.select(
        *(questions.c[name] for name in key), sa.func.min(questions.c.remaining).label("remaining"),
        sa.func.min(questions.c.addressee).label("addressee"),
    ).where(questions.c.ente == ente).group_by(*(questions.c[name] for name in key)).subquery()

    def same(other: Any) -> sa.ColumnElement[bool]:
        return sa.and_(*(first.c[name].is_not_distinct_from(other.c[name]) for name in key))

    rows = connection.execute(
        sa.select(
            *(first.c[name] for name in ("code", *key, "numero", "original_creditor", "severity", "amount")),
            sa.func.coalesce(proposed.c.operations, 0).label("operations"),
            sa.func.coalesce(asked.c.remaining, 0).label("remaining"),
            asked.c.addressee,
        )
        .select_from(first)
        .outerjoin(proposed, same(proposed))
        .outerjoin(asked, same(asked))
    ).mappings()
    return [dict(row) for row in rows]


def _steps(documents: Sequence[Mapping[str, Any]]) -> list[Step]:
    steps = []
    for code in anomaly_codes():
        mine = [row for row in documents if row["code"] == code]
        if mine:
            amounts = (sum((row[name] for row in mine), ZERO) for name in ("amount", "remaining"))
            steps.append(Step(code, len(mine), *amounts))
    return sorted(steps, key=lambda step: (-abs(step.amount), step.code))


def _work(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By priority: amount at stake times how easy it is to settle (rule_work_ease)."""
    ease = {row["kind"]: Decimal(row["ease"]) for row in rule_rows("work_ease")}
    work = []
    for row in documents:
        kind = row["addressee"] or "OPERAZIONI"
        work.append({**row, "kind": kind, "priority": (abs(row["amount"]) * ease[kind]).quantize(ZERO)})
    keys = ("code", "id_documento", "progressivo_registrazione")
    return sorted(work, key=lambda row: (-row["priority"], *(row[name] or "" for name in keys)))


def _questions(connection: sa.Connection, ente: str) -> list[dict[str, Any]]:
    """Grouped by who answers, then by code; the largest amounts first."""
    questions = table("questions")
    rows = connection.execute(
        sa.select(questions)
        .where(questions.c.ente == ente)
        .order_by(
            questions.c.addressee, questions.c.code, sa.func.abs(questions.c.amount).desc(), questions.c.id_documento,
            questions.c.progressivo_registrazione,
        )
    ).mappings()
    return [dict(row) for row in rows]


def _operations(connection: sa.Connection, ente: str) -> list[tuple[str, str, int]]:
    operations = table("operations")
    kinds = (operations.c.azione, sa.func.coalesce(operations.c.stato_debito, operations.c.model))
    counted = sa.select(*kinds, sa.func.count()).where(operations.c.ente == ente).group_by(*kinds).order_by(*kinds)
    return [(azione, kind, count) for azione, kind, count in connection.execute(counted)]
