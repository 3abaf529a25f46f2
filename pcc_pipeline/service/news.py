"""News of an ente for those of its people who want them by mail: figures were published, new questions are open.

A publication is looked at once. The mails stand among the notices (`support_mails`), and go out with them.
"""

from __future__ import annotations

import sqlalchemy as sa

from pcc_pipeline.database.engine import lock
from pcc_pipeline.database.publish import current_in
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.asked import UNANSWERED, parameters

#: What a mail is about: the publication, or the questions alone.
PUBLISHED, QUESTIONS = "PUBLISHED", "QUESTIONS"

_KEYS = "concat_ws(chr(31), q.code, coalesce(q.id_documento, ''), coalesce(q.progressivo_registrazione, ''))"
_QUESTION = f"encode(sha256(convert_to({_KEYS}, 'UTF8')), 'hex')"


def write_news(installation: Installation) -> int:
    """Writes the mails about what was published since the last look; returns how many. Enti of which nobody wants any are
    not looked at."""
    users, p = table("users"), table("publications")
    wishes = sa.or_(users.c.tell_published_since.is_not(None), users.c.tell_questions_since.is_not(None))
    wanting = sa.select(users.c.ente).where(users.c.active, users.c.ente.is_not(None), wishes)
    query = sa.select(p.c.ente).where(p.c.told_at.is_(None), p.c.ente.in_(wanting)).distinct().order_by(p.c.ente)
    with installation.engine.connect() as connection:
        enti = list(connection.execute(query).scalars())
    return sum(_write(installation.engine, ente) for ente in enti)


def _write(engine: sa.Engine, ente: str) -> int:
    users, p = table("users"), table("publications")
    with engine.begin() as connection, lock(connection, f"news {ente}"):
        latest = current_in(connection, ente)
        untold = sa.update(p).where(p.c.ente == ente, p.c.told_at.is_(None)).values(told_at=sa.func.now())
        if latest is None or not connection.execute(untold).rowcount:  # another process was faster
            return 0
        new = _new_questions(connection, ente)
        people = connection.execute(
            sa.select(users.c.email, users.c.tell_published_since, users.c.tell_questions_since)
            .where(users.c.ente == ente, users.c.active)
            .order_by(users.c.email)
        ).all()
        mails = []
        for person in people:
            told = person.tell_published_since is not None and person.tell_published_since <= latest.published_at
            asked = person.tell_questions_since is not None and person.tell_questions_since <= latest.published_at
            if told or (asked and new):
                mails.append({"ente": ente, "recipient": person.email, "notice": PUBLISHED if told else QUESTIONS})
        if mails:
            connection.execute(sa.insert(table("support_mails")).values(made_at=sa.func.now()), mails)
    return len(mails)


def _new_questions(connection: sa.Connection, ente: str) -> int:
    """How many questions are open that were not when somebody was last told; remembers those that are open now."""
    given = parameters(ente)
    now = f"select {_QUESTION} as question from ({UNANSWERED}) as q"
    gone = f"delete from pcc.told_questions where ente = :ente and question not in ({now})"
    connection.execute(sa.text(gone), given)
    new = f"insert into pcc.told_questions (ente, question) select :ente, n.question from ({now}) as n on conflict do nothing"
    return connection.execute(sa.text(new), given).rowcount
