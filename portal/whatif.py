"""What if, at the desk: a day to come, and the least outlay that keeps the stock from asking for the FGDC.

The models run here (`pcc_pipeline.runs.forecast`), one question at a time in a process and for an ente: whoever comes
meanwhile is told to come back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from threading import Lock

import sqlalchemy as sa

from pcc_pipeline.enti.facts import EnteFacts
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs.forecast import DuePart, NotForecast, Outlook, Payment, PaymentPlan, outlooks, plan, scenario

#: How far back and ahead of today a day may be asked for, and how many invoices a page shows.
BACK, AHEAD, SHOWN = timedelta(days=366), timedelta(days=731), 100
#: Columns of the invoices to pay, as a file has them.
PAID_COLUMNS = ("id_documento", "numero", "creditor", "creditor_name", "due_date", "amount", "outlay", "stock_left")

_one_at_a_time = Lock()


class NotNow(ValueError):
    """Another question is being worked out."""


@dataclass(frozen=True)
class Supposed:
    """The question: which day, when the invoices are paid, for how much at most (None: as much as is needed)."""

    until: date
    paid_on: date
    most: Decimal | None = None

    def check(self, today: date) -> None:
        """Raises NotForecast, in Italian, for days that cannot be asked about."""
        if not today - BACK <= self.until <= today + AHEAD:
            raise NotForecast("Il giorno è troppo lontano")
        if self.paid_on > self.until:
            raise NotForecast("I pagamenti vanno fatti entro il giorno chiesto")
        if self.most is not None and self.most < 0:
            raise NotForecast("L'importo massimo è negativo")


@dataclass(frozen=True)
class WhatIf:
    """The answer in the right view: with nothing more paid, the plan of least outlay, the invoices of it that are paid, and
    what follows (None where nothing is paid)."""

    base: Outlook
    plan: PaymentPlan
    paid: tuple[DuePart, ...]
    then: Outlook | None

    @property
    def outlay(self) -> Decimal:
        """What is paid, in euro."""
        return self.paid[-1].outlay if self.paid else Decimal("0.00")

    @property
    def enough(self) -> bool:
        """Whether the stock is within the bound then."""
        left = self.paid[-1].stock_left if self.paid else self.plan.stock
        return left <= self.plan.bound


def what_if(installation: Installation, ente: str, facts: EnteFacts, asked: Supposed) -> WhatIf:
    """Works out the question. Raises NotForecast, NotNow."""
    if not installation.register.deliveries(ente).num_rows:
        raise NotForecast("Non è ancora stato consegnato nulla")
    with _alone(installation, ente):
        base = scenario(installation, ente, asked.until, facts=facts)
        try:
            before, least = outlooks(installation, base)["right"], plan(installation, base)
        finally:
            installation.store.delete(base.folder)
        paid = tuple(due for due in least.payments if asked.most is None or due.outlay <= asked.most)
        if not paid:
            return WhatIf(before, least, (), None)
        payments = [Payment(due.id_documento, asked.paid_on, due.amount) for due in paid]
        then = scenario(installation, ente, asked.until, payments, facts=facts)
        try:
            return WhatIf(before, least, paid, outlooks(installation, then)["right"])
        finally:
            installation.store.delete(then.folder)


@contextmanager
def _alone(installation: Installation, ente: str) -> Iterator[None]:
    """Holds the one place of this process, and the ente's of all processes. Raises NotNow."""
    if not _one_at_a_time.acquire(blocking=False):
        raise NotNow("È in corso un'altra previsione: riprovare tra un momento")
    try:
        with installation.engine.begin() as connection:
            taken = sa.text("select pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
            if not connection.execute(taken, {"name": f"pcc forecast {ente}"}).scalar_one():
                raise NotNow("È in corso un'altra previsione: riprovare tra un momento")
            yield
    finally:
        _one_at_a_time.release()
