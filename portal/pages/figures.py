"""Indicators with the FGDC test and the trend; the service's figures, as they are now and as they were recorded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from pcc_pipeline.clock import ROME
from pcc_pipeline.support.figures import live
from pcc_pipeline.support.working import limit_minutes
from portal.queries import indicators as queries
from portal.queries import service
from portal.queries.support import external
from portal.web import AtDesk, Number, View, now, page

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
