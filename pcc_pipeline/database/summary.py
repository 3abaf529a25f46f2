"""A published ente in short: its stocks, and the difference cent by cent. The command line, reports and the desk read it here.

Reads published tables only; nothing is computed here that a model does not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from pcc_pipeline.database.publish import Published, current
from pcc_pipeline.database.schema import table

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Explanation:
    """Part of the difference: a code, how many documents bear it first, their amount in euro."""

    code: str
    documents: int
    amount: Decimal


@dataclass(frozen=True)
class Summary:
    """An ente's published state in short; amounts in euro."""

    published: Published
    pcc: Decimal
    right: Decimal
    explained_by: tuple[Explanation, ...]
    quarantined: int

    @property
    def difference(self) -> Decimal:
        """PCC's stock less the right stock."""
        return self.pcc - self.right

    @property
    def explained(self) -> Decimal:
        """What the anomalies explain of it, each document once."""
        return sum((part.amount for part in self.explained_by), ZERO)


def explanations(connection: sa.Connection, ente: str) -> tuple[Explanation, ...]:
    """What PCC's stock less the right one is made of, the biggest part first.

    A document that bears several codes is counted once, under the first in the catalogue's order.
    """
    parts = table("difference_by_code")
    query = sa.select(parts.c.code, parts.c.documents, parts.c.amount).where(parts.c.ente == ente)
    rows = connection.execute(query.order_by(sa.func.abs(parts.c.amount).desc(), parts.c.code))
    return tuple(Explanation(*row) for row in rows)


def summary(engine: sa.Engine, ente: str) -> Summary | None:
    """The summary of an ente's published state; None before its first publication."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        published = current(engine, ente)
        if published is None:
            return None
        stock, quarantine = table("stock"), table("quarantine")
        rows = connection.execute(sa.select(stock.c.view, stock.c.amount).where(stock.c.ente == ente))
        stocks = {row.view: row.amount for row in rows}
        explained = explanations(connection, ente)
        defects = connection.execute(sa.select(sa.func.count()).where(quarantine.c.ente == ente)).scalar_one()
    return Summary(published, stocks.get("pcc", ZERO), stocks.get("right", ZERO), explained, defects)
