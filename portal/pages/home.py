"""The first page of an ente: its stocks side by side, what makes the difference, how old the debt is."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from pcc_pipeline.database.summary import explanations
from portal.queries import stock
from portal.queries.deliveries import deliveries
from portal.web import AtDesk, page

router = APIRouter()


@router.get("/")
def home(request: Request, desk: AtDesk) -> Response:
    """The stock by view, the difference explained, the debt by due date, the latest deliveries."""
    return page(
        request, "home.html",
        ente=desk.ente,
        published=desk.published,
        stocks=stock.stocks(desk.connection, desk.ente),
        explained=explanations(desk.connection, desk.ente),
        buckets=stock.by_due_date(desk.connection, desk.ente),
        deliveries=deliveries(desk.connection, desk.ente, 1).rows[:5],
    )  # fmt: skip
