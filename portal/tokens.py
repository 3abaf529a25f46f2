"""Tokens of the API: each reads one ente and nothing else, until its day, its maker's new password or closed account."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.codes import ente_code
from pcc_pipeline.database.schema import table
from portal.sessions import digest

#: How long a token reads unless its maker says less; nobody may say more.
LONGEST = timedelta(days=365)


@dataclass(frozen=True)
class Token:
    """A token that reads: its hash, the ente it reads, what it is for."""

    token_hash: str
    ente: str
    name: str


def new_token(engine: sa.Engine, ente: str, name: str, user_id: int, now: datetime, lasts: timedelta = LONGEST) -> str:
    """Makes a token of an ente for a user, who answers for it; it can be read this once. Raises ValueError where it would
    last no time or too long."""
    if not timedelta(0) < lasts <= LONGEST:
        raise ValueError(f"A token lasts 1 to {LONGEST.days} days")
    token = f"pcc_{secrets.token_urlsafe(32)}"
    values = {"token_hash": digest(token), "ente": ente_code(ente), "name": name[:100], "created_by": user_id,
              "created_at": now, "expires_at": now + lasts}  # fmt: skip
    with engine.begin() as connection:
        connection.execute(sa.insert(table("api_tokens")).values(values))
    return token


def find_token(engine: sa.Engine, token: str, now: datetime) -> Token | None:
    """The token, where it still reads: its day has not come, nobody took it back, and its maker may still sign in."""
    t, u = table("api_tokens"), table("users")
    query = (
        sa.select(t.c.token_hash, t.c.ente, t.c.name)
        .join(u, u.c.user_id == t.c.created_by)
        .where(t.c.token_hash == digest(token), t.c.revoked_at.is_(None), t.c.expires_at > now, u.c.active)
    )
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else Token(*row)


def tokens_of(engine: sa.Engine, ente: str | None = None) -> list[dict[str, Any]]:
    """The tokens of an ente, or of all: hash, ente, name, made by whom and when, until when, when taken back; and whether
    each still reads (`reads`)."""
    t, u = table("api_tokens"), table("users")
    reads = sa.and_(t.c.revoked_at.is_(None), t.c.expires_at > sa.func.now(), sa.func.coalesce(u.c.active, sa.false()))
    query = (
        sa.select(
            t.c.token_hash, t.c.ente, t.c.name, t.c.created_at, t.c.expires_at, t.c.revoked_at, u.c.email, reads.label("reads")
        )
        .outerjoin(u, u.c.user_id == t.c.created_by)
        .order_by(t.c.ente, t.c.created_at)
    )
    if ente is not None:
        query = query.where(t.c.ente == ente)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def revoke(engine: sa.Engine, beginning: str, now: datetime, ente: str | None = None) -> int:
    """Takes back the tokens whose hash begins so (of an ente, where told); returns how many."""
    t = table("api_tokens")
    query = sa.update(t).where(t.c.token_hash.startswith(beginning, autoescape=True), t.c.revoked_at.is_(None))
    if ente is not None:
        query = query.where(t.c.ente == ente)
    with engine.begin() as connection:
        return int(connection.execute(query.values(revoked_at=now)).rowcount)
