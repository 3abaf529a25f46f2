"""Tokens of the API end: with their day, when they are taken back, with their maker's new password or closed account."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import PASSWORD, _csrf, _sign_in, desk
from typer.testing import CliRunner

from pcc_pipeline.cli import app
from pcc_pipeline.database.engine import engine
from pcc_pipeline.settings import Settings
from portal.accounts import User, add_user, change_password, close_account, reset_password, set_password
from portal.tokens import LONGEST, find_token, new_token, tokens_of

NEW = "un'altra lunga parola"
NOW = datetime.now(UTC)


@pytest.fixture
def maker(settings: Settings) -> User:
    return add_user(engine(settings), "chi@alfa.it", "Chi", "ente_manager", "alfa", PASSWORD)


ENDS: dict[str, Callable[[sa.Engine, User], object]] = {
    "account closed": lambda bind, user: close_account(bind, user.user_id, "alfa"),
    "own new password": lambda bind, user: change_password(bind, user, PASSWORD, NEW, datetime.now(UTC)),
    "password given by another": lambda bind, user: reset_password(bind, user.user_id, "alfa", NEW, by=99),
    "password by the command line": lambda bind, user: set_password(bind, user.email, NEW),
}


@pytest.mark.parametrize("why", ENDS)
def test_a_token_ends_with_its_maker(settings: Settings, maker: User, why: str) -> None:
    bind = engine(settings)
    other = add_user(bind, "altro@alfa.it", "Altro", "ente_manager", "alfa", PASSWORD)
    ended, stays = (new_token(bind, "alfa", "prova", user.user_id, NOW) for user in (maker, other))
    assert find_token(bind, ended, NOW) is not None
    ENDS[why](bind, maker)
    assert find_token(bind, ended, NOW) is None and find_token(bind, stays, NOW) is not None
    assert [row["reads"] for row in sorted(tokens_of(bind, "alfa"), key=lambda row: str(row["email"]))] == [True, False]


def test_a_token_ends_with_its_day(settings: Settings, maker: User) -> None:
    bind = engine(settings)
    token = new_token(bind, "alfa", "prova", maker.user_id, NOW, timedelta(days=30))
    assert find_token(bind, token, NOW + timedelta(days=29)) is not None
    assert find_token(bind, token, NOW + timedelta(days=30)) is None
    for lasts in (timedelta(0), LONGEST + timedelta(seconds=1)):
        with pytest.raises(ValueError, match="days"):
            new_token(bind, "alfa", "prova", maker.user_id, NOW, lasts)


def test_a_token_without_a_maker_reads_nothing(settings: Settings) -> None:
    assert find_token(engine(settings), new_token(engine(settings), "alfa", "prova", 999, NOW), NOW) is None


def test_tokens_are_listed_and_taken_back_at_the_desk(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    page = desk.post("/gettoni", data={"csrf": _csrf(desk), "name": "gestionale", "giorni": "7"}).text
    token = page.split('<code class="text-break">')[1].split("<")[0]
    bearing = {"Authorization": f"Bearer {token}"}
    assert desk.get("/api/v1/stato", headers=bearing).status_code == 200
    (row,) = tokens_of(engine(settings), "alfa")
    assert (
        "vale fino al" in page and row["email"] == "chi@alfa.it" and row["expires_at"] < datetime.now(UTC) + timedelta(days=8)
    )
    _sign_in(desk, "chi@beta.it")
    for wrong in (row["token_hash"], "", "x", row["token_hash"][:12]):
        assert desk.post(f"/gettoni/{wrong}/revoca", data={"csrf": _csrf(desk)}).status_code == 404
    assert desk.get("/api/v1/stato", headers=bearing).status_code == 200
    _sign_in(desk, "chi@alfa.it")
    assert "revocato" in desk.post(f"/gettoni/{row['token_hash']}/revoca", data={"csrf": _csrf(desk)}).text
    assert desk.get("/api/v1/stato", headers=bearing).status_code == 401
    for days in ("0", "366", "-1"):
        assert desk.post("/gettoni", data={"csrf": _csrf(desk), "name": "x", "giorni": days}).status_code == 422


def test_tokens_are_listed_and_taken_back_by_the_command(settings: Settings, maker: User) -> None:
    bind, run = engine(settings), CliRunner()
    order = ["user", "token", "--ente", "alfa", "--name", "prova", "--by", maker.email, "--days", "3"]
    token = run.invoke(app, order, env=settings.environment()).stdout.strip()
    assert find_token(bind, token, NOW) is not None
    (row,) = tokens_of(bind)
    shown = run.invoke(app, ["user", "tokens"], env={**settings.environment(), "COLUMNS": "200"}).stdout
    assert row["token_hash"][:12] in shown and "reads" in shown
    assert run.invoke(app, ["user", "revoke", row["token_hash"][:11]], env=settings.environment()).exit_code == 1
    assert run.invoke(app, ["user", "revoke", "%%%%%%%%%%%%"], env=settings.environment()).exit_code == 1
    assert run.invoke(app, ["user", "revoke", row["token_hash"][:12]], env=settings.environment()).exit_code == 0
    assert find_token(bind, token, NOW) is None
