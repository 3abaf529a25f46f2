"""What the command line prints of a published ente: its stocks, and the difference cent by cent.

Reads published tables only; nothing is computed here that a model does not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from pcc_pipeline.database.publish import Published, current
from pcc_pipeline.database.schema import table
from pcc_pipeline.rules import anomaly_codes

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


def summary(engine: sa.Engine, ente: str) -> Summary | None:
    """The summary of an ente's published state; None before its first publication.

    A document that bears several codes is counted once, under the first in the catalogue's order.
    """
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        published = current(engine, ente)
        if published is None:
            return None
        stock, anomalies, quarantine = table("stock"), table("anomalies"), table("quarantine")
        stocks = dict(
            connection.execute(sa.select(stock.c.view, stock.c.amount).where(stock.c.ente == ente))
            .tuples()
            .all()
        )
        place = sa.func.array_position(sa.literal(list(anomaly_codes()), sa.ARRAY(sa.Text)), anomalies.c.code)
        first = (
            sa.select(anomalies.c.code, anomalies.c.amount)
            .where(anomalies.c.ente == ente)
            .distinct(anomalies.c.id_documento, anomalies.c.progressivo_registrazione)
            .order_by(anomalies.c.id_documento, anomalies.c.progressivo_registrazione, place)
            .subquery()
        )
        parts = connection.execute(
            sa.select(first.c.code, sa.func.count(), sa.func.sum(first.c.amount))
            .group_by(first.c.code)
            .order_by(sa.func.abs(sa.func.sum(first.c.amount)).desc(), first.c.code)
        )
        explained = tuple(Explanation(code, documents, amount) for code, documents, amount in parts)
        defects = connection.execute(sa.select(sa.func.count()).where(quarantine.c.ente == ente)).scalar_one()
    return Summary(published, stocks.get("pcc", ZERO), stocks.get("right", ZERO), explained, defects)
