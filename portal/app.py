"""The web application: pages, API, static files."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from pcc_pipeline.codes import NoEnteCode
from pcc_pipeline.installation import private
from pcc_pipeline.settings import Settings
from portal import api, audit
from portal.guard import Guard
from portal.headers import Headers
from portal.identity import Provider, client
from portal.pages import ROUTERS
from portal.tenancy import DeskDatabase
from portal.uploads import no_room
from portal.web import OtherPageFirst, page

#: Names by which a machine asks itself.
LOCAL = ("localhost", "127.0.0.1", "::1")


def from_environment() -> FastAPI:
    """The desk of the environment's installation: what a server is told to start."""
    settings = Settings.from_environment()
    # A worker of its own is no child of the command line that set this for itself.
    private(settings.home)
    hosts = [*LOCAL, *settings.desk_hosts]
    https = bool(os.environ.get("PCC_DESK_HTTPS"))
    app = create_app(settings, secure_cookies=https, provider=Provider.from_environment(), hosts=hosts)
    # What was loaded stays for good: to look through it for garbage now and then would hold a page up for 0.1 to 0.2 s.
    gc.collect()
    gc.freeze()
    return app


def create_app(
    settings: Settings | None = None, *, secure_cookies: bool = False, provider: Provider | None = None,
    hosts: Sequence[str] = ("*",),
) -> FastAPI:  # fmt: skip
    """The desk over an installation. `secure_cookies` where it is served by HTTPS (behind a proxy); with an
    identity `provider` people may sign in through it too. It answers to the names of `hosts` alone (`*`: to any)."""
    database = DeskDatabase(settings or Settings.from_environment())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database.open()
        yield
        database.close()

    app = FastAPI(title="PCC desk", version="1", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.database = database
    app.state.secure_cookies = secure_cookies
    app.state.seen = audit.SeenPage()
    app.state.provider, app.state.oauth = provider, client(provider) if provider else None
    if provider:  # state and nonce travel in a signed cookie of their own, for ten minutes
        app.add_middleware(
            SessionMiddleware, secret_key=provider.client_secret, max_age=600,
            session_cookie="__Host-pcc_identity" if secure_cookies else "pcc_identity",
            same_site="lax", https_only=secure_cookies,
        )  # fmt: skip
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    for router in ROUTERS:
        app.include_router(router, include_in_schema=False)
    app.include_router(api.router)

    app.add_middleware(Guard)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    app.add_middleware(Headers, https=secure_cookies)

    @app.exception_handler(OtherPageFirst)
    async def to_other_page(request: Request, error: OtherPageFirst) -> Response:
        return RedirectResponse(error.page, 303)

    @app.exception_handler(NoEnteCode)
    async def no_ente(request: Request, error: NoEnteCode) -> Response:
        """A session that names what no ente is called: by no way of ours."""
        return page(request, "error.html", 404, detail="Questo ente non c'è", code=404)

    @app.exception_handler(OSError)
    async def full(request: Request, error: OSError) -> Response:
        """The disk is full, or may not be written. Any other error is a fault of ours."""
        return page(request, "error.html", 507, detail=no_room(error), code=507)

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)
        return page(request, "error.html", error.status_code, detail=error.detail, code=error.status_code)

    @app.exception_handler(RequestValidationError)
    async def misread(request: Request, error: RequestValidationError) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"detail": [{"loc": e["loc"], "msg": e["msg"]} for e in error.errors()]}, 422)
        return page(request, "error.html", 422, detail="La richiesta non è leggibile", code=422)

    @app.exception_handler(DataError)
    async def impossible(request: Request, error: DataError) -> Response:
        """A value that no column can hold (a NUL in a text, a number out of range): the request's fault, never a row's."""
        if request.url.path.startswith("/api/"):
            return JSONResponse({"detail": "A value that cannot be"}, 422)
        return page(request, "error.html", 422, detail="La richiesta non è leggibile", code=422)

    return app
