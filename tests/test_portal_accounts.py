"""Accounts at the desk: the provider's people, an ente's people, one's own password."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import PASSWORD, _sign_in, desk

from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.settings import Settings
from portal.accounts import FAILURES, add_user, check_password, reset_password, set_password

NEW = "un'altra lunga parola"


@pytest.fixture
def admin(desk: TestClient, settings: Settings) -> TestClient:
    """The desk with an administrator signed in; no ente chosen."""
    add_user(engine(settings), "capo@fornitore.it", "Capo", "administrator", None, PASSWORD)
    _sign_in(desk, "capo@fornitore.it")
    return desk


def _csrf(client: TestClient, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def _number(settings: Settings, email: str) -> int:
    with engine(settings).connect() as connection:
        return int(connection.execute(sa.select(table("users").c.user_id).where(table("users").c.email == email)).scalar_one())


def test_an_administrator_makes_and_closes_the_providers_accounts(admin: TestClient, settings: Settings) -> None:
    csrf = _csrf(admin, "/fornitore/persone")
    fields = {"csrf": csrf, "email": "nuova@fornitore.it", "name": "Nuova", "role": "operator", "password": PASSWORD}
    assert "nuova@fornitore.it" in admin.post("/fornitore/persone", data=fields).text
    again = admin.post("/fornitore/persone", data=fields)
    assert again.status_code == 400 and "già un accesso" in again.text
    assert admin.post("/fornitore/persone", data={**fields, "role": "ente_user"}).status_code == 422
    page = admin.get("/fornitore/persone").text
    assert "account_added: nuova@fornitore.it operator" in page and "chi@alfa.it" not in page

    number = _number(settings, "nuova@fornitore.it")
    now = datetime.now(UTC)
    for _ in range(FAILURES):
        check_password(engine(settings), "nuova@fornitore.it", "sbagliata", now)
    assert check_password(engine(settings), "nuova@fornitore.it", PASSWORD, now) is None
    assert admin.post(f"/fornitore/persone/{number}/password", data={"csrf": csrf, "password": "corta"}).status_code == 400
    assert admin.post(f"/fornitore/persone/{number}/password", data={"csrf": csrf, "password": NEW}).status_code == 200
    assert check_password(engine(settings), "nuova@fornitore.it", NEW, now) is not None, "a new password unlocks"
    admin.post(f"/fornitore/persone/{number}/chiudi", data={"csrf": csrf})
    assert check_password(engine(settings), "nuova@fornitore.it", NEW, now) is None


def test_the_last_administrator_stays(admin: TestClient, settings: Settings) -> None:
    csrf = _csrf(admin, "/fornitore/persone")
    mine = _number(settings, "capo@fornitore.it")
    refused = admin.post(f"/fornitore/persone/{mine}/chiudi", data={"csrf": csrf})
    assert refused.status_code == 400 and "ultimo amministratore" in refused.text
    add_user(engine(settings), "vice@fornitore.it", "Vice", "administrator", None, PASSWORD)
    admin.post(f"/fornitore/persone/{mine}/chiudi", data={"csrf": csrf})
    assert admin.get("/fornitore/persone", follow_redirects=False).headers["location"] == "/accesso"


def test_the_providers_page_touches_no_ente_and_is_for_administrators(admin: TestClient, settings: Settings) -> None:
    csrf, theirs = _csrf(admin, "/fornitore/persone"), _number(settings, "chi@alfa.it")
    for what in ("chiudi", "password"):
        assert admin.post(f"/fornitore/persone/{theirs}/{what}", data={"csrf": csrf, "password": NEW}).status_code == 404
    for email in ("operatore@fornitore.it", "chi@alfa.it"):
        _sign_in(admin, email)
        assert admin.get("/fornitore/persone").status_code == 403
        report = admin.get("/fornitore/rapporto")
        assert (report.status_code, "98.765,43" in report.text) == (
            (200, True) if email.startswith("operatore") else (403, False)
        )
        csrf = _csrf(admin, "/password")
        fields = {"csrf": csrf, "email": "x@y.it", "name": "", "role": "administrator", "password": PASSWORD}
        assert admin.post("/fornitore/persone", data=fields).status_code == 403


def test_a_manager_gives_new_passwords_in_their_own_ente_alone(desk: TestClient, settings: Settings) -> None:
    add_user(engine(settings), "uno@alfa.it", "Uno", "ente_user", "alfa", PASSWORD)
    _sign_in(desk, "chi@alfa.it")
    csrf, now = _csrf(desk, "/persone"), datetime.now(UTC)
    mine, theirs = _number(settings, "uno@alfa.it"), _number(settings, "chi@beta.it")
    assert desk.post(f"/persone/{mine}/password", data={"csrf": csrf, "password": NEW}).status_code == 200
    assert desk.post(f"/persone/{theirs}/password", data={"csrf": csrf, "password": NEW}).status_code == 404
    assert check_password(engine(settings), "uno@alfa.it", NEW, now) and not check_password(
        engine(settings), "chi@beta.it", NEW, now
    )
    taken = {"csrf": csrf, "email": "uno@alfa.it", "password": PASSWORD}
    assert "già un accesso" in desk.post("/persone", data=taken).text


def test_ones_own_password_ends_the_other_sessions(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    elsewhere = desk.cookies["pcc_desk"]
    _sign_in(desk, "chi@alfa.it")
    here, csrf = desk.cookies["pcc_desk"], _csrf(desk, "/password")
    wrong = desk.post("/password", data={"csrf": csrf, "old": "sbagliata", "new": NEW})
    assert wrong.status_code == 400 and "attuale" in wrong.text
    assert "12 caratteri" in desk.post("/password", data={"csrf": csrf, "old": PASSWORD, "new": "corta"}).text
    assert "Password cambiata" in desk.post("/password", data={"csrf": csrf, "old": PASSWORD, "new": NEW}).text
    for cookie, status in ((here, 200), (elsewhere, 303)):
        desk.cookies.clear()
        desk.cookies.set("pcc_desk", cookie)
        assert desk.get("/", follow_redirects=False).status_code == status


def test_a_password_of_anothers_choice_is_changed_first(desk: TestClient, settings: Settings) -> None:
    bind = engine(settings)
    maker = check_password(bind, "chi@alfa.it", PASSWORD, datetime.now(UTC))
    assert maker is not None
    add_user(bind, "nuova@alfa.it", "Nuova", "ente_user", "alfa", PASSWORD, by=maker.user_id)
    _sign_in(desk, "nuova@alfa.it")
    for path in ("/", "/operazioni", "/esporta/stock.csv", "/consegne"):
        answer = desk.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/password"), path
    page = desk.get("/password").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)[1]  # type: ignore[index]
    assert "scelta da un" in page
    delivered = desk.post("/consegne", data={"csrf": csrf}, files={"file": ("a.csv", b"x")}, follow_redirects=False)
    assert delivered.headers["location"] == "/password"
    same = desk.post("/password", data={"csrf": csrf, "old": PASSWORD, "new": PASSWORD})
    assert same.status_code == 400 and "uguale" in same.text
    assert desk.get("/", follow_redirects=False).headers["location"] == "/password"
    assert desk.post("/password", data={"csrf": csrf, "old": PASSWORD, "new": NEW}).status_code == 200
    assert desk.get("/operazioni", follow_redirects=False).status_code == 200
    _sign_in(desk, "nuova@alfa.it", NEW)
    assert desk.get("/operazioni", follow_redirects=False).status_code == 200
    # Given anew by a manager: the same again. By the command line: the person's own affair.
    reset_password(bind, _number(settings, "nuova@alfa.it"), "alfa", PASSWORD, by=maker.user_id)
    _sign_in(desk, "nuova@alfa.it")
    assert desk.get("/operazioni", follow_redirects=False).headers["location"] == "/password"
    set_password(bind, "nuova@alfa.it", NEW)
    _sign_in(desk, "nuova@alfa.it", NEW)
    assert desk.get("/operazioni", follow_redirects=False).status_code == 200


def test_a_password_has_128_characters_at_most(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    csrf = _csrf(desk, "/password")
    for length, status in ((129, 400), (128, 200)):
        answer = desk.post("/password", data={"csrf": csrf, "old": PASSWORD, "new": "è" * length})
        assert answer.status_code == status, length
    assert "128" in desk.post("/persone", data={"csrf": csrf, "email": "x@alfa.it", "password": "a" * 150}).text
    _sign_in(desk, "chi@alfa.it", "è" * 128)
