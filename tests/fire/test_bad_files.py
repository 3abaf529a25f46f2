"""What a file or its name does wrong is told to its sender; no server error, and nothing is delivered by the way."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from test_portal import PAYMENTS, _csrf, _landed, _sign_in, desk

from pcc_pipeline.arrival import reading
from pcc_pipeline.arrival.welcome import safe_name
from pcc_pipeline.settings import Settings
from portal import uploads
from portal.app import create_app
from portal.identity import Provider

HEADER = b"piva_fornitore;numero;data_emissione\n12345678903;1;2025-01-01\n"


def send(client: TestClient, name: str, content: bytes, kind: str = "auto") -> Any:
    return client.post("/consegne", data={"csrf": _csrf(client), "kind": kind}, files={"files": (name, content)})


@pytest.mark.parametrize("kind", ["auto", "open_list", "erp_payments"])
def test_a_line_of_three_megabytes(desk: TestClient, kind: str) -> None:
    _sign_in(desk, "chi@alfa.it")
    assert send(desk, "lunga.csv", HEADER + b"x" * 3_000_000, kind).status_code == 200


def test_a_reader_that_fails_is_the_reader_s_fault_and_the_sender_is_told(
    desk: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*given: object, **named: object) -> None:
        raise MemoryError("a fault of the reader")

    monkeypatch.setattr(uploads, "parse", failing)
    _sign_in(desk, "chi@alfa.it")
    answer = send(desk, "a.csv", HEADER, "open_list")
    assert answer.status_code == 200 and "non si riesce a leggere" in answer.text and not _landed(settings)
    assert "Non si riconosce" in send(desk, "a.csv", HEADER).text and not _landed(settings)


@pytest.mark.parametrize("kind", ["auto", "open_list"])
def test_a_file_that_kills_its_reader_does_not_kill_the_desk(
    desk: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(reading, "PARSER", "hostile_reader")
    monkeypatch.setattr(uploads, "READING_AT_ONCE", replace(uploads.READING_AT_ONCE, seconds=2.0))
    _sign_in(desk, "chi@alfa.it")
    for harm in (b"ABORT", b"LOOP", b"EAT"):
        answer = send(desk, "a.csv", harm, kind)
        assert answer.status_code == 200 and "Il file non si può leggere: la lettura" in answer.text
        assert "messo da parte" not in answer.text and not _landed(settings)
    assert "consegnato come" in send(desk, "b.csv", PAYMENTS.encode(), "erp_payments").text


@pytest.mark.parametrize(
    "name", ["文" * 100 + ".csv", "è" * 146 + ".csv", "𐍈" * 140 + ".csv", "e\u0301" * 120 + ".csv", "x" * 1000 + ".csv"]
)
def test_long_names_are_shortened_by_bytes(desk: TestClient, settings: Settings, name: str) -> None:
    assert len(safe_name(name).encode()) <= 150
    _sign_in(desk, "chi@alfa.it")
    for _ in range(2):
        assert "consegnato come" in send(desk, name, PAYMENTS.encode(), "erp_payments").text
    landed = _landed(settings)
    assert len(landed) == 2 and all(path.endswith(".csv") for path in landed)
    asked = {"csrf": _csrf(desk), "name": name[:300], "size": "5", "changed": "1"}
    assert desk.post("/consegne/parti", data=asked).status_code in (200, 400)


def test_a_nul_in_a_name_is_refused_before_anything_is_delivered(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    body = (
        b"--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n" + _csrf(desk).encode()
        + b"\r\n--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nerp_payments"
        b"\r\n--x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"buona.csv\"\r\n\r\n" + PAYMENTS.encode()
        + b"\r\n--x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\0b.csv\"\r\n\r\n" + PAYMENTS.encode() + b"\r\n--x--\r\n"
    )  # fmt: skip
    answer = desk.post("/consegne", content=body, headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code in (400, 422) and not _landed(settings)
    asked = {"csrf": _csrf(desk), "name": "a\0.csv", "size": "5", "changed": "1"}
    assert desk.post("/consegne/parti", data=asked).status_code == 400
    assert send(desk, "buona.csv", PAYMENTS.encode(), "erp\0payments").status_code in (200, 422) and not _landed(settings)


def test_an_identity_provider_that_is_down_has_a_page_that_says_so(settings: Settings) -> None:
    gone = Provider("http://127.0.0.1:9", "desk", "segreto")
    with TestClient(create_app(settings, provider=gone), base_url="http://localhost") as client:
        answer = client.get("/accesso/identita", follow_redirects=False)
        assert answer.status_code == 503 and "non risponde" in answer.text and 'name="password"' in answer.text
        assert client.get("/accesso/identita/ritorno?code=x&state=y").status_code in (401, 503)
