"""What the API offers, for people who are signed in: as a page, and as the OpenAPI document for programs."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from portal import api
from portal.web import SignedIn, page

router = APIRouter(prefix="/api")


@router.get("/documentazione")
def guide(request: Request, session: SignedIn) -> Response:
    """The API's addresses with their parameters, and the tables that it gives."""
    calls = [
        {"path": path, "words": call["description"], "parameters": call.get("parameters", [])}
        for path, methods in request.app.openapi()["paths"].items()
        for call in methods.values()
    ]
    return page(request, "api.html", calls=calls, tables=api.described())


@router.get("/openapi.json")
def document(request: Request, session: SignedIn) -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())
