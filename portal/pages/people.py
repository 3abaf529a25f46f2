"""Accounts and API tokens, for an ente's manager (of that ente) and the administrator; the log of the ente."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Form, HTTPException, Request, Response

from pcc_pipeline.database.schema import table
from pcc_pipeline.tables.accounts import ENTE_MANAGER, ENTE_USER
from portal import audit
from portal.accounts import AccountError, add_user, close_account, reset_password, users_of
from portal.files import table_file
from portal.tokens import LONGEST, new_token, revoke, tokens_of
from portal.web import AtDesk, Desk, HonestForm, address_of, engine_of, now, page

router = APIRouter()


@router.get("/persone")
def people(request: Request, desk: AtDesk) -> Response:
    """The ente's accounts, tokens and log."""
    return _people(request, desk)


@router.get("/persone/{name}.{suffix}")
def people_file(
    request: Request, desk: AtDesk, name: Literal["accessi", "registro"], suffix: Literal["csv", "xlsx"]
) -> Response:
    """The ente's accounts, or its whole log, as a file."""
    _manages(desk)
    with engine_of(request).connect() as connection:
        found = users_of(connection, desk.ente) if name == "accessi" else connection.execute(_log(desk.ente)).all()
        rows = [row._asdict() for row in found]
    columns = ("email", "name", "role", "active") if name == "accessi" else ("at", "who", "action", "detail", "address")
    _record(request, desk, "export", f"{name}.{suffix}")
    return table_file(f"{desk.ente}-{name}", suffix, columns, rows)


@router.post("/persone")
def add(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    email: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=200)],
    name: Annotated[str, Form(max_length=200)] = "",
    role: Annotated[str, Form(pattern=f"^({ENTE_USER}|{ENTE_MANAGER})$")] = ENTE_USER,
) -> Response:
    """Makes an account of the ente."""
    _manages(desk)
    try:
        add_user(engine_of(request), email, name, role, desk.ente, password, by=session.user.user_id)
    except AccountError as error:
        return _people(request, desk, problem=error.italian)
    _record(request, desk, "account_added", email)
    return _people(request, desk)


@router.post("/persone/{user_id}/chiudi")
def close(request: Request, desk: AtDesk, session: HonestForm, user_id: int) -> Response:
    """Closes an account of the ente; its sessions end."""
    _manages(desk)
    email = close_account(engine_of(request), user_id, desk.ente)
    if email is None:
        raise HTTPException(404, "Questo accesso non c'è")
    _record(request, desk, "account_closed", email)
    return _people(request, desk)


@router.post("/persone/{user_id}/password")
def reset(
    request: Request, desk: AtDesk, session: HonestForm, user_id: int, password: Annotated[str, Form(max_length=200)]
) -> Response:
    """Gives an account of the ente a new password and unlocks it; its sessions end."""
    _manages(desk)
    try:
        email = reset_password(engine_of(request), user_id, desk.ente, password, by=session.user.user_id)
    except AccountError as error:
        return _people(request, desk, problem=error.italian)
    if email is None:
        raise HTTPException(404, "Questo accesso non c'è")
    _record(request, desk, "password_reset", email)
    return _people(request, desk)


@router.post("/gettoni")
def token(
    request: Request, desk: AtDesk, session: HonestForm, name: Annotated[str, Form(max_length=100)],
    days: Annotated[int, Form(alias="giorni", ge=1, le=LONGEST.days)] = LONGEST.days,
) -> Response:  # fmt: skip
    """Makes a token of the API, shown this once; it ends with its day, its maker's new password or closed account."""
    _manages(desk)
    made = new_token(engine_of(request), desk.ente, name, desk.session.user.user_id, now(), timedelta(days=days))
    _record(request, desk, "token_made", name)
    return _people(request, desk, token=made)


@router.post("/gettoni/{token_hash}/revoca")
def take_back(request: Request, desk: AtDesk, session: HonestForm, token_hash: str) -> Response:
    """Takes a token back."""
    _manages(desk)
    if len(token_hash) != 64 or not revoke(engine_of(request), token_hash, now(), desk.ente):
        raise HTTPException(404, "Questo gettone non c'è")
    _record(request, desk, "token_revoked", token_hash[:12])
    return _people(request, desk)


def _people(request: Request, desk: Desk, *, problem: str | None = None, token: str | None = None) -> Response:
    _manages(desk)
    tokens = tokens_of(engine_of(request), desk.ente)
    with engine_of(request).connect() as connection:
        log = connection.execute(_log(desk.ente).limit(100)).mappings().all()
        users = users_of(connection, desk.ente)
    return page(request, "people.html", 400 if problem else 200, ente=desk.ente, published=desk.published, users=users,
                tokens=tokens, log=log, problem=problem, token=token)  # fmt: skip


def _log(ente: str) -> sa.Select[Any]:
    a = table("audit")
    return sa.select(a).where(a.c.ente == ente).order_by(a.c.entry.desc())


def _manages(desk: Desk) -> None:
    if not desk.session.user.manages:
        raise HTTPException(403, "Solo chi gestisce l'ente vede questa pagina")


def _record(request: Request, desk: Desk, action: str, detail: str) -> None:
    audit.record(engine_of(request), desk.session.user.email, action, ente=desk.ente, detail=detail,
                 address=address_of(request))  # fmt: skip
