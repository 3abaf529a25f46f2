"""What if: the figures of a day to come, with payments not made yet and operations not accepted yet.

The same models run with that day as reference date, over the deliveries known and one made up: the payments asked about, as the
accounting system would tell them. It lies in the staging folder while the models run and is never registered. Not here: how
figures are shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from pcc_pipeline.enti.facts import EnteFacts
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs.asof import Past, needed, opened
from pcc_pipeline.runs.inputs import inputs, with_delivery
from pcc_pipeline.store import Store
from pcc_pipeline.tables import DECIDED, FEEDS

TABLES = ("stock", "fgdc_steps", "indicators", "operations", "debt_positions")
ZERO = Decimal("0.00")


class NotForecast(ValueError):
    """A question that cannot be answered; its text says why."""


@dataclass(frozen=True)
class Payment:
    """A payment not made yet: of a document of the accounting system, on a day, in euro."""

    id_documento: str
    paid_on: date
    amount: Decimal


@dataclass(frozen=True)
class Outlook:
    """What a day to come would show in one view; amounts in euro. `amount` is None where no budget is stated."""

    view: str
    stock: Decimal
    delay: Decimal
    rate: Decimal
    amount: Decimal | None
    steps: tuple[str, ...]


@dataclass(frozen=True)
class DuePart:
    """An open invoice in due order, and the stock that is left once it and all older ones are paid."""

    id_documento: str
    numero: str
    creditor: str
    creditor_name: str | None
    due_date: date
    amount: Decimal
    outlay: Decimal
    stock_left: Decimal


@dataclass(frozen=True)
class PaymentPlan:
    """The oldest invoices whose payment brings the stock down to the bound; `enough` says whether there are enough."""

    payments: tuple[DuePart, ...]
    stock: Decimal
    bound: Decimal
    enough: bool

    @property
    def outlay(self) -> Decimal:
        """What the plan costs, in euro."""
        return self.payments[-1].outlay if self.payments else ZERO


def scenario(
    installation: Installation,
    ente: str,
    until: date,
    payments: Sequence[Payment] = (),
    refused: Iterable[str] = (),
    facts: EnteFacts | None = None,
) -> Past:
    """Works out the day `until` with these payments made by then, and these operations not accepted; returns where it lies.

    In the view `projected` all operations but the refused are accepted, those that tell PCC of the payments included.
    `facts` are what the provider's register says of the ente, looked up unless given.
    """
    if late := [p for p in payments if p.paid_on > until]:
        raise NotForecast(f"{late[0].id_documento} is paid on {late[0].paid_on}, after {until}")
    given = inputs(installation, ente, until, until, facts=facts)
    if not given.deliveries.num_rows:
        raise NotForecast(f"Nothing was ever delivered for {ente}")
    refused = sorted(set(refused))
    mark = hashlib.sha256(repr((until, sorted(payments, key=repr), refused)).encode()).hexdigest()[:16]
    now = datetime.now(UTC)
    part = f"forecast-{mark}"
    file = f"staging/{ente}/erp_payments/{part}.parquet"
    standing = _refusing(given.decided["decided_operation_decisions"], ente, refused, now)
    given = replace(given, decided={**given.decided, "decided_operation_decisions": standing})
    folder = f"models/{ente}/forecast/{mark}"
    try:
        if payments:
            _made_up(installation.store, file, ente, part, payments)
            given = with_delivery(given, "erp_payments", part, "previsione")
        installation.calculator.run_inputs(given, needed(TABLES), folder)
        return Past(ente, given.parameters, now, given.deliveries.num_rows, folder)
    finally:
        if payments:
            installation.store.delete(file)


def outlooks(installation: Installation, past: Past) -> dict[str, Outlook]:
    """What the scenario shows, by view."""
    with opened(installation, past, TABLES) as connection:
        rows = connection.execute("select view, name, value, rate, words from fgdc_steps order by view, step").fetchall()
        stocks = dict(connection.execute("select view, amount from stock").fetchall())
    found = {}
    for view, stock in stocks.items():
        steps = {name: (value, rate, words) for v, name, value, rate, words in rows if v == view}
        found[view] = Outlook(
            view,
            stock,
            steps["DELAY_DUTY"][0],
            steps["FGDC_RATE"][0],
            steps["FGDC_AMOUNT"][0],
            tuple(words for _, _, words in steps.values()),
        )
    return found


def plan(installation: Installation, past: Past) -> PaymentPlan:
    """The least outlay that keeps the stock from causing the FGDC duty, oldest due first (par condicio creditorum).

    Right view. The bound is the greater of the two of c. 859; a stock within it needs nothing. Whole invoices are
    paid, so the last may bring the stock below the bound. What is owed for the delay is not undone by payments now.
    """
    with opened(installation, past, TABLES) as connection:
        ((stock, bound),) = connection.execute(
            "select max(value), max(bound) from fgdc_steps where view = 'right' and name in ('STOCK_SHARE', 'STOCK_REDUCTION')"
        ).fetchall()
        # A set-based prefix: each invoice with what it and all older ones cost.
        rows = connection.execute(
            """
            with due as (
                select id_documento, numero, creditor, creditor_name, due_date, stock,
                    sum(stock) over (order by due_date, issue_date, id_documento rows unbounded preceding) as outlay
                from debt_positions
                where view = 'right' and stock > 0 and id_documento is not null
            )
            select id_documento, numero, creditor, creditor_name, due_date, stock, outlay, $stock - outlay
            from due
            where $stock - (outlay - stock) > $bound
            order by outlay, due_date, id_documento
            """,
            {"stock": stock, "bound": bound},
        ).fetchall()
    payments = tuple(DuePart(*row) for row in rows)
    left = payments[-1].stock_left if payments else stock
    return PaymentPlan(payments, stock, bound, left <= bound)


def _made_up(store: Store, file: str, ente: str, part: str, payments: Sequence[Payment]) -> None:
    schema = pa.schema([field.with_nullable(True) for field in FEEDS["erp_payments"].arrow_schema])
    rows = [
        {
            "ente": ente,
            "delivery": part,
            "line": line,
            "id_documento": payment.id_documento,
            "numero_mandato": f"PREVISIONE-{line}",
            "data_mandato": payment.paid_on,
            "data_trasmissione": payment.paid_on,
            "data_pagamento": payment.paid_on,
            "importo": payment.amount,
            "storno": False,
        }
        for line, payment in enumerate(payments, 1)
    ]
    with store.write(file) as target, store.fs.open(target, "wb") as out:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), out)


def _refusing(standing: pa.Table, ente: str, refused: Sequence[str], now: datetime) -> pa.Table:
    """The standing words on operations, with these refused whatever was said of them."""
    if not refused:
        return standing
    schema = DECIDED["decided_operation_decisions"].arrow_schema
    kept = [row for row in standing.to_pylist() if row["operation_id"] not in set(refused)]
    said = [
        {
            "ente": ente,
            "operation_id": operation,
            "state": "refused",
            "approvals": 0,
            "approvals_needed": 1,
            "decided_by": "previsione",
            "decided_at": now,
        }
        for operation in refused
    ]
    full = [{name: row.get(name) for name in schema.names} for row in [*kept, *said]]
    return pa.Table.from_pylist(full, schema=schema)
