"""Signing in and out, one's own password, the language."""

from __future__ import annotations

import hmac
import re
import secrets
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from pcc_pipeline.codes import ENTE, PROVIDER
from pcc_pipeline.database.schema import table
from portal import audit
from portal.accounts import AccountError, User, change_password, check_password, ente_of, has_accounts, must_change
from portal.sessions import LONGEST, close_session, open_session
from portal.web import (
    LANGUAGE,
    SESSION,
    SIGN_IN_FORM,
    HonestForm,
    SignedIn,
    address_of,
    cookie,
    database_of,
    engine_of,
    now,
    page,
    set_cookie,
)

router = APIRouter()

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@router.get("/accesso")
def sign_in_page(request: Request) -> Response:
    """The form to sign in."""
    return sign_in_form(request)


def sign_in_form(request: Request, status: int = 200, problem: str | None = None, email: str = "") -> Response:
    """The form, with a token that it and a cookie bear: another site can make a browser send neither."""
    known = request.cookies.get(cookie(request, SIGN_IN_FORM), "")
    token = known if _TOKEN.fullmatch(known) else secrets.token_urlsafe(32)  # another tab's form stays good
    response = page(request, "sign_in.html", status, problem=problem, email=email, token=token)
    set_cookie(request, response, SIGN_IN_FORM, token, 3600, strict=True)
    return response


@router.post("/accesso")
def sign_in(
    request: Request,
    email: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=200)] = "",
    token: Annotated[str, Form(alias="csrf", max_length=100)] = "",
) -> Response:
    """Opens a session, or says that the address and password do not go together: never which is wrong."""
    engine, address = engine_of(request), address_of(request)
    if not token or not hmac.compare_digest(token.encode(), request.cookies.get(cookie(request, SIGN_IN_FORM), "").encode()):
        return sign_in_form(request, 403, "La pagina è scaduta: riprovare", email)
    attempt = audit.begin_attempt(engine, address, now())
    if attempt is None:
        return sign_in_form(request, 429, "Troppi tentativi da questo indirizzo: riprovare tra un quarto d'ora", email)
    user = check_password(engine, email, password, now())
    if user is None:
        who = email.strip().lower()
        audit.record(engine, who or "–", "sign_in_failed", ente=ente_of(engine, who), address=address)
        problem = "Indirizzo o password non corretti, o accesso sospeso per un quarto d'ora dopo troppi errori"
        return sign_in_form(request, 401, problem, email)
    audit.forgive(engine, attempt)
    return signed_in_response(request, user, "password", must_change=must_change(engine, user))


def signed_in_response(request: Request, user: User, how: str, *, must_change: bool = False) -> Response:
    """Opens a session for a user who proved who they are, and goes to the first page."""
    engine = engine_of(request)
    audit.record(engine, user.email, "sign_in", ente=user.ente, detail=how, address=address_of(request))
    response = RedirectResponse("/", 303)
    token = open_session(engine, user, now(), must_change=must_change)
    set_cookie(request, response, SESSION, token, int(LONGEST.total_seconds()))
    return response


@router.post("/uscita")
def sign_out(request: Request, session: HonestForm) -> Response:
    """Ends the session."""
    close_session(engine_of(request), session)
    audit.record(engine_of(request), session.user.email, "sign_out", address=address_of(request))
    response = RedirectResponse("/accesso", 303)
    response.delete_cookie(cookie(request, SESSION), secure=request.app.state.secure_cookies, httponly=True, samesite="lax")
    return response


@router.get("/password")
def password_page(request: Request, session: SignedIn) -> Response:
    """The form to change one's own password."""
    return page(request, "password.html", problem=None, changed=False)


@router.post("/password")
def change(
    request: Request,
    session: HonestForm,
    old: Annotated[str, Form(max_length=200)] = "",
    new: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Changes one's own password; the other sessions end."""
    try:
        change_password(engine_of(request), session.user, old, new, now(), keep=session.token_hash)
    except AccountError as error:
        return page(request, "password.html", 400, problem=error.italian, changed=False)
    who = session.user
    audit.record(engine_of(request), who.email, "password_changed", ente=who.ente, address=address_of(request))
    return page(request, "password.html", problem=None, changed=True)


def known_ente(request: Request, ente: str) -> bool:
    """Whether an ente of that code was published, stands in the provider's register, or has accounts."""
    if ENTE.fullmatch(ente) is None or ente == PROVIDER:
        return False
    p, s = table("publications"), table("service_life")
    query = sa.select(sa.or_(sa.exists().where(p.c.ente == ente), sa.exists().where(s.c.codice_ente == ente)))
    with database_of(request).provider() as connection:
        return bool(connection.execute(query).scalar_one()) or has_accounts(engine_of(request), ente)


@router.get("/lingua/{code}")
def language(request: Request, code: str) -> Response:
    """Remembers the language."""
    response = RedirectResponse("/", 303)
    if code in ("it", "en"):
        set_cookie(request, response, LANGUAGE, code, 31_536_000)
    return response
