"""What is asked of the ente and not answered yet: how much, and what the answers can move in the stock.

Who answered, and what an answer does, is in `answers`. The queries read published tables and the answers that stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.rules import rule_rows

#: The answers that stand: of one question the latest counts, unless it was taken back.
STANDING_ANSWERS = """
select * from (
    select distinct on (code, id_documento, progressivo_registrazione) * from pcc.answers
    where ente = :ente and (cast(:known_at as timestamptz) is null or decided_at <= :known_at)
    order by code, id_documento, progressivo_registrazione, decision desc
) as latest
where not coalesce(withdrawn, false)
"""

#: A question's keys as three texts, none null: so that answers are found by a hash of them.
KEY = "({0}.code, coalesce({0}.id_documento, ''), coalesce({0}.progressivo_registrazione, ''))"

#: The answers that settle something, with `asked` questions `q`. An answer about what one delivery lacked says nothing of a
#: later one: once it was calculated with, the question is another.
ANSWERED = f"""
    select a.* from ({STANDING_ANSWERS}) as a
    where a.answer <> all(cast(:of_one_delivery as text[]))
        or a.decided_at > (select max(p.published_at) from pcc.publications as p where p.ente = :ente)
"""

#: The ente's questions that are still to be answered, in the columns of `questions`.
UNANSWERED = f"""
    select q.* from pcc.questions as q
    where q.ente = :ente and q.addressee = 'ENTE'
        and {KEY.format("q")} not in (select {KEY.format("a")[1:-1]} from ({ANSWERED}) as a)
"""


@dataclass(frozen=True)
class StillAsked:
    """Questions to the ente that are still to be answered: how many, and the most that the answers can move in the stock, in
    euro: of each document what no operation settles, whichever its sign, once."""

    questions: int
    moves: Decimal


def parameters(ente: str) -> dict[str, Any]:
    """The parameters of ANSWERED and UNANSWERED."""
    of_one = [row["answer"] for row in rule_rows("answers") if row["effect"] in ("gone", "stays")]
    return {"ente": ente, "known_at": None, "of_one_delivery": of_one}


def asked(connection: sa.Connection, ente: str) -> StillAsked:
    """What is still asked of an ente, and what it is worth, as its last publication or answer left it (`standing`)."""
    t = table("ente_standing")
    row = connection.execute(sa.select(t.c.questions, t.c.answers_move).where(t.c.ente == ente)).one_or_none()
    return StillAsked(0, Decimal("0.00")) if row is None else StillAsked(*row)
