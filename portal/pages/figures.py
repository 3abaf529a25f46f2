"""Indicators with the FGDC test and the trend; the service's figures; deadlines; opening and judging tickets."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from pcc_pipeline.arrival.delivery import deliver
from portal import audit
from portal.queries import indicators as queries
from portal.queries import service
from portal.web import AtDesk, Desk, HonestForm, Number, View, address_of, engine_of, now, page, settings_of

router = APIRouter()


@router.get("/indicatori")
def indicators(request: Request, desk: AtDesk) -> Response:
    """Indicators by period and view, the FGDC test, the trend, the deadlines ahead."""
    return page(request, "indicators.html", ente=desk.ente, published=desk.published,
                rows=queries.indicators(desk.connection, desk.ente), fgdc=queries.fgdc(desk.connection, desk.ente),
                trend=queries.trend(desk.connection, desk.ente),
                deadlines=queries.deadlines(desk.connection, desk.ente))  # fmt: skip


@router.get("/indicatori/{name}/{period}")
def parts(request: Request, desk: AtDesk, name: str, period: str, view: View = "right") -> Response:
    """The documents that weigh most in a figure."""
    found = queries.greatest_parts(desk.connection, desk.ente, name, period, view)
    return page(request, "indicator.html", ente=desk.ente, published=desk.published, rows=found, name=name, period=period,
                view=view)  # fmt: skip


@router.get("/servizio")
def levels(
    request: Request,
    desk: AtDesk,
    by: Annotated[str, Query(alias="per", pattern="^(month|quarter)$")] = "month",
    state: Annotated[str, Query(alias="stato", pattern="^(open|closed|)$")] = "",
    done: Annotated[str, Query(alias="fatto", pattern="^(richiesta|giudizio|)$")] = "",
    number: Number = 1,
) -> Response:
    """First contact, satisfaction and availability, with the ente's tickets: each closed one can be judged."""
    names = ("tickets", "satisfaction", "availability")
    found = {name: service.levels(desk.connection, desk.ente, f"sla_{name}", by) for name in names}
    return page(request, "service.html", ente=desk.ente, published=desk.published, levels=found, by=by, state=state,
                done=done, breaches=service.breaches(desk.connection, desk.ente),
                tickets=service.tickets(desk.connection, desk.ente, state, number))  # fmt: skip


@router.post("/servizio/richieste")
def open_ticket(
    request: Request, desk: AtDesk, session: HonestForm, subject: Annotated[str, Form(min_length=3, max_length=500)]
) -> Response:
    """Opens a ticket: a delivery of one row, like all that the ticketing system sends."""
    number = f"W-{uuid4().hex[:12]}"
    row = {
        "id": number, "ente": desk.ente, "canale": "SCRIVANIA", "aperto_il": now().isoformat(),
        "oggetto": " ".join(subject.split()),
    }  # fmt: skip
    _deliver(request, desk, "tickets", number, row)
    return RedirectResponse("/servizio?fatto=richiesta", 303)


@router.post("/servizio/giudizi")
def judge(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    ticket: Annotated[str, Form(max_length=100)],
    verdict: Annotated[str, Form(pattern="^(POSITIVO|NEUTRO|NEGATIVO)$")],
) -> Response:
    """Judges a closed ticket of the ente. 404 for one that it has not, 409 for one still open."""
    found = service.ticket(desk.connection, desk.ente, ticket.strip())
    if found is None:
        raise HTTPException(404, "Questa richiesta non c'è")
    if found["closed_at"] is None:
        raise HTTPException(409, "La richiesta è ancora aperta: si giudica quando è chiusa")
    row = {"id_ticket": ticket.strip(), "giudizio": verdict, "il": now().isoformat()}
    _deliver(request, desk, "ratings", f"giudizio-{uuid4().hex[:12]}", row)
    return RedirectResponse("/servizio?fatto=giudizio", 303)


def _deliver(request: Request, desk: Desk, kind: str, name: str, row: dict[str, str]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row), delimiter=";")
    writer.writeheader()
    writer.writerow(row)
    with tempfile.TemporaryDirectory(prefix="pcc-desk-") as folder:
        path = Path(folder) / f"{name}.csv"
        path.write_text(text.getvalue(), encoding="utf-8")
        deliver(settings_of(request).inbox, desk.ente, kind, path)
    audit.record(engine_of(request), desk.session.user.email, kind, ente=desk.ente, detail=name, address=address_of(request))
