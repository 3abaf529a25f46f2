"""The provider's morning: all enti, the most urgent first, and choosing the one to work on."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from pcc_pipeline.enti.life import ERASED
from pcc_pipeline.rules import rule_rows
from pcc_pipeline.tables.service import STATES
from portal import audit
from portal.files import table_file
from portal.pages.access import known_ente
from portal.queries import enti as queries
from portal.queries.enti import EntiFilter
from portal.sessions import choose_ente
from portal.web import HonestForm, Number, SignedIn, address_of, database_of, engine_of, now, only_provider, page

router = APIRouter()

#: Where one may go with the ente that one chooses: the pages on which what the table tells of is done.
PLACES = ("/", "/anomalie", "/domande", "/operazioni", "/file-pcc", "/consegne")
#: What the table's file has of each ente.
COLUMNS = (
    "ente", "denominazione", "reference_date", "published_at", "pcc_amount", "right_amount", "projected_amount",
    "difference", "explained_amount", "questions", "questions_since", "operations", "to_upload", "to_upload_since",
    "to_answer", "to_answer_since", "refused", "refused_since", "failing", "blocked", "failing_since", "duty_on", "duty",
    "tickets", "tickets_until", "tickets_late", "tickets_near", "state", "next_deadline", "next_due_on", "at_risk",
    "urgency", "signals",
)  # fmt: skip

Searched = Annotated[str, Query(alias="cerca", max_length=100)]
State = Annotated[str, Query(alias="stato", pattern=f"^({'|'.join(STATES)}|)$")]
Signal = Annotated[str, Query(alias="cosa", pattern=f"^({'|'.join(queries.SIGNALS)}|)$")]


@router.get("/enti")
def enti(
    request: Request, session: SignedIn, searched: Searched = "", state: State = "", signal: Signal = "", number: Number = 1
) -> Response:
    """All enti with what waits at each, the most urgent first."""
    if not session.user.of_provider:
        return RedirectResponse("/", 303)
    wanted = EntiFilter(searched.strip() or None, state or None, signal or None)
    with database_of(request).provider() as connection:
        found = queries.morning(connection, now(), wanted, number)
    return page(
        request, "enti.html", found=found, wanted=wanted, signals=rule_rows("urgency"),
        states=[name for name in STATES if name != ERASED],
    )  # fmt: skip


@router.get("/enti.{suffix}")
def enti_file(request: Request, session: SignedIn, suffix: Literal["csv", "xlsx"]) -> Response:
    """The same table as a file, of all enti. 403 for an ente's people."""
    only_provider(session, "Questa pagina è del fornitore")
    audit.record(engine_of(request), session.user.email, "export", detail=f"enti.{suffix}", address=address_of(request))
    with database_of(request).provider() as connection:
        found = queries.morning(connection, now(), size=None)
    rows = [{name: row[name] for name in COLUMNS} | {"signals": ", ".join(row["signals"])} for row in found.rows]
    return table_file("enti", suffix, COLUMNS, rows)


@router.post("/enti")
def choose(
    request: Request, session: HonestForm, ente: Annotated[str, Form(max_length=100)],
    place: Annotated[str, Form(alias="dove", pattern=f"^({'|'.join(PLACES)})$")] = "/",
) -> Response:  # fmt: skip
    """Remembers the ente to look at, and goes to the page asked for. 403 for whoever may not, 404 for a code of no ente."""
    if not session.user.may_see(ente):
        raise HTTPException(403, "Questo ente non è il vostro")
    if not known_ente(request, ente):
        raise HTTPException(404, "Questo ente non c'è")
    choose_ente(engine_of(request), session, ente)
    audit.record(engine_of(request), session.user.email, "choose_ente", ente=ente, address=address_of(request))
    return RedirectResponse(place, 303)
