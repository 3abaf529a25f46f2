"""Who may use the desk: users, their sessions, tokens of the API, and the log of who saw and did what.

No password or token is kept as it is: a password as its argon2 hash, a token as its SHA-256.
"""

from __future__ import annotations

from pcc_pipeline.tables.describe import Column, Table

ENTE_USER, ENTE_MANAGER, OPERATOR, ADMINISTRATOR = "ente_user", "ente_manager", "operator", "administrator"
ROLES = (ENTE_USER, ENTE_MANAGER, OPERATOR, ADMINISTRATOR)

USERS = Table(
    "users", "register", "One row per person who may sign in",
    (
        Column("user_id", "integer", "Number of the user", required=True),
        Column("email", "text", "Address the person signs in with, lower case", required=True),
        Column("name", "text", "Name shown", required=True),
        Column("role", "text", "What the person may do", required=True, allowed=ROLES),
        Column("ente", "text", "The one ente of an ente's user; null for the provider's people"),
        Column("password_hash", "text", "argon2id hash; null where only an identity provider signs the person in"),
        Column("active", "boolean", "May sign in", required=True),
        Column("failures", "integer", "Wrong passwords since the last right one", required=True, minimum=0),
        Column("locked_until", "timestamp", "No sign-in before this moment"),
        Column("created_at", "timestamp", "When the account was made", required=True),
        Column("keyed_by", "integer", "User who last gave the account its password, at its making or later; null: the person, or the command line"),
        Column("keyed_at", "timestamp", "When that was; null as keyed_by"),
        Column("must_change", "boolean", "Whether the password is another's choice, to be changed at the first sign-in; null: no"),
        Column("tell_published_since", "timestamp", "Since when the person wants a mail when figures are published; null: not wanted"),
        Column("tell_questions_since", "timestamp", "Since when the person wants a mail when new questions are open; null: not wanted"),
    ),
    key=("user_id",),
)

SESSIONS = Table(
    "sessions", "register", "One row per open session of the desk",
    (
        Column("token_hash", "text", "SHA-256 of the cookie's token", required=True),
        Column("user_id", "integer", "Whose it is", required=True),
        Column("csrf", "text", "Token that every form sends back", required=True),
        Column("ente", "text", "The ente that is looked at; null before one is chosen"),
        Column("created_at", "timestamp", "When it was opened", required=True),
        Column("seen_at", "timestamp", "Last request", required=True),
        Column("expires_at", "timestamp", "End at the latest", required=True),
        Column("must_change", "boolean", "Whether nothing is shown before the person has a password of their own choice; null: no"),
    ),
    key=("token_hash",),
    indexes=(("user_id",),),
)

API_TOKENS = Table(
    "api_tokens", "register", "One row per token of the API: it reads one ente and nothing else",
    (
        Column("token_hash", "text", "SHA-256 of the token", required=True),
        Column("ente", "text", "The ente it reads", required=True),
        Column("name", "text", "What it is for", required=True),
        Column("created_by", "integer", "User who made it", required=True),
        Column("created_at", "timestamp", "When", required=True),
        Column("expires_at", "timestamp", "End at the latest", required=True),
        Column("revoked_at", "timestamp", "When it was taken back; also by a new password of its maker, or the end of that account"),
    ),
    key=("token_hash",),
    indexes=(("ente",), ("created_by",)),
)

SIGN_IN_ATTEMPTS = Table(
    "sign_in_attempts", "register", "One row per sign-in under way or failed of late, written before the password is tried",
    (
        Column("attempt", "integer", "Number of the attempt", required=True),
        Column("address", "text", "Network address of the client", required=True),
        Column("at", "timestamp", "When", required=True),
    ),
    key=("attempt",),
    indexes=(("address", "at"),),
)

AUDIT = Table(
    "audit", "register", "One row per thing seen or done at the desk; rows are only added",
    (
        Column("entry", "integer", "Order", required=True),
        Column("at", "timestamp", "When", required=True),
        Column("who", "text", "E-mail of the user, or name of the token; as typed for a failed sign-in", required=True),
        Column("ente", "text", "The ente it concerns"),
        Column("action", "text", "What: sign_in, sign_in_failed, sign_out, view, upload, export, …", required=True),
        Column("detail", "text", "Page, file or table"),
        Column("address", "text", "Network address of the client"),
    ),
    key=("entry",),
    indexes=(("ente", "at"), ("action", "address", "at")),
)

#: Tables of the desk by name, columns that PostgreSQL numbers, further unique columns.
ACCOUNTS: dict[str, Table] = {table.name: table for table in (USERS, SESSIONS, API_TOKENS, SIGN_IN_ATTEMPTS, AUDIT)}
ACCOUNTS_NUMBERED = {"users": "user_id", "audit": "entry", "sign_in_attempts": "attempt"}
ACCOUNTS_UNIQUE: dict[str, tuple[tuple[str, ...], ...]] = {"users": (("email",),)}
