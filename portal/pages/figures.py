"""Indicators, the FGDC as a decision with what would avoid it, the trend; the service's figures, now and as recorded."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response

from pcc_pipeline.clock import ROME, today
from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.review.amounts import amount
from pcc_pipeline.support.figures import live
from pcc_pipeline.support.working import limit_minutes
from portal import audit
from portal.files import table_file
from portal.queries import indicators as queries
from portal.queries import service
from portal.queries.support import external
from portal.web import AtDesk, Desk, HonestForm, Number, View, address_of, engine_of, installation_for, now, page
from portal.whatif import PAID_COLUMNS, SHOWN, Supposed, WhatIf, what_if

router = APIRouter()


@router.get("/indicatori")
def indicators(request: Request, desk: AtDesk, view: View = "right") -> Response:
    """Indicators of this period, then by year and quarter in one view; the FGDC, the trend, the deadlines ahead."""
    return _indicators(request, desk, view)


@router.post("/indicatori/previsione")
def forecast(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    until: Annotated[date, Form(alias="fino_al")],
    paid_on: Annotated[date, Form(alias="pagate_il")],
    most: Annotated[str, Form(alias="al_massimo", max_length=20)] = "",
    suffix: Annotated[str, Form(alias="file", pattern="^(csv|xlsx|)$")] = "",
) -> Response:
    """A day to come: as if nothing more were paid, and as if the oldest invoices were; the invoices as a file too."""
    result, problem = None, None
    try:
        asked = Supposed(until, paid_on, amount(most) if most.strip() else None)
        asked.check(today())
        with installation_for(request, PROVIDER) as provider:  # the register of enti is the provider's
            facts = ente_facts(provider, desk.ente)
        with installation_for(request, desk.ente) as installation:
            result = what_if(installation, desk.ente, facts, asked)
    except ValueError as error:
        problem = str(error)
    audit.record(engine_of(request), session.user.email, "forecast", ente=desk.ente, detail=f"{until} {paid_on} {most}",
                 address=address_of(request))  # fmt: skip
    if result is not None and suffix:
        rows = [{**one.__dict__, "paid_on": paid_on} for one in result.paid]
        return table_file(f"{desk.ente}-previsione-{until}", suffix, (*PAID_COLUMNS, "paid_on"), rows)
    form = {"until": until, "paid_on": paid_on, "most": most}
    return _indicators(request, desk, "right", form=form, result=result, problem=problem)


def _indicators(
    request: Request, desk: Desk, view: str, *, form: dict[str, Any] | None = None, result: WhatIf | None = None,
    problem: str | None = None,
) -> Response:  # fmt: skip
    last = date(today().year, 12, 31)
    return page(request, "indicators.html", 400 if problem else 200, ente=desk.ente, published=desk.published, view=view,
                figures=queries.figures(queries.indicators(desk.connection, desk.ente)),
                fund=queries.fgdc(desk.connection, desk.ente), trend=queries.trend(desk.connection, desk.ente),
                deadlines=queries.deadlines(desk.connection, desk.ente), result=result, problem=problem, shown=SHOWN,
                form=form or {"until": last, "paid_on": today(), "most": ""})  # fmt: skip


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
    number: Number = 1,
) -> Response:
    """First contact, satisfaction and availability: as they are now, and the record of the periods before."""
    names = ("tickets", "satisfaction", "availability")
    found = {name: service.levels(desk.connection, desk.ente, f"sla_{name}", by) for name in names}
    at = now()
    counted = live(desk.connection, desk.ente, at, by)
    limit = limit_minutes(at.astimezone(ROME).date())
    found["tickets"] = service.with_live(found["tickets"], counted.tickets, counted.period, limit_minutes=limit)
    found["satisfaction"] = service.with_live(found["satisfaction"], counted.judgements, counted.period)
    return page(request, "service.html", ente=desk.ente, published=desk.published, levels=found, by=by, at=at, live=counted,
                breaches=service.breaches(desk.connection, desk.ente),
                external=external(desk.connection, desk.ente, number))  # fmt: skip
