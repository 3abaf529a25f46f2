"""What is expected of an ente now, by when, and what it is worth: the next steps that its first page asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from pcc_pipeline.database.publish import Published
from pcc_pipeline.database.schema import table
from pcc_pipeline.enti.duties import DutyDate, deadlines_in
from pcc_pipeline.review.asked import asked
from pcc_pipeline.review.standing import TO_DECIDE
from pcc_pipeline.tables.register import REFUSED
from portal.queries.operations import counts

ZERO = Decimal("0.00")
#: Duties shown as a step: so long ahead, and so long after they passed unmet.
AHEAD, PASSED = timedelta(days=45), timedelta(days=31)
#: How far ahead the day is looked for by which the stock must be right.
STOCK_AHEAD = timedelta(days=120)


@dataclass(frozen=True)
class NextStep:
    """Something that the ente is to do: what (FIRST, AGAIN, DUTY, ANSWER, APPROVE), how many, what it moves in the stock in
    euro, by when, where. `words` are of a duty, or a file's name; `late`: the day has passed."""

    what: str
    address: str
    many: int = 1
    moves: Decimal | None = None
    due_on: date | None = None
    words: str = ""
    late: bool = False


def steps(connection: sa.Connection, ente: str, published: Published | None, today: date) -> list[NextStep]:
    """The ente's next steps, in the order in which they are to be done; none where nothing is expected."""
    if published is None and not _delivered(connection, ente):
        return [NextStep("FIRST", "/consegne")]
    duties = deadlines_in(connection, today - PASSED, today + STOCK_AHEAD, ente)
    stock_by = min((duty.due_on for duty in duties if duty.duty.startswith("STOCK") and duty.due_on >= today), default=None)
    found = [NextStep("AGAIN", f"/consegne/{row.delivery}", words=row.file) for row in _to_deliver_again(connection, ente)]
    found += [
        NextStep("DUTY", "/consegne", due_on=duty.due_on, words=duty.words, late=duty.due_on < today)
        for duty in duties
        if duty.met_by is not None and duty.met_by.startswith("delivery:") and _open(duty, today)
    ]
    if (question := asked(connection, ente)).questions:
        found.append(NextStep("ANSWER", "/domande", question.questions, question.moves, stock_by))
    waiting = [count for count in counts(connection, ente) if count.shown in TO_DECIDE]
    if waiting:
        many, moves = sum(count.operations for count in waiting), sum((count.stock_effect for count in waiting), ZERO)
        address = f"/operazioni?stato={waiting[0].shown}" if len(waiting) == 1 else "/operazioni"
        found.append(NextStep("APPROVE", address, many, abs(moves), stock_by))
    return found


def _open(duty: DutyDate, today: date) -> bool:
    return duty.met_on is None and duty.owed and duty.due_on <= today + AHEAD


def _delivered(connection: sa.Connection, ente: str) -> bool:
    d = table("deliveries")
    return bool(connection.execute(sa.select(sa.exists().where(d.c.ente == ente))).scalar_one())


def _to_deliver_again(connection: sa.Connection, ente: str) -> Sequence[sa.Row[Any, Any]]:
    """The latest delivery of each kind, where it was refused or had rows refused: latest first."""
    d = table("deliveries")
    latest = (
        sa.select(d.c.delivery, d.c.file, d.c.status, d.c.refused, d.c.sequence)
        .ext(distinct_on(d.c.kind))
        .where(d.c.ente == ente)
        .order_by(d.c.kind, d.c.sequence.desc())
        .subquery()
    )
    wrong = sa.or_(latest.c.status == REFUSED, latest.c.refused > 0)
    query = sa.select(latest.c.delivery, latest.c.file).where(wrong).order_by(latest.c.sequence.desc())
    return connection.execute(query).all()
