"""The second wall, built in PostgreSQL itself: one login role for the desk, and what it may touch in whose name.

The role signs in, owns nothing and belongs to no other, so there is nothing to become and nothing to reset to. What it sees
follows from two settings of the connection: `pcc.scope` says in whose name it works, `pcc.ticket` proves that the desk said
so. The ticket is a hash of the scope under a key that the role cannot read, so whoever smuggles SQL into one of the desk's
queries stays in the scope of that query. Scopes: `ente:<code>` (one ente's rows), `accounts` (accounts, sessions, tokens,
log), `provider` (the overview of all enti), `support` (the support desk's tables of all enti, with its internal notes).

`build` is done as the owner of the tables; the desk's connections are in `tenancy`.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from pcc_pipeline.codes import ente_code
from pcc_pipeline.database import migrate
from pcc_pipeline.database.engine import lock
from pcc_pipeline.database.schema import SCHEMA, published
from pcc_pipeline.tables.morning import ENTE_STANDING

GUARD = f"{SCHEMA}_guard"
SCOPE, TICKET = "pcc.scope", "pcc.ticket"
ACCOUNTS_SCOPE, PROVIDER_SCOPE, SUPPORT_SCOPE = "accounts", "provider", "support"

#: Register tables that an ente may read its own rows of; and of these, those that its people add rows to.
READABLE = (
    "deliveries", "publications", "match_decisions", "operation_decisions", "approval_limits", "sent_operations", "answers",
    "answer_attachments", "delivery_confirmations", "model_files", "model_uploads", "ente_standing", "questions_asked",
    "failing_checks", "operation_requests", "operation_standing",
)  # fmt: skip
ADDED_TO = (
    "match_decisions", "operation_decisions", "answers", "answer_attachments", "delivery_confirmations", "model_files",
    "sent_operations", "model_uploads", "ente_standing",
)  # fmt: skip
#: Of these, the columns that are set later: a file is put where people take it after it was registered; how an ente and
#: its operations stand is noted anew with each decision.
SET_LATER = {
    "model_files": ("handed_at",),
    "ente_standing": tuple(name for name in ENTE_STANDING.column_names if name != "ente"),
    "operation_standing": ("shown",),
}
#: What the overview of all enti is made of; the names of enti stand in the head of a page, too.
OF_ALL = {
    **dict.fromkeys(("publications", "ente_standing", "failing_checks", "deliveries", "support_tickets"), (PROVIDER_SCOPE,)),
    "service_life": (PROVIDER_SCOPE, ACCOUNTS_SCOPE),
}
#: What is done to each table of accounts; the log is only added to.
OF_ACCOUNTS = {
    "users": "SELECT, INSERT, UPDATE", "sessions": "SELECT, INSERT, UPDATE, DELETE", "api_tokens": "SELECT, INSERT, UPDATE",
    "sign_in_attempts": "SELECT, INSERT, DELETE", "audit": "SELECT, INSERT",
}  # fmt: skip
#: What is done to each table of the support desk, by an ente to its own rows and by the provider's people to all.
OF_SUPPORT = {
    "support_tickets": "SELECT, INSERT, UPDATE (state, department, taken_by, first_contact_at, worked_at_contact, closed_at,"
    " reopened, changed_at)",
    "support_messages": "SELECT, INSERT", "support_attachments": "SELECT, INSERT",
    "support_judgements": "SELECT, INSERT, UPDATE (verdict, judged_by)", "support_mails": "INSERT",
}  # fmt: skip
#: What the provider's people do with their letters, of all enti.
OF_PROVIDER = {"letters": "SELECT, INSERT, UPDATE (sha256, sent_by, sent_at, channel)"}
#: Rows that an ente does not see among its own.
HIDDEN = {"support_messages": "internal"}
#: What belongs to no ente and is seen in every scope.
OF_EVERYBODY = ("service_measures",)


class UnsafeRole(RuntimeError):
    """The desk's role could become another, or see past the wall; its text says what to change."""


def ente_scope(ente: str) -> str:
    """The scope of one ente, or of the provider's own rows. Raises NoEnteCode."""
    return f"ente:{ente_code(ente, provider=True)}"


def ticket(key: bytes, scope: str) -> str:
    """The proof that the desk works in a scope: what `pcc_guard.scope()` works out, too."""
    return hashlib.sha256(key + hashlib.sha256(key + scope.encode()).digest()).hexdigest()


def readable() -> tuple[str, ...]:
    """Names of the tables that the desk may read, one ente at a time."""
    return (*(name for name, table in published().items() if "ente" in table.column_names), *READABLE)


def build(engine: sa.Engine, role: str) -> bytes:
    """Makes the role and the wall where they are missing, as the owner of the tables; returns the key of the tickets.

    A few queries when all is there. Needs the right to create a role (the embedded server's user has it); else an
    administrator makes the role beforehand. Raises UnsafeRole, and sqlalchemy's ProgrammingError where neither holds.
    """
    statements = _statements(role)
    built = hashlib.sha256(f"{migrate.head()} {statements}".encode()).hexdigest()
    with engine.begin() as connection, lock(connection, "row security"):
        _make_role(connection, role)
        _check_role(connection, role)
        known = sa.text("SELECT obj_description(to_regnamespace(:guard), 'pg_namespace')")
        if connection.execute(known, {"guard": GUARD}).scalar() != built:
            # All in one message: some hundred statements, one by one, would take a second.
            connection.connection.cursor().execute(";\n".join([*statements, f"COMMENT ON SCHEMA {GUARD} IS '{built}'"]))
        return bytes(connection.execute(sa.text(f"SELECT key FROM {GUARD}.secret")).scalar_one())


def _statements(role: str) -> list[str]:
    name = '"' + role.replace('"', '""') + '"'
    made = [
        f"CREATE SCHEMA IF NOT EXISTS {GUARD}",
        f"CREATE TABLE IF NOT EXISTS {GUARD}.secret (key bytea NOT NULL)",
        f"INSERT INTO {GUARD}.secret SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')"
        f" WHERE NOT EXISTS (SELECT FROM {GUARD}.secret)",
        *_functions(),
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {name}",
    ]
    for function in ("scope", "ente"):
        made += [
            f"REVOKE ALL ON FUNCTION {GUARD}.{function}() FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {GUARD}.{function}() TO {name}",
        ]
    for table_name in sorted({*readable(), *OF_ACCOUNTS, *OF_SUPPORT, *OF_PROVIDER, *OF_EVERYBODY}):
        made += [
            f"ALTER TABLE {SCHEMA}.{table_name} ENABLE ROW LEVEL SECURITY",
            f"REVOKE ALL ON {SCHEMA}.{table_name} FROM {name}",
            *(
                f"DROP POLICY IF EXISTS {policy} ON {SCHEMA}.{table_name}"
                for policy in ("tenant", "desk_reads", "desk_adds", "desk_sets", "desk_all")
            ),
        ]
    for table_name in readable():
        made += [
            f"CREATE POLICY desk_reads ON {SCHEMA}.{table_name} FOR SELECT TO {name} USING ({_seen(table_name)})",
            f"GRANT SELECT ON {SCHEMA}.{table_name} TO {name}",
        ]
    for table_name in ADDED_TO:
        made += [
            f"CREATE POLICY desk_adds ON {SCHEMA}.{table_name} FOR INSERT TO {name} WITH CHECK (ente = {GUARD}.ente())",
            f"GRANT INSERT ON {SCHEMA}.{table_name} TO {name}",
        ]
    for table_name, columns in SET_LATER.items():
        own = f"(ente = {GUARD}.ente())"
        made += [
            f"CREATE POLICY desk_sets ON {SCHEMA}.{table_name} FOR UPDATE TO {name} USING {own} WITH CHECK {own}",
            f"GRANT UPDATE ({', '.join(columns)}) ON {SCHEMA}.{table_name} TO {name}",
        ]
    scoped = {**dict.fromkeys(OF_ACCOUNTS, ACCOUNTS_SCOPE), **dict.fromkeys(OF_PROVIDER, PROVIDER_SCOPE)}
    for table_name, what in (OF_ACCOUNTS | OF_PROVIDER).items():
        own = f"(SELECT {GUARD}.scope() = '{scoped[table_name]}')"
        made += [
            f"CREATE POLICY desk_all ON {SCHEMA}.{table_name} FOR ALL TO {name} USING ({own}) WITH CHECK ({own})",
            f"GRANT {what} ON {SCHEMA}.{table_name} TO {name}",
        ]
    return [*made, *_support(name)]


def _seen(table_name: str) -> str:
    """The rows of one ente, or all where that is allowed. Each is asked once a query, not once a row: a plain comparison beside
    the query's own is made once by itself, one of several conditions is not."""
    if table_name not in OF_ALL:
        return f"ente = {GUARD}.ente()"
    return f"{_all(table_name)} OR ente = (SELECT {GUARD}.ente())"


def _all(table_name: str) -> str:
    return " OR ".join(f"(SELECT {GUARD}.scope() = '{scope}')" for scope in OF_ALL[table_name])


def _support(name: str) -> list[str]:
    made = []
    for table_name, what in OF_SUPPORT.items():
        seen = f" AND NOT {HIDDEN[table_name]}" if table_name in HIDDEN else ""
        # Asked once a query, not once a row.
        own = f"(ente = (SELECT {GUARD}.ente()){seen}) OR (SELECT {GUARD}.scope() = '{SUPPORT_SCOPE}')"
        made += [
            f"CREATE POLICY desk_all ON {SCHEMA}.{table_name} FOR ALL TO {name} USING ({own}) WITH CHECK ({own})",
            f"GRANT {what} ON {SCHEMA}.{table_name} TO {name}",
        ]
        if table_name in OF_ALL:
            made.append(f"CREATE POLICY desk_reads ON {SCHEMA}.{table_name} FOR SELECT TO {name} USING ({_all(table_name)})")
    for table_name in OF_EVERYBODY:
        made += [
            f"CREATE POLICY desk_reads ON {SCHEMA}.{table_name} FOR SELECT TO {name}"
            f" USING ((SELECT {GUARD}.scope() IS NOT NULL))",
            f"GRANT SELECT ON {SCHEMA}.{table_name} TO {name}",
        ]
    return made


def _functions() -> list[str]:
    told = f"current_setting('{SCOPE}', true)"
    proof = f"encode(sha256(key || sha256(key || convert_to({told}, 'UTF8'))), 'hex')"
    secure = "STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp LANGUAGE sql"
    return [
        f"CREATE OR REPLACE FUNCTION {GUARD}.scope() RETURNS text {secure} AS $$"
        f"SELECT CASE WHEN current_setting('{TICKET}', true) = {proof} THEN {told} END FROM {GUARD}.secret$$",
        f"CREATE OR REPLACE FUNCTION {GUARD}.ente() RETURNS text {secure} AS $$"
        f"SELECT CASE WHEN left(s, 5) = 'ente:' THEN substr(s, 6) END FROM {GUARD}.scope() AS s$$",
    ]


def _make_role(connection: sa.Connection, role: str) -> None:
    """Roles belong to the server: another database's desk may be making it at this moment."""
    known = connection.execute(sa.text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar()
    name = '"' + role.replace('"', '""') + '"'
    if known is None:
        try:
            with connection.begin_nested():
                connection.execute(sa.text(f"CREATE ROLE {name} LOGIN NOINHERIT"))
        except sa.exc.IntegrityError:
            pass
        except sa.exc.ProgrammingError as error:
            if "already exists" not in str(error):
                raise
    elif not known:  # as an earlier version made it
        connection.execute(sa.text(f"ALTER ROLE {name} LOGIN NOINHERIT"))


def _check_role(connection: sa.Connection, role: str) -> None:
    query = sa.text(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication, "
        "EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid), rolname = current_user "
        "FROM pg_roles AS r WHERE rolname = :role"
    )
    strong, member, owner = connection.execute(query, {"role": role}).one()
    if strong or member or owner:
        raise UnsafeRole(
            f"The desk's role {role} owns the tables, has rights over the server or is a member of another role: "
            "give it a plain role of its own (docs/security.md)"
        )
