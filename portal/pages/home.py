"""The first page of an ente: what is expected of it, its files on their way, its stocks, what makes the difference."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from pcc_pipeline.clock import today
from pcc_pipeline.database.summary import explanations
from portal import audit
from portal.beginning import first_files
from portal.following import follow, mark
from portal.queries import stock
from portal.queries.deliveries import deliveries
from portal.queries.expected import steps
from portal.web import AtDesk, Desk, HonestForm, address_of, engine_of, now, page, settings_of
from portal.wishes import Wishes, wish, wishes

router = APIRouter()


@router.get("/")
def home(request: Request, desk: AtDesk) -> Response:
    """What is expected of the ente, the stock by view, the difference explained, the debt by due date, the deliveries."""
    user = desk.session.user
    return page(
        request, "home.html",
        ente=desk.ente,
        published=desk.published,
        steps=steps(desk.connection, desk.ente, desk.published, today()),
        beginning=first_files(desk.connection, desk.ente),
        **followed(request, desk),
        stocks=stock.stocks(desk.connection, desk.ente),
        explained=explanations(desk.connection, desk.ente),
        buckets=stock.by_due_date(desk.connection, desk.ente),
        deliveries=deliveries(desk.connection, desk.ente, 1).rows[:5],
        wishes=None if user.of_provider else wishes(engine_of(request), user.user_id),
    )  # fmt: skip


@router.get("/in-corso")
def following(
    request: Request, desk: AtDesk, seen: Annotated[str, Query(alias="visto", pattern="^[0-9a-f]{0,16}$")] = ""
) -> Response:
    """The files on their way, as a part of a page; 204 where they are as `visto` says. Once nothing more happens to them the
    page asks for its figures anew (the event `arrivati`)."""
    found = followed(request, desk)
    if seen == found["mark"]:
        return Response(status_code=204)
    shown = page(request, "following.html", **found)
    if all(file.ends for file in found["files"]):
        shown.headers["HX-Trigger"] = "arrivati"
    return shown


@router.post("/avvisi")
def tell(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    published: Annotated[bool, Form(alias="pubblicate")] = False,
    questions: Annotated[bool, Form(alias="domande")] = False,
) -> Response:
    """Keeps what a person of the ente wants to be told by mail. 403 for the provider's people: their account has no ente."""
    if session.user.of_provider:
        raise HTTPException(403, "Gli avvisi per posta sono per le persone dell'ente")
    wish(engine_of(request), session.user.user_id, Wishes(published, questions))
    told = ", ".join(name for name, wanted in (("pubblicate", published), ("domande", questions)) if wanted)
    audit.record(engine_of(request), session.user.email, "mail_wanted", ente=desk.ente, detail=told or "–",
                 address=address_of(request))  # fmt: skip
    return RedirectResponse("/#avvisi", 303)


def followed(request: Request, desk: Desk) -> dict[str, Any]:
    """What `following.html` shows: the files on their way, and a mark that changes with them."""
    files = follow(desk.connection, settings_of(request).inbox, desk.ente, desk.published, now())
    return {"files": files, "mark": mark(files)}
