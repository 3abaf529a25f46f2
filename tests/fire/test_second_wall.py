"""What somebody could do who smuggled SQL into a query of the desk: stay in the scope of that query, and become nobody."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import SECRETS, desk

from pcc_pipeline.database.engine import dispose, engine
from pcc_pipeline.settings import Settings
from portal import wall
from portal.tenancy import ROLE, DeskDatabase, desk_url

#: What one would try to become more than the desk's role, or to look at another ente.
ESCAPES = (
    "RESET ROLE",
    "RESET SESSION AUTHORIZATION",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SET LOCAL ROLE pg_read_all_data",
    "SET row_security = off",
    "SELECT set_config('role', 'postgres', true)",
    "SELECT set_config('pcc.scope', 'ente:beta', true)",
    "SELECT set_config('pcc.scope', 'provider', true)",
    "SELECT set_config('pcc.scope', 'accounts', true)",
    "SELECT set_config('pcc.ticket', (SELECT encode(key, 'hex') FROM pcc_guard.secret), true)",
    "ALTER ROLE pcc_desk SUPERUSER",
    "ALTER TABLE pcc.stock DISABLE ROW LEVEL SECURITY",
    "DROP POLICY desk_reads ON pcc.stock",
    "CREATE FUNCTION pcc_guard.ente() RETURNS text LANGUAGE sql AS $$SELECT 'beta'$$",
    "GRANT SELECT ON pcc.users TO pcc_desk",
    "COPY pcc.stock TO PROGRAM 'cat'",
    "SELECT pg_read_file('postgresql.conf')",
)
ENTI = sa.text("SELECT DISTINCT ente FROM pcc.stock")


@pytest.fixture
def own(desk: TestClient, settings: Settings) -> Iterator[DeskDatabase]:
    """The desk's side of the database of two enti."""
    found = DeskDatabase(settings)
    yield found
    found.close()


@pytest.mark.parametrize("escape", ESCAPES)
def test_nothing_is_gained_by_whoever_smuggles_sql_in(own: DeskDatabase, escape: str) -> None:
    with own.tenant_engine("alfa") as writing, own.tenant("alfa") as reading, writing.connect() as connection:
        for tried in (reading, connection):
            try:
                with tried.begin_nested():
                    tried.execute(sa.text(escape))
            except sa.exc.DBAPIError:
                pass
            assert tried.execute(sa.text("SELECT session_user, current_user")).one() == (ROLE, ROLE)
            try:
                seen = set(tried.execute(ENTI).scalars())
            except sa.exc.DBAPIError:  # row security may not be left out
                tried.rollback()
                continue
            assert seen <= {"alfa"}
            for hidden in ("users", "sessions", "api_tokens", "audit"):
                assert tried.execute(sa.text(f"SELECT count(*) FROM pcc.{hidden}")).scalar_one() == 0


def test_the_desk_owns_nothing_and_may_become_nobody(own: DeskDatabase, settings: Settings) -> None:
    own.open()
    with engine(settings).connect() as connection:
        known = connection.execute(
            sa.text("SELECT rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname = :role"),
            {"role": ROLE},
        )
        assert known.one() == (False, False, False, True)
        member = sa.text("SELECT count(*) FROM pg_auth_members WHERE member = CAST(:role AS regrole)")
        assert connection.execute(member, {"role": ROLE}).scalar_one() == 0
    with own.tenant("alfa") as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.execute(sa.text("SELECT key FROM pcc_guard.secret"))
    assert desk_url(settings).username == ROLE and desk_url(settings).password is None


def test_decisions_are_added_for_ones_own_ente_alone(own: DeskDatabase) -> None:
    add = sa.text(
        "INSERT INTO pcc.match_decisions (ente, verdict, id_documento, progressivo_registrazione, decided_by, decided_at) "
        "VALUES (:ente, 'pair', 'D1', 'P1', 'x', now())"
    )
    with own.tenant_engine("alfa") as writing:
        with writing.begin() as connection:
            connection.execute(add, {"ente": "alfa"})
        with writing.begin() as connection, pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
            connection.execute(add, {"ente": "beta"})
        for change in ("DELETE FROM pcc.match_decisions", "UPDATE pcc.match_decisions SET verdict = 'split'"):
            with writing.begin() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                connection.execute(sa.text(change))


def test_connections_for_accounts_see_no_ente(own: DeskDatabase) -> None:
    with own.accounts.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM pcc.users")).scalar_one() == 3
        for name in wall.readable():
            if name != "service_life":
                assert connection.execute(sa.text(f"SELECT count(*) FROM pcc.{name}")).scalar_one() == 0, name
    with own.accounts.begin() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.execute(sa.text("DELETE FROM pcc.audit"))


def test_the_overview_shows_the_overview_s_tables_alone(own: DeskDatabase) -> None:
    with own.provider() as connection:
        seen = sa.text("SELECT DISTINCT ente FROM pcc.publications")
        assert set(connection.execute(seen).scalars()) == set(SECRETS)
        for name in set(wall.readable()) - set(wall.OF_ALL):
            assert connection.execute(sa.text(f"SELECT count(*) FROM pcc.{name}")).scalar_one() == 0, name


def test_an_ente_s_rows_are_found_by_the_index_though_the_wall_stands(own: DeskDatabase) -> None:
    """The wall's test is one of the whole query, not of each row."""
    with own.tenant("alfa") as connection:
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        query = sa.text("EXPLAIN SELECT * FROM pcc.debt_positions WHERE ente = 'alfa' AND view = 'right' AND creditor = '1'")
        plan = "\n".join(connection.execute(query).scalars())
    assert "One-Time Filter" in plan and "Index" in plan and "Filter: (ente" not in plan, plan


def test_a_role_that_could_become_another_is_refused(desk: TestClient, settings: Settings) -> None:
    for change in ("CREATEROLE", "BYPASSRLS"):
        name = f"strong_{change.lower()}"
        with engine(settings).begin() as connection:
            connection.execute(sa.text(f"CREATE ROLE {name} LOGIN {change}"))
        url = desk_url(settings).set(username=name).render_as_string(hide_password=False)
        with pytest.raises(wall.UnsafeRole):
            DeskDatabase(replace(settings, desk_database_url=url)).open()
        with engine(settings).begin() as connection:
            connection.execute(sa.text(f"DROP ROLE {name}"))
    owner = engine(settings).url.render_as_string(hide_password=False)
    with pytest.raises(wall.UnsafeRole):
        DeskDatabase(replace(settings, desk_database_url=owner)).open()


def test_the_wall_of_an_earlier_version_is_replaced(desk: TestClient, settings: Settings) -> None:
    with engine(settings).begin() as connection:
        connection.execute(sa.text("CREATE POLICY tenant ON pcc.stock FOR SELECT TO pcc_desk USING (true)"))
        connection.execute(sa.text("COMMENT ON SCHEMA pcc_guard IS 'earlier'"))
    found = DeskDatabase(settings)
    with found.tenant("alfa") as connection:
        assert set(connection.execute(ENTI).scalars()) == {"alfa"}
    found.close()


def test_the_embedded_server_sets_it_up_by_itself(server_home: Path) -> None:
    settings = Settings.at(server_home)
    found = DeskDatabase(settings)
    with found.tenant("alfa") as connection:
        assert connection.execute(sa.text("SELECT session_user")).scalar_one() == ROLE
        assert connection.execute(ENTI).all() == []
    found.close()
    dispose(settings)
