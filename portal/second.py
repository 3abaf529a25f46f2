"""Two persons are two persons: who made an account, or gave it its password, is for a day the same person as its user.

A manager makes accounts alone; without this an amount above the limit could be approved twice by one person under two
addresses. The limit itself, and who approved what, is `pcc_pipeline.review.operations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.review.operations import Judge, Selection, reviewed
from pcc_pipeline.review.pairs import DecisionError, person
from portal.accounts import User

#: How long an account counts as its maker's.
APART = timedelta(hours=24)
WORDS = (
    "Alcune operazioni sono già approvate da chi, nelle ultime 24 ore, ha creato questo accesso o gli ha dato la password "
    "(o viceversa): la seconda approvazione spetta a un'altra persona"
)


def two_persons(accounts: sa.Engine, ente: str, user: User, now: datetime) -> Judge:
    """The judge of an approval by `user`: raises DecisionError where it would be the second of one person.

    It looks at what stands once the approval is written, under the ente's lock: two approvals at one moment are seen too.
    """
    me, made = person(user.email), _given(accounts, now - 30 * APART)

    def judge(connection: sa.Connection, written: Sequence[str]) -> None:
        if not made:
            return
        approvers = {name for row in reviewed(connection, ente, Selection(tuple(written))) for name in row["approvers"]}
        d = table("operation_decisions")
        first = sa.select(d.c.decided_by, sa.func.min(d.c.decided_at)).where(
            d.c.ente == ente, d.c.verdict == "approve", d.c.decided_by.in_(approvers - {me}), d.c.operation_id.in_(written)
        )
        if any(_same(me, other, at, made, now) for other, at in connection.execute(first.group_by(d.c.decided_by))):
            raise DecisionError(WORDS)

    return judge


def _given(accounts: sa.Engine, since: datetime) -> dict[str, tuple[str, datetime]]:
    """Who gave a password to whom of late: account to giver and moment, by the names that decisions know."""
    users = table("users")
    giver = users.alias("giver")
    query = sa.select(users.c.email, giver.c.email, users.c.keyed_at).join(giver, giver.c.user_id == users.c.keyed_by)
    with accounts.connect() as connection:
        return {person(row[0]): (person(row[1]), row[2]) for row in connection.execute(query.where(users.c.keyed_at > since))}


def _same(me: str, other: str, approved: datetime, made: Mapping[str, tuple[str, datetime]], now: datetime) -> bool:
    """Whether two accounts are, through whoever gave their passwords, in one hand: a day ago or later, or a day before the
    first approval or later."""
    since = min(now, approved) - APART

    def hand(name: str) -> str:
        seen: set[str] = set()
        while name in made and made[name][1] > (since if name == other else now - APART) and name not in seen:
            seen.add(name)
            name = made[name][0]
        return name

    return hand(me) == hand(other)
