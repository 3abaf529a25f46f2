"""What a person wants to be told by mail: kept with the account, nothing unless asked. `pcc_pipeline.service.news` sends it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from pcc_pipeline.database.schema import table


@dataclass(frozen=True)
class Wishes:
    """Whether a mail is wanted when figures are published, and when new questions are open."""

    published: bool
    questions: bool


def wishes(engine: sa.Engine, user_id: int) -> Wishes:
    """What a person wants."""
    users = table("users")
    query = sa.select(users.c.tell_published_since.is_not(None), users.c.tell_questions_since.is_not(None))
    with engine.connect() as connection:
        return Wishes(*connection.execute(query.where(users.c.user_id == user_id)).one())


def wish(engine: sa.Engine, user_id: int, wanted: Wishes) -> None:
    """Keeps what a person wants from now on; what was wanted already stays wanted since then."""
    users = table("users")
    values = {
        column: sa.func.coalesce(users.c[column], sa.func.now()) if told else None
        for column, told in (("tell_published_since", wanted.published), ("tell_questions_since", wanted.questions))
    }
    with engine.begin() as connection:
        connection.execute(sa.update(users).where(users.c.user_id == user_id).values(values))
