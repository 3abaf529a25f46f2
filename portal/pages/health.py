"""Whether the desk can serve: for probes and for the proxy in front of it."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from portal.web import engine_of

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
