"""Open sessions: an unguessable token in a cookie, its hash here, with the CSRF token that forms send back."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.database.schema import table
from portal.accounts import User

#: A session ends after this long without a request, and at the latest after the second.
IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)
#: How stale `seen_at` may be: a write a minute, not one a request.
_TOUCH = timedelta(minutes=1)


@dataclass(frozen=True)
class DeskSession:
    """Who is asking: the user, the ente looked at (null: none chosen yet) and how it is called, the CSRF token."""

    token_hash: str
    user: User
    ente: str | None
    ente_name: str | None
    csrf: str
    #: Whether the person must choose a password first: the present one is another's choice.
    must_change: bool = False

    def honest(self, token: str | None) -> bool:
        """Whether a form's CSRF token is this session's."""
        return token is not None and hmac.compare_digest(token.encode(), self.csrf.encode())


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_session(engine: sa.Engine, user: User, now: datetime, *, must_change: bool = False) -> str:
    """Opens a session; returns the token for the cookie. Sessions that ended are swept away."""
    token = secrets.token_urlsafe(32)
    sessions = table("sessions")
    with engine.begin() as connection:
        connection.execute(sa.delete(sessions).where(sessions.c.expires_at < now))
        connection.execute(
            sa.insert(sessions).values(
                token_hash=digest(token),
                user_id=user.user_id,
                csrf=secrets.token_urlsafe(32),
                ente=user.ente,
                created_at=now,
                seen_at=now,
                expires_at=now + LONGEST,
                must_change=must_change,
            )
        )
    return token


def find_session(engine: sa.Engine, token: str | None, now: datetime) -> DeskSession | None:
    """The session of a cookie's token; None where there is none, it ended, or the account was closed."""
    if not token:
        return None
    sessions, users, enti = table("sessions"), table("users"), table("service_life")
    key, chosen = digest(token), sa.func.coalesce(users.c.ente, sessions.c.ente)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:  # single statements: no BEGIN, COMMIT
        row = connection.execute(
            sa.select(
                sessions.c.csrf, chosen.label("chosen"), sessions.c.seen_at, sessions.c.must_change, enti.c.denominazione,
                *(users.c[name] for name in User.__dataclass_fields__),
            )
            .join(users, users.c.user_id == sessions.c.user_id)
            # The provider's register, where it knows the ente.
            .outerjoin(enti, sa.and_(enti.c.ente == PROVIDER, enti.c.codice_ente == chosen))
            .where(
                sessions.c.token_hash == key, sessions.c.expires_at > now, sessions.c.seen_at > now - IDLE, users.c.active
            )
        ).one_or_none()  # fmt: skip
        if row is None:
            return None
        if row.seen_at < now - _TOUCH:
            connection.execute(sa.update(sessions).where(sessions.c.token_hash == key).values(seen_at=now))
    user = User(row.user_id, row.email, row.name, row.role, row.ente)
    return DeskSession(key, user, row.chosen, row.denominazione or row.chosen, row.csrf, bool(row.must_change))


def choose_ente(engine: sa.Engine, session: DeskSession, ente: str) -> None:
    """Remembers which ente one of the provider's people looks at."""
    sessions = table("sessions")
    with engine.begin() as connection:
        connection.execute(sa.update(sessions).where(sessions.c.token_hash == session.token_hash).values(ente=ente))


def close_session(engine: sa.Engine, session: DeskSession) -> None:
    """Ends a session at once."""
    sessions = table("sessions")
    with engine.begin() as connection:
        connection.execute(sa.delete(sessions).where(sessions.c.token_hash == session.token_hash))
