"""Judging a closed ticket from the link in a mail, without signing in: the link's signature says which closing it is about.

Opening the link changes nothing, since programs that look at mails open links too; the page sends its form by itself where
the link names a face, and has the three faces to tap where scripts do not run.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from pcc_pipeline.support import tickets
from pcc_pipeline.support.links import Judged, read_token
from pcc_pipeline.tables.service_feeds import JUDGEMENTS
from portal.pages.tickets import attempt, record
from portal.web import page, settings_of

router = APIRouter(prefix="/giudizio")

Token = Annotated[str, Path(max_length=400)]
NOT_OURS = "Il collegamento non è valido o è scaduto: il giudizio si può dare dalla scrivania"


@router.get("/{token}")
def ask(
    request: Request, token: Token, verdict: Annotated[str, Query(alias="voto", pattern=f"^({'|'.join(JUDGEMENTS)}|)$")] = ""
) -> Response:
    """The three faces."""
    return _page(request, token, _read(request, token), verdict)


@router.post("/{token}/{verdict}")
def judge(request: Request, token: Token, verdict: Annotated[str, Path(pattern=f"^({'|'.join(JUDGEMENTS)})$")]) -> Response:
    """Judges the closing that the link is about. Nothing but the address is sent, so nobody need be signed in."""
    about = _read(request, token)
    _, problem = attempt(
        request, about.ente,
        lambda bind, moment: tickets.judge(bind, about.ente, about.number, verdict, "dalla posta", moment, about.closing),
    )  # fmt: skip
    if problem is None:
        record(request, "dalla posta", "ticket_judged", about.ente, about.number)
    return _page(request, token, about, verdict, done=problem is None, problem=problem)


def _read(request: Request, token: str) -> Judged:
    about = read_token(settings_of(request), token)
    if about is None:
        raise HTTPException(403, NOT_OURS)
    return about


def _page(
    request: Request, token: str, about: Judged, verdict: str, *, done: bool = False, problem: str | None = None
) -> Response:
    return page(request, "judgement.html", 409 if problem else 200, number=about.number, token=token, verdict=verdict,
                done=done, problem=problem)  # fmt: skip
