"""Who may sign in: accounts, passwords (argon2id), lock-out after wrong ones, what each role may do.

Open sessions are in `sessions`, tokens of the API in `tokens`, the log of deeds in `audit`. Nothing here knows of web requests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pcc_pipeline.codes import NoEnteCode, ente_code
from pcc_pipeline.database.schema import table
from pcc_pipeline.tables.accounts import ADMINISTRATOR, ENTE_MANAGER, ENTE_USER, OPERATOR, ROLES

#: Wrong passwords before an account is locked, and for how long.
FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
#: NIST SP 800-63B: length counts, composition rules do not.
SHORTEST_PASSWORD = 12
#: Beyond it no password is stronger; hashing takes time.
LONGEST_PASSWORD = 128

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class AccountError(ValueError):
    """An account that cannot be made or changed as asked; its text says why, `italian` to whoever is at the desk."""

    def __init__(self, words: str, italian: str) -> None:
        super().__init__(words)
        self.italian = italian


@dataclass(frozen=True)
class User:
    """A person who may sign in. `ente` is null for the provider's people, who may look at any.

    Whoever may look at an ente may deliver its files and answer its questions too.
    """

    user_id: int
    email: str
    name: str
    role: str
    ente: str | None

    @property
    def of_provider(self) -> bool:
        """Whether the person works for the provider and sees every ente."""
        return self.role in (OPERATOR, ADMINISTRATOR)

    @property
    def administers(self) -> bool:
        """Whether the person may make and close accounts."""
        return self.role == ADMINISTRATOR

    @property
    def manages(self) -> bool:
        """Whether the person may make tokens and accounts of one ente."""
        return self.role in (ENTE_MANAGER, ADMINISTRATOR)

    @property
    def decides(self) -> bool:
        """Whether the person may approve and refuse operations: everyone but an ente's plain user."""
        return self.role in (ENTE_MANAGER, OPERATOR, ADMINISTRATOR)

    def may_see(self, ente: str) -> bool:
        """Whether the person may look at that ente."""
        return self.of_provider or self.ente == ente


def add_user(
    engine: sa.Engine, email: str, name: str, role: str, ente: str | None = None, password: str | None = None, *,
    by: int | None = None,
) -> User:  # fmt: skip
    """Makes an account; returns it. `by` is the user who makes it, None the command line. Raises AccountError saying what
    is wrong."""
    email = email.strip().lower()
    if not _EMAIL.fullmatch(email):
        raise AccountError(f"{email!r} is no e-mail address", "L'indirizzo e-mail non è valido")
    if role not in ROLES:
        raise AccountError(f"No role {role!r}: there are {', '.join(ROLES)}", "Questo ruolo non c'è")
    if (role in (ENTE_USER, ENTE_MANAGER)) != (ente is not None):
        raise AccountError(
            "An ente's user belongs to one ente; an operator or administrator to none",
            "Questo ruolo non è di questo ente",
        )
    if ente is not None:
        try:
            ente_code(ente)
        except NoEnteCode as error:
            raise AccountError(str(error), error.italian) from None
    if password is not None:
        _fit(password)
    values = {
        "email": email, "name": name.strip() or email, "role": role, "ente": ente, "active": True, "failures": 0,
        "password_hash": None if password is None else _hasher().hash(password), "created_at": sa.func.now(),
        **_keyed(by),
    }  # fmt: skip
    users = table("users")
    with engine.begin() as connection:
        try:
            made = connection.execute(sa.insert(users).values(values).returning(*_columns())).one()
        except sa.exc.IntegrityError:
            raise AccountError(f"There is an account for {email} already", "C'è già un accesso con questo indirizzo") from None
    return User(**made._mapping)


def set_password(engine: sa.Engine, email: str, password: str) -> None:
    """Gives an account a new password, unlocks it, ends its sessions and the tokens it made. Raises AccountError."""
    email = email.strip().lower()
    if _give_password(engine, table("users").c.email == email, password, _keyed(None)) is None:
        raise AccountError(f"No account for {email}", "Questo accesso non c'è")


def reset_password(engine: sa.Engine, user_id: int, ente: str | None, password: str, *, by: int) -> str | None:
    """The same for an account of an ente (null: of the provider), by a user; returns its address, None where there is no
    such one."""
    users = table("users")
    return _give_password(engine, (users.c.user_id == user_id) & _of(ente), password, _keyed(by))


def change_password(engine: sa.Engine, user: User, old: str, new: str, now: datetime, *, keep: str | None = None) -> None:
    """Gives a person's own account a new password; its sessions end but the one whose token's hash is `keep`, and the
    tokens of the API that it made.

    A wrong `old` counts as a wrong password at the door. Raises AccountError.
    """
    if check_password(engine, user.email, old, now) is None:
        raise AccountError("That is not the present password", "La password attuale non è corretta")
    if new == old:
        raise AccountError("The new password is the present one", "La password nuova è uguale a quella attuale")
    _give_password(engine, table("users").c.user_id == user.user_id, new, keep=keep)


def _keyed(by: int | None) -> dict[str, object]:
    """Who gives a password, and when: the second person of a decision may not be of the first one's making, and what another
    person chose is changed at the first sign-in."""
    return {"keyed_by": by, "keyed_at": None if by is None else sa.func.now(), "must_change": by is not None}


def _give_password(
    engine: sa.Engine, whose: sa.ColumnElement[bool], password: str, keyed: dict[str, object] | None = None, *,
    keep: str | None = None,
) -> str | None:  # fmt: skip
    _fit(password)
    users, sessions = table("users"), table("sessions")
    values = {"password_hash": _hasher().hash(password), "failures": 0, "locked_until": None, "must_change": False}
    values |= keyed or {}
    with engine.begin() as connection:
        changed = connection.execute(
            sa.update(users).where(whose).values(values).returning(users.c.user_id, users.c.email)
        ).one_or_none()
        if changed is None:
            return None
        ended = sa.delete(sessions).where(sessions.c.user_id == changed.user_id)
        connection.execute(ended if keep is None else ended.where(sessions.c.token_hash != keep))
        connection.execute(sa.update(sessions).where(sessions.c.user_id == changed.user_id).values(must_change=False))
        _end_tokens(connection, changed.user_id)
    return str(changed.email)


def _end_tokens(connection: sa.Connection, user_id: int) -> None:
    tokens = table("api_tokens")
    made = sa.update(tokens).where(tokens.c.created_by == user_id, tokens.c.revoked_at.is_(None))
    connection.execute(made.values(revoked_at=sa.func.now()))


def must_change(engine: sa.Engine, user: User) -> bool:
    """Whether a person's password is another's choice."""
    users = table("users")
    with engine.connect() as connection:
        return bool(connection.execute(sa.select(users.c.must_change).where(users.c.user_id == user.user_id)).scalar_one())


def _fit(password: str) -> None:
    if len(password) > LONGEST_PASSWORD:
        raise AccountError(
            f"A password has {LONGEST_PASSWORD} characters at most", "La password può avere al massimo 128 caratteri"
        )
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError(
            f"A password has {SHORTEST_PASSWORD} characters at least", "La password deve avere almeno 12 caratteri"
        )


def _of(ente: str | None) -> sa.ColumnElement[bool]:
    return table("users").c.ente.is_not_distinct_from(ente)


def check_password(engine: sa.Engine, email: str, password: str, now: datetime) -> User | None:
    """The user, where the password is right and the account neither closed nor locked; counts wrong ones.

    A wrong address costs as much time as a wrong password, so that addresses cannot be found out.
    """
    users = table("users")
    with engine.begin() as connection:
        row = connection.execute(sa.select(users).where(users.c.email == email.strip().lower()).with_for_update()).one_or_none()
        stored = row.password_hash if row is not None and row.password_hash else _nobody()
        right = _verified(stored, password)
        # Locked for longer than one is ever locked: the clock went back.
        shut = row is not None and row.locked_until is not None and now < row.locked_until <= now + LOCKED_FOR
        if row is None or not row.active or shut:
            return None
        changed: dict[str, object] = {"failures": 0, "locked_until": None}
        if not right:
            failures = row.failures + 1
            locked = failures >= FAILURES
            changed = {"failures": 0 if locked else failures, "locked_until": now + LOCKED_FOR if locked else None}
        elif _hasher().check_needs_rehash(stored):
            changed["password_hash"] = _hasher().hash(password)
        connection.execute(sa.update(users).where(users.c.user_id == row.user_id).values(changed))
    return User(row.user_id, row.email, row.name, row.role, row.ente) if right else None


def ente_of(engine: sa.Engine, email: str) -> str | None:
    """The ente of an account's address; None for the provider's people and for unknown addresses."""
    users = table("users")
    with engine.connect() as connection:
        found: str | None = connection.execute(sa.select(users.c.ente).where(users.c.email == email)).scalar_one_or_none()
    return found


def has_accounts(engine: sa.Engine, ente: str) -> bool:
    """Whether somebody has an account of that ente."""
    users = table("users")
    with engine.connect() as connection:
        return bool(connection.execute(sa.select(sa.exists().where(users.c.ente == ente))).scalar_one())


def close_account(engine: sa.Engine, user_id: int, ente: str | None) -> str | None:
    """Closes an account of an ente (null: of the provider), ends its sessions and the tokens it made; returns its address,
    None where there is no such one. Raises AccountError for the last administrator: nobody could make accounts any more."""
    users, sessions = table("users"), table("sessions")
    with engine.begin() as connection:
        closed: str | None = connection.execute(
            sa.update(users).where(users.c.user_id == user_id, _of(ente)).values(active=False).returning(users.c.email)
        ).scalar_one_or_none()
        if closed is not None:
            connection.execute(sa.delete(sessions).where(sessions.c.user_id == user_id))
            _end_tokens(connection, user_id)
        if ente is None:
            # Two who close each other at the same moment come one after the other.
            connection.execute(sa.select(users.c.user_id).where(users.c.role == ADMINISTRATOR).with_for_update())
            left = sa.select(sa.func.count()).where(users.c.role == ADMINISTRATOR, users.c.active)
            if not connection.execute(left).scalar_one():
                raise AccountError("The last administrator stays", "L'ultimo amministratore non si può chiudere")
    return closed


def users_of(connection: sa.Connection, ente: str | None) -> list[sa.Row[tuple[object, ...]]]:
    """Accounts of an ente (null: of the provider): user_id, email, name, role, ente, active, locked_until."""
    users = table("users")
    query = sa.select(*_columns(), users.c.active, users.c.locked_until).where(_of(ente)).order_by(users.c.email)
    return list(connection.execute(query))


def _columns() -> list[sa.Column[object]]:
    return [table("users").c[name] for name in User.__dataclass_fields__]


def _verified(stored: str, password: str) -> bool:
    try:
        return _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")
