"""Bodies are judged before they are read: how long they are, who sends them, from which site."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from test_portal import PASSWORD, _csrf, _sign_in, desk

from portal import guard
from portal.web import SESSION


def ask(client: TestClient, method: str, path: str, headers: dict[str, str], pieces: list[bytes]) -> tuple[int, int]:
    """The status of an answer, and how many bytes of the body the desk took: pieces are handed over one by one."""
    taken, status = 0, 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        if not pieces:
            return {"type": "http.disconnect"}
        piece = pieces.pop(0)
        taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    given = {"host": "testserver", **headers}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "server": ("testserver", 80), "client": ("10.0.0.9", 1),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }  # fmt: skip
    asyncio.run(client.app(scope, receive, send))
    return status, taken


FORM = "application/x-www-form-urlencoded"


def cookies(client: TestClient) -> str:
    return f"{SESSION}={client.cookies[SESSION]}"


@pytest.mark.parametrize(
    "path", ["/consegne", "/consegne/parti", "/consegne/parti/x", "/operazioni", "/persone", "/enti", "/nessuna"]
)
def test_who_is_not_signed_in_sends_no_body(desk: TestClient, path: str) -> None:
    before = set(Path(tempfile.gettempdir()).iterdir())
    for told in ({"content-length": "1000"}, {"transfer-encoding": "chunked"}):
        for cookie in ("", f"{SESSION}=guessed"):
            headers = {"content-type": "multipart/form-data; boundary=x", "cookie": cookie, **told}
            assert ask(desk, "POST", path, headers, [b"x" * 1000]) == (303, 0)
    assert not {p for p in set(Path(tempfile.gettempdir()).iterdir()) - before if p.name.startswith("tmp") and p.stat().st_size}


def test_a_length_that_is_told_is_believed_one_that_is_not_is_counted(desk: TestClient) -> None:
    most = guard.longest("/accesso")
    assert ask(desk, "POST", "/accesso", {"content-type": FORM, "content-length": str(most + 1)}, [b"x" * 1000]) == (413, 0)
    status, taken = ask(
        desk, "POST", "/accesso", {"content-type": FORM, "transfer-encoding": "chunked"}, [b"a=" + b"x" * 9998] * 100
    )
    assert status == 413 and taken <= most + 10_000
    status, taken = ask(desk, "POST", "/accesso", {"content-type": FORM, "content-length": "10"}, [b"x" * 10_000] * 100)
    assert status == 413 and taken <= most + 10_000  # a server in front may not hold a sender to what was told
    assert ask(desk, "POST", "/accesso", {"content-type": FORM, "content-length": "-1"}, [b"x"]) == (400, 0)


def test_whoever_is_signed_in_is_held_to_what_a_page_takes(desk: TestClient) -> None:
    _sign_in(desk, "chi@alfa.it")
    headers = {"content-type": FORM, "cookie": cookies(desk), "transfer-encoding": "chunked"}
    for path in ("/persone", "/domande", "/consegne/conferma", "/operazioni", "/consegne/parti/0"):
        most = guard.longest(path)
        status, taken = ask(desk, "POST", path, headers, [b"x" * 65_536] * 400)
        assert status in (400, 413) and taken <= most + 65_536, path  # 400: one field alone is too long
    length = {**headers, "content-length": str(guard.longest("/consegne") + 1)}
    del length["transfer-encoding"]
    assert ask(desk, "POST", "/consegne", length, [b"x"]) == (413, 0)


def test_fields_beside_files_are_few_and_short(desk: TestClient) -> None:
    _sign_in(desk, "chi@alfa.it")
    long = {"csrf": _csrf(desk), "kind": "x" * 20_000}
    many = {"csrf": [_csrf(desk)] * 1200}
    for data in (long, many):
        assert desk.post("/consegne", data=data, files={"files": ("a.csv", b"x")}).status_code == 400
    files = [("files", (f"{n}.csv", b"x")) for n in range(61)]
    assert desk.post("/consegne", data={"csrf": _csrf(desk)}, files=files).status_code == 400


def test_nothing_is_sent_to_the_api_or_to_static_files(desk: TestClient) -> None:
    for path in ("/api/v1/stato", "/static/desk.css"):
        assert ask(desk, "GET", path, {"content-length": "5"}, [b"12345"]) == (413, 0)


def test_a_form_of_another_site_is_refused(desk: TestClient) -> None:
    _sign_in(desk, "chi@alfa.it")
    token = _csrf(desk)
    for headers in (
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    ):  # fmt: skip
        for path, data in (("/uscita", {"csrf": token}), ("/accesso", {"email": "a@b.it", "password": PASSWORD})):
            assert desk.post(path, data=data, headers=headers).status_code == 403
    for headers in ({"Origin": "http://testserver"}, {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, {}):
        assert desk.post("/password", data={"csrf": token, "old": "x", "new": "y"}, headers=headers).status_code == 400


def test_few_whole_files_of_one_person_at_once(desk: TestClient) -> None:
    found: Any = desk.app
    _sign_in(desk, "chi@alfa.it")
    shell = guard.Guard(found)
    from pcc_pipeline.database.engine import engine

    with engine(found.state.database.settings).connect() as connection:
        import sqlalchemy as sa

        user = connection.execute(sa.text("SELECT user_id FROM pcc.users WHERE email = 'chi@alfa.it'")).scalar_one()
    layer = found.middleware_stack
    while not isinstance(layer, guard.Guard):
        layer = layer.app
    layer._sending[user] = guard.AT_ONCE
    answer = desk.post("/consegne", data={"csrf": "x"}, files={"files": ("a.csv", b"x")})
    assert answer.status_code == 429 and shell._sending[user] == 0
    del layer._sending[user]
    assert desk.post("/consegne", data={"csrf": "x"}, files={"files": ("a.csv", b"x")}).status_code == 403
