"""What the proxy in front asks: whether the desk can serve, and whether a person may see Dagster's web interface."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from portal.sessions import find_session
from portal.web import SESSION, cookie, engine_of, now, only_provider

router = APIRouter()


@router.get("/health")
def health(request: Request) -> JSONResponse:
    """200 while the database answers, else 503; says nothing else to whoever asks."""
    try:
        with engine_of(request).connect() as connection:
            connection.execute(sa.select(1))
    except sa.exc.SQLAlchemyError:
        return JSONResponse({"status": "database unreachable"}, 503)
    return JSONResponse({"status": "ok"})


@router.get("/operatori/verifica")
def operators(request: Request) -> Response:
    """204 to whoever is signed in and works for the provider, else 401 or 403: what a proxy asks before it lets a request
    through to Dagster's web interface, which asks nobody."""
    session = find_session(engine_of(request), request.cookies.get(cookie(request, SESSION)), now())
    if session is None:
        raise HTTPException(401, "Bisogna prima entrare")
    only_provider(session)
    return Response(status_code=204)
