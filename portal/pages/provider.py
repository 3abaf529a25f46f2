"""The provider's own pages: accounts of operators and administrators, the log of what belongs to no ente, its report."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, HTTPException, Request, Response

from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.database.schema import table
from pcc_pipeline.enti.facts import ente_names
from pcc_pipeline.reports.facts import Facts, NothingPublished, facts
from pcc_pipeline.reports.page import provider_page
from pcc_pipeline.tables.accounts import ADMINISTRATOR, OPERATOR
from portal import audit
from portal.accounts import AccountError, add_user, close_account, reset_password, users_of
from portal.sessions import DeskSession
from portal.web import HonestForm, SignedIn, address_of, database_of, engine_of, installation_for, only_provider, page

router = APIRouter(prefix="/fornitore")


@router.get("/persone")
def people(request: Request, session: SignedIn) -> Response:
    """The provider's accounts and log."""
    return _people(request, session)


@router.post("/persone")
def add(
    request: Request,
    session: HonestForm,
    email: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=200)],
    name: Annotated[str, Form(max_length=200)] = "",
    role: Annotated[str, Form(pattern=f"^({OPERATOR}|{ADMINISTRATOR})$")] = OPERATOR,
) -> Response:
    """Makes an account of the provider."""
    _administers(session)
    try:
        add_user(engine_of(request), email, name, role, None, password, by=session.user.user_id)
    except AccountError as error:
        return _people(request, session, problem=error.italian)
    _record(request, session, "account_added", f"{email} {role}")
    return _people(request, session)


@router.post("/persone/{user_id}/chiudi")
def close(request: Request, session: HonestForm, user_id: int) -> Response:
    """Closes an account of the provider; its sessions end. The last administrator stays."""
    _administers(session)
    try:
        email = close_account(engine_of(request), user_id, None)
    except AccountError as error:
        return _people(request, session, problem=error.italian)
    return _done(request, session, "account_closed", email)


@router.post("/persone/{user_id}/password")
def reset(request: Request, session: HonestForm, user_id: int, password: Annotated[str, Form(max_length=200)]) -> Response:
    """Gives an account of the provider a new password and unlocks it; its sessions end."""
    _administers(session)
    try:
        email = reset_password(engine_of(request), user_id, None, password, by=session.user.user_id)
    except AccountError as error:
        return _people(request, session, problem=error.italian)
    return _done(request, session, "password_reset", email)


@router.get("/rapporto")
def report(request: Request, session: SignedIn) -> Response:
    """The provider's report over all enti, as they are published now."""
    only_provider(session)
    with installation_for(request, PROVIDER) as installation:
        names = ente_names(installation)
    p, found = table("publications"), list[Facts]()
    with database_of(request).provider() as connection:
        published = list(connection.execute(sa.select(p.c.ente).distinct().order_by(p.c.ente)).scalars())
    for ente in published:
        with database_of(request).tenant_engine(ente) as engine, suppress(NothingPublished):
            found.append(facts(engine, ente, names.get(ente)))
    _record(request, session, "report", "provider")
    disposition = {"Content-Disposition": 'attachment; filename="fornitore.html"'}
    return Response(provider_page(found), media_type="text/html", headers=disposition)


def _done(request: Request, session: DeskSession, action: str, email: str | None) -> Response:
    if email is None:
        raise HTTPException(404, "Questo accesso non c'è")
    _record(request, session, action, email)
    return _people(request, session)


def _people(request: Request, session: DeskSession, *, problem: str | None = None) -> Response:
    _administers(session)
    a = table("audit")
    with engine_of(request).connect() as connection:
        users = users_of(connection, None)
        latest = sa.select(a).where(a.c.ente.is_(None)).order_by(a.c.entry.desc()).limit(100)
        log = connection.execute(latest).mappings().all()
    return page(request, "provider_people.html", 400 if problem else 200, users=users, log=log, problem=problem)


def _administers(session: DeskSession) -> None:
    if not session.user.administers:
        raise HTTPException(403, "Solo l'amministratore vede questa pagina")


def _record(request: Request, session: DeskSession, action: str, detail: str) -> None:
    audit.record(engine_of(request), session.user.email, action, detail=detail, address=address_of(request))
