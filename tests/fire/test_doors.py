"""The doors of the desk: cookies and headers over HTTPS, names it answers to, the sign-in form, guesses at one moment, the
second of two persons, the API's own guide."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import PASSWORD, _csrf, _sign_in, desk, try_password

from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.review.operations import Selection, decide_operations
from pcc_pipeline.review.pairs import DecisionError
from pcc_pipeline.settings import Settings
from portal import audit, second
from portal.accounts import User, add_user, reset_password
from portal.app import create_app
from portal.identity import Provider


def test_over_https_cookies_are_this_host_s_and_browsers_come_by_https_alone(settings: Settings) -> None:
    add_user(engine(settings), "chi@alfa.it", "Chi", "ente_manager", "alfa", PASSWORD)
    app = create_app(settings, secure_cookies=True)
    with TestClient(app, base_url="https://testserver") as client:
        answer = try_password(client, "chi@alfa.it")
        assert answer.status_code == 303 and answer.headers["strict-transport-security"] == "max-age=31536000"
        given = [client.get("/accesso").headers["set-cookie"], answer.headers["set-cookie"]]
        given.append(client.get("/lingua/en", follow_redirects=False).headers["set-cookie"])
        for cookie in given:
            assert re.match(r"__Host-\w+=", cookie) and "Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie
            assert "HttpOnly" in cookie and "samesite=" in cookie.lower()
        assert client.get("/", follow_redirects=False).status_code == 200
        ended = client.post("/uscita", data={"csrf": _csrf(client)}, follow_redirects=False).headers["set-cookie"]
        assert ended.startswith('__Host-pcc_desk=""') and "Secure" in ended
    with TestClient(create_app(settings)) as client:
        assert "strict-transport-security" not in client.get("/accesso").headers


def test_it_answers_to_its_names_alone(settings: Settings) -> None:
    app = create_app(settings, hosts=("localhost", "desk.example.it"))
    with TestClient(app, base_url="http://localhost") as client:
        for name, status in (("localhost:8000", 200), ("desk.example.it", 200), ("DESK.example.it", 200), ("evil.example", 400),
                             ("", 400), ("localhost.evil.example", 400), ("x@localhost", 400)):  # fmt: skip
            assert client.get("/accesso", headers={"host": name}).status_code == status, name
        assert "location" not in client.get("/enti/", headers={"host": "evil.example"}, follow_redirects=False).headers


def test_nobody_is_signed_in_by_another_site(desk: TestClient) -> None:
    data = {"email": "chi@alfa.it", "password": PASSWORD}
    for more in ({}, {"csrf": ""}, {"csrf": "guessed"}, {"csrf": "x" * 43}):
        answer = desk.post("/accesso", data={**data, **more}, follow_redirects=False)
        assert answer.status_code == 403 and "pcc_desk" not in desk.cookies
    token = desk.get("/accesso").text.split('name="csrf" value="')[1].split('"')[0]
    desk.cookies.clear()  # the token of somebody else's form, without its cookie
    assert desk.post("/accesso", data={**data, "csrf": token}, follow_redirects=False).status_code == 403
    _sign_in(desk, "chi@alfa.it")


def test_two_forms_open_side_by_side_are_both_good(desk: TestClient) -> None:
    first = desk.get("/accesso").text.split('name="csrf" value="')[1].split('"')[0]
    desk.get("/accesso")
    data = {"csrf": first, "email": "chi@alfa.it", "password": PASSWORD}
    assert desk.post("/accesso", data=data, follow_redirects=False).status_code == 303


def test_guesses_at_one_moment_are_counted_before_they_are_tried(settings: Settings) -> None:
    bind, now = engine(settings), datetime.now(UTC)
    with ThreadPoolExecutor(30) as pool:
        begun = list(pool.map(lambda n: audit.begin_attempt(bind, "10.0.0.1", now), range(60)))
    good = [attempt for attempt in begun if attempt is not None]
    assert len(good) == audit.FAILED_FROM_ADDRESS
    assert audit.begin_attempt(bind, "10.0.0.2", now) is not None  # another address
    audit.forgive(bind, good[0])  # one ended well
    assert audit.begin_attempt(bind, "10.0.0.1", now) is not None and audit.begin_attempt(bind, "10.0.0.1", now) is None
    assert audit.begin_attempt(bind, "10.0.0.1", now + audit.WINDOW) is not None


def test_whoever_signs_in_well_is_not_counted(desk: TestClient) -> None:
    for _ in range(audit.FAILED_FROM_ADDRESS + 3):
        _sign_in(desk, "chi@alfa.it")


def test_the_guide_to_the_api_is_ours_and_for_who_is_signed_in(desk: TestClient) -> None:
    for path in ("/api/documentazione", "/api/openapi.json", "/docs", "/redoc", "/openapi.json"):
        assert desk.get(path, follow_redirects=False).status_code in (303, 404), path
    _sign_in(desk, "chi@alfa.it")
    page = desk.get("/api/documentazione").text
    assert "/api/v1/tabelle/{name}" in page and "debt_positions" in page and "PROJECTED" not in page
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page) and "<script>" not in page
    assert "/api/v1/stato" in desk.get("/api/openapi.json").json()["paths"]


HOUR = timedelta(hours=1)


def _person(settings: Settings, name: str, by: User | None = None, ago: timedelta = timedelta(0)) -> User:
    user = add_user(engine(settings), f"{name}@alfa.it", name, "ente_manager", "alfa", PASSWORD, by=by.user_id if by else None)
    with engine(settings).begin() as connection:
        users = table("users")
        made = sa.update(users).where(users.c.user_id == user.user_id, users.c.keyed_by.is_not(None))
        connection.execute(made.values(keyed_at=datetime.now(UTC) - ago))
    return user


def _approve(settings: Settings, database: sa.Engine, user: User) -> dict[str, int]:
    judge = second.two_persons(engine(settings), "alfa", user, datetime.now(UTC))
    done = decide_operations(database, "alfa", "approve", Selection(("b1",)), who=user.email, judge=judge)
    return dict(done.states)


def test_two_persons_are_not_one_with_two_accounts(settings: Settings, database: sa.Engine) -> None:
    """b1 is above the limit."""
    first = _person(settings, "prima")
    made, child = _person(settings, "fatta", by=first), None
    child = _person(settings, "nipote", by=made)
    assert _approve(settings, database, first) == {"waiting": 1}
    for other in (made, child):
        with pytest.raises(DecisionError, match="un'altra persona"):
            _approve(settings, database, other)
    old = _person(settings, "vecchia", by=first, ago=25 * HOUR)
    assert _approve(settings, database, old) == {"approved": 1}


def test_nor_the_other_way_round_nor_by_a_new_password(settings: Settings, database: sa.Engine) -> None:
    maker = _person(settings, "capo")
    made = _person(settings, "fatta", by=maker)
    assert _approve(settings, database, made) == {"waiting": 1}
    with pytest.raises(DecisionError, match="un'altra persona"):
        _approve(settings, database, maker)
    settled = _person(settings, "terza")
    reset_password(engine(settings), settled.user_id, "alfa", PASSWORD, by=made.user_id)
    with pytest.raises(DecisionError, match="un'altra persona"):
        _approve(settings, database, settled)
    assert _approve(settings, database, _person(settings, "quarta")) == {"approved": 1}
