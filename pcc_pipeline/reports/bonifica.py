"""The bonifica of an ente on one page: what PCC shows, what the operations settle of it, what waits for answers.

Read from the published tables in one transaction, summed by the database; only what a page shows is held here. The
lists, which may be long, come as cursors (`work`, `questions`). Not here: how it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.publish import Published, current
from pcc_pipeline.database.schema import table
from pcc_pipeline.reports.facts import VIEWS, ZERO, NothingPublished
from pcc_pipeline.rules import anomaly_codes, buckets, rule_rows

#: Documents of the work list, and questions of a code, that a page shows; the workbook has all.
SHOWN, SHOWN_OF_A_CODE = 50, 20
BATCH = 5_000

#: Each document with anomalies once: under its first code in the catalogue's order, with what depends on an answer.
#: Keys are compared as texts, since a join on nulls that count as equal cannot be hashed.
_DOCUMENTS = """
    with first as (
        select distinct on (id_documento, progressivo_registrazione)
            code, id_documento, progressivo_registrazione, numero, original_creditor, severity, amount,
            coalesce(id_documento, '') as erp_key, coalesce(progressivo_registrazione, '') as pcc_key
        from pcc.anomalies where ente = :ente
        order by id_documento, progressivo_registrazione, array_position(cast(:codes as text[]), code)
    ),
    proposed as (
        select coalesce(id_documento, '') as erp_key, coalesce(progressivo_registrazione, '') as pcc_key, count(*) as operations
        from pcc.operations where ente = :ente group by 1, 2
    ),
    asked as (
        select coalesce(id_documento, '') as erp_key, coalesce(progressivo_registrazione, '') as pcc_key,
            min(remaining) as remaining, min(addressee) as addressee
        from pcc.questions where ente = :ente group by 1, 2
    ),
    documents as (
        select first.*, coalesce(operations, 0) as operations, coalesce(remaining, 0) as remaining,
            coalesce(addressee, 'OPERAZIONI') as kind
        from first left join proposed using (erp_key, pcc_key) left join asked using (erp_key, pcc_key)
    )
"""  # fmt: skip

_STEPS = f"""{_DOCUMENTS}
    select code, count(*), sum(amount), sum(remaining) from documents group by code order by abs(sum(amount)) desc, code
"""

#: By priority: amount at stake times how easy it is to settle (rule_work_ease).
_WORK = f"""{_DOCUMENTS}
    select code, id_documento, progressivo_registrazione, numero, original_creditor, severity, amount, operations,
        remaining, kind,
        cast(round(abs(amount) * cast(cast(:ease as jsonb) ->> kind as numeric), 2) as numeric(18, 2)) as priority
    from documents order by priority desc, code, erp_key, pcc_key
"""


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
class Asked:
    """The questions of one code to one addressee: how many, and those of the largest amounts."""

    addressee: str
    code: str
    count: int
    shown: Sequence[sa.RowMapping]


@dataclass(frozen=True)
class Bonifica:
    """An ente's state before and after; amounts in euro. `work` is the most urgent of the documents."""

    published: Published
    stocks: Mapping[str, Decimal]
    by_bucket: Sequence[tuple[str, Decimal, Decimal, Decimal]]
    steps: Sequence[Step]
    work: Sequence[sa.RowMapping]
    asked: Sequence[Asked]
    operations: Sequence[tuple[str, str, int]]

    @property
    def remaining(self) -> Decimal:
        """What the questions wait for: projected less right."""
        return self.stocks["projected"] - self.stocks["right"]

    @property
    def documents(self) -> int:
        """Documents to work on."""
        return sum(step.documents for step in self.steps)

    @property
    def questions(self) -> int:
        """Questions open."""
        return sum(group.count for group in self.asked)


def bonifica(connection: sa.Connection, ente: str) -> Bonifica:
    """The bonifica of an ente's published state, read in the connection's transaction. Raises NothingPublished."""
    published = current(connection.engine, ente)
    if published is None:
        raise NothingPublished(f"Nothing has been published for ente {ente}")
    return Bonifica(
        published,
        _stocks(connection, ente),
        _buckets(connection, ente),
        [Step(*row) for row in connection.execute(sa.text(_STEPS), _given(ente))],
        connection.execute(sa.text(f"{_WORK} limit {SHOWN}"), _given(ente)).mappings().all(),
        _asked(connection, ente),
        _operations(connection, ente),
    )


def work(connection: sa.Connection, ente: str) -> Iterator[sa.RowMapping]:
    """Every document with anomalies by priority, a batch at a time; columns of the work list."""
    options = {"stream_results": True, "yield_per": BATCH}
    yield from connection.execute(sa.text(_WORK), _given(ente), execution_options=options).mappings()


def questions(connection: sa.Connection, ente: str) -> Iterator[sa.RowMapping]:
    """Every question by addressee, code and amount, a batch at a time, in the columns of `questions`."""
    q = table("questions")
    order = (q.c.addressee, q.c.code, sa.func.abs(q.c.amount).desc(), q.c.id_documento, q.c.progressivo_registrazione)
    query = sa.select(q).where(q.c.ente == ente).order_by(*order)
    yield from connection.execute(query, execution_options={"stream_results": True, "yield_per": BATCH}).mappings()


def _given(ente: str) -> dict[str, Any]:
    ease = ", ".join(f'"{row["kind"]}": {row["ease"]}' for row in rule_rows("work_ease"))
    return {"ente": ente, "codes": list(anomaly_codes()), "ease": f"{{{ease}}}"}


def _stocks(connection: sa.Connection, ente: str) -> dict[str, Decimal]:
    stock = table("stock")
    found = connection.execute(sa.select(stock.c.view, stock.c.amount).where(stock.c.ente == ente))
    return dict.fromkeys(VIEWS, ZERO) | {row.view: row.amount for row in found}


def _buckets(connection: sa.Connection, ente: str) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    stock = table("stock_by_due_date")
    rows = connection.execute(sa.select(stock.c.bucket, stock.c.view, stock.c.amount).where(stock.c.ente == ente))
    amounts = {(bucket, view): amount for bucket, view, amount in rows}
    return [(bucket, *(amounts.get((bucket, view), ZERO) for view in ("pcc", "projected", "right"))) for bucket in buckets()]


def _asked(connection: sa.Connection, ente: str) -> list[Asked]:
    q = table("questions")
    group = (q.c.addressee, q.c.code)
    place = sa.func.row_number().over(
        partition_by=group, order_by=(sa.func.abs(q.c.amount).desc(), q.c.id_documento, q.c.progressivo_registrazione)
    )
    count = sa.func.count().over(partition_by=group)
    ranked = (
        sa.select(*group, q.c.question, q.c.remaining, place.label("place"), count.label("count"))
        .where(q.c.ente == ente)
        .subquery()
    )
    wanted = sa.select(ranked).where(ranked.c.place <= SHOWN_OF_A_CODE)
    found: dict[tuple[str, str], list[sa.RowMapping]] = {}
    for row in connection.execute(wanted.order_by(ranked.c.addressee, ranked.c.code, ranked.c.place)).mappings():
        found.setdefault((row["addressee"], row["code"]), []).append(row)
    return [Asked(addressee, code, rows[0]["count"], rows) for (addressee, code), rows in found.items()]


def _operations(connection: sa.Connection, ente: str) -> list[tuple[str, str, int]]:
    operations = table("operations")
    kinds = (operations.c.azione, sa.func.coalesce(operations.c.stato_debito, operations.c.model))
    counted = sa.select(*kinds, sa.func.count()).where(operations.c.ente == ente).group_by(*kinds).order_by(*kinds)
    return [(azione, kind, count) for azione, kind, count in connection.execute(counted)]
