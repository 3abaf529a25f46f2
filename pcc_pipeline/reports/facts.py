"""What a report says of an ente, read from the published tables in one transaction. Not here: how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline import italian
from pcc_pipeline.database.publish import current
from pcc_pipeline.database.schema import table
from pcc_pipeline.database.summary import Explanation, summary
from pcc_pipeline.rules import buckets

ZERO = Decimal("0.00")
VIEWS = tuple(italian.VIEWS)

_INDICATOR = ("name", "period", "view", "value", "unit", "parts", "by_receipt", "note")

#: Creditors and documents shown of a figure.
SHOWN = 10


class NothingPublished(ValueError):
    """The ente has no published state to report on."""


@dataclass(frozen=True)
class Facts:
    """An ente's published figures; amounts in euro, `by_view` maps are keyed by view."""

    ente: str
    name: str
    reference_date: date
    observed_at: date
    published_at: datetime
    stock: dict[str, Decimal]
    ageing: dict[str, dict[str, Decimal]]
    trend: dict[str, list[tuple[date, Decimal]]]
    explained: tuple[Explanation, ...]
    creditors: list[Any]
    indicators: list[Any]
    fgdc: dict[str, list[Any]]
    greatest: list[Any]
    suspended: list[Any]
    operations: int
    questions: int

    @property
    def difference(self) -> Decimal:
        """PCC's stock less the right one."""
        return self.stock["pcc"] - self.stock["right"]

    def value(self, name: str, period: str, view: str = "right") -> Decimal | None:
        """An indicator's value; None where there is none."""
        for row in self.indicators:
            if (row.name, row.period, row.view) == (name, period, view):
                return Decimal(row.value)
        return None

    def by_receipt(self, name: str, period: str) -> Decimal | None:
        """For how much of a figure of the right view the day of the quietanza counts; None where for nothing."""
        for row in self.indicators:
            if (row.name, row.period, row.view) == (name, period, "right"):
                return None if row.by_receipt is None else Decimal(row.by_receipt)
        return None

    @property
    def year(self) -> str:
        """The year of the reference date, as indicators name it."""
        return str(self.reference_date.year)


def facts(engine: sa.Engine, ente: str, name: str | None = None) -> Facts:
    """The facts of an ente's published state. `name` is how the ente is called, its code unless told.

    Raises NothingPublished.
    """
    published, short = current(engine, ente), summary(engine, ente)
    if published is None or short is None:
        raise NothingPublished(f"Nothing has been published for ente {ente}")
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        rows = _Rows(connection, ente)
        return Facts(
            ente=ente,
            name=name or ente,
            reference_date=published.reference_date,
            observed_at=published.observed_at,
            published_at=published.published_at,
            stock=dict.fromkeys(VIEWS, ZERO) | dict(rows("stock", "view", "amount")),
            ageing=_ageing(rows),
            trend=_trend(rows, published.reference_date),
            explained=short.explained_by,
            creditors=_creditors(rows),
            indicators=rows("indicators", *_INDICATOR, order=lambda t: [t.c.name, t.c.period, t.c.view]),
            fgdc=_fgdc(rows),
            greatest=_greatest(rows, published.reference_date.year),
            suspended=_suspended(rows),
            operations=rows.count("operations"),
            questions=rows.count("questions"),
        )


@dataclass(frozen=True)
class _Rows:
    """An ente's rows of the published tables, in one transaction."""

    connection: sa.Connection
    ente: str

    def __call__(self, name: str, *columns: str, where: Any = None, order: Any = (), limit: int | None = None) -> list[Any]:
        t = table(name)
        query = sa.select(*(t.c[c] for c in columns)).where(t.c.ente == self.ente)
        query = query if where is None else query.where(where(t))
        return list(self.connection.execute(query.order_by(*(order(t) if order else ())).limit(limit)))

    def count(self, name: str) -> int:
        t = table(name)
        return int(self.connection.execute(sa.select(sa.func.count()).where(t.c.ente == self.ente)).scalar_one())


def _ageing(rows: _Rows) -> dict[str, dict[str, Decimal]]:
    found: dict[str, dict[str, Decimal]] = {view: dict.fromkeys(buckets(), ZERO) for view in VIEWS}
    for view, bucket, amount in rows("stock_by_due_date", "view", "bucket", "amount"):
        found[view][bucket] = amount
    return found


def _trend(rows: _Rows, last: date) -> dict[str, list[tuple[date, Decimal]]]:
    """The stock at the ends of the last two years' months, and on the last day."""
    found: dict[str, list[tuple[date, Decimal]]] = {view: [] for view in VIEWS}
    for view, day, amount in rows(
        "stock_trend",
        *("view", "day", "amount"),
        where=lambda t: sa.or_(t.c.month_end, t.c.day == last),
        order=lambda t: [t.c.day],
    ):
        found[view].append((day, amount))
    return {view: points[-25:] for view, points in found.items()}


def _fgdc(rows: _Rows) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {view: [] for view in VIEWS}
    columns = ("view", "step", "name", "value", "rate", "passed", "words")
    for row in rows("fgdc_steps", *columns, order=lambda t: [t.c.step]):
        found[row.view].append(row)
    return found


def _suspended(rows: _Rows) -> list[Any]:
    """What is suspended by kind, in both accounts: kind, documents, amounts of the ledger and of PCC."""
    t = table("suspension_kinds")
    amounts = (sa.func.sum(t.c[name]).label(name) for name in ("erp_amount", "pcc_amount"))
    query = sa.select(t.c.kind, sa.func.count().label("documents"), *amounts).where(t.c.ente == rows.ente).group_by(t.c.kind)
    found = {row.kind: row for row in rows.connection.execute(query)}
    return [found[kind] for kind in italian.SUSPENSIONS if kind in found]


def _creditors(rows: _Rows) -> list[Any]:
    return rows(
        "stock_by_creditor",
        *("creditor", "creditor_name", "amount", "documents"),
        where=lambda t: t.c.view == "right",
        order=lambda t: [t.c.amount.desc(), t.c.creditor],
        limit=SHOWN,
    )


def _greatest(rows: _Rows, year: int) -> list[Any]:
    """The documents that weigh most in the year's indicators."""
    return rows(
        "indicator_documents",
        *("name", "period", "rank", "numero", "creditor", "creditor_name", "amount", "days", "contribution"),
        where=lambda t: sa.and_(t.c.view == "right", t.c.rank <= SHOWN, t.c.period == str(year)),
        order=lambda t: [t.c.name, t.c.rank],
    )
