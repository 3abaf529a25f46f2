"""Sign-in through an identity provider: a small OpenID Connect server of the test's own plays SPID's aggregator."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import uvicorn
from fastapi import FastAPI, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from serving import free_port

from pcc_pipeline.database.engine import engine
from pcc_pipeline.settings import Settings
from portal.accounts import add_user, close_account
from portal.app import create_app
from portal.identity import Provider

KEY = RSAKey.generate_key(2048, {"kid": "prova", "use": "sig", "alg": "RS256"})


class IdentityProvider:
    """Vouches for whoever `claims` names; keeps to the code flow with PKCE."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self.metadata)
        self.app.get("/jwks")(lambda: {"keys": [KEY.as_dict(private=False)]})
        self.app.get("/authorize")(self.authorize)
        self.app.post("/token")(self.token)

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks", "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
        }  # fmt: skip

    def authorize(self, request: Request) -> RedirectResponse:
        asked = dict(request.query_params)
        assert asked["code_challenge_method"] == "S256" and asked["nonce"]
        self.codes["codice"] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': 'codice', 'state': asked['state']})}")

    def token(self, code: str = Form(), code_verifier: str = Form()) -> JSONResponse:
        asked = self.codes.pop(code)
        digest = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")
        if digest != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "desk",
            "sub": "s",
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
            **self.claims,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "prova"}, claims, KEY)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": signed})


@contextmanager
def _running(app: FastAPI, port: int) -> Iterator[None]:
    up = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            up.set()

    server = Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert up.wait(60)
    yield
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def identity(settings: Settings) -> Iterator[tuple[TestClient, IdentityProvider]]:
    port = free_port()
    provider = IdentityProvider(f"http://127.0.0.1:{port}")
    add_user(engine(settings), "anna@alfa.it", "Anna", "ente_user", "alfa")
    with _running(provider.app, port):
        app = create_app(settings, provider=Provider(provider.issuer, "desk", "segreto"))
        with TestClient(app, base_url="http://localhost") as client:
            yield client, provider


def _there_and_back(client: TestClient) -> Any:
    import httpx

    leaving = client.get("/accesso/identita", follow_redirects=False)
    back = httpx.get(leaving.headers["location"]).headers["location"]
    parts = urlsplit(back)
    assert parse_qs(parts.query)["state"]
    return client.get(f"{parts.path}?{parts.query}", follow_redirects=False)


def test_who_is_vouched_for_and_has_an_account_gets_in(identity: tuple[TestClient, IdentityProvider]) -> None:
    client, provider = identity
    assert "Entra con SPID o CIE" in client.get("/accesso").text
    provider.claims = {"email": "Anna@alfa.it", "email_verified": True}
    answer = _there_and_back(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Anna" in client.get("/").text


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "anna@alfa.it"},
        {"email": "anna@alfa.it", "email_verified": False},
        {"email": "chi@altro.it", "email_verified": True},
        {},
    ],
)
def test_who_is_not_vouched_for_or_unknown_stays_out(
    identity: tuple[TestClient, IdentityProvider], claims: dict[str, Any]
) -> None:
    client, provider = identity
    provider.claims = claims
    assert _there_and_back(client).status_code == 403
    assert client.get("/", follow_redirects=False).headers["location"] == "/accesso"


def test_a_forged_answer_or_a_foreign_token_is_refused(identity: tuple[TestClient, IdentityProvider]) -> None:
    client, provider = identity
    assert client.get("/accesso/identita/ritorno?code=codice&state=inventato").status_code == 401
    provider.claims = {"email": "anna@alfa.it", "email_verified": True, "nonce": "altro"}
    assert _there_and_back(client).status_code == 401


def test_a_closed_account_stays_out(identity: tuple[TestClient, IdentityProvider], settings: Settings) -> None:
    client, provider = identity
    close_account(engine(settings), 1, "alfa")
    provider.claims = {"email": "anna@alfa.it", "email_verified": True}
    assert _there_and_back(client).status_code == 403
