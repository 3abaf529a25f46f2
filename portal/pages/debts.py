"""The debt by due date and by creditor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from portal.queries import stock
from portal.queries.documents import Filter, documents
from portal.web import AtDesk, page

router = APIRouter()

View = Annotated[str, Query(alias="vista", pattern="^(pcc|right|projected)$")]
Number = Annotated[int, Query(alias="pagina", ge=1, le=100_000)]
Text = Annotated[str | None, Query(alias="cerca", max_length=100)]


@router.get("/scadenze")
def due_dates(request: Request, desk: AtDesk) -> Response:
    """The stock by bucket in each view."""
    return page(request, "due_dates.html", ente=desk.ente, published=desk.published,
                buckets=stock.by_due_date(desk.connection, desk.ente))  # fmt: skip


@router.get("/creditori")
def creditors(request: Request, desk: AtDesk, view: View = "right", search: Text = None, number: Number = 1) -> Response:
    """Creditors, biggest first, with a search by name or tax id."""
    found = stock.by_creditor(desk.connection, desk.ente, view, search, number)
    return page(request, "creditors.html", ente=desk.ente, published=desk.published, found=found, view=view,
                search=search or "")  # fmt: skip


@router.get("/creditori/{creditor}")
def creditor(
    request: Request, desk: AtDesk, creditor: str, view: View = "right", number: Number = 1
) -> Response:
    """One creditor's documents in the stock."""
    found = documents(desk.connection, desk.ente, Filter(view=view, creditor=creditor), number)
    return page(request, "documents.html", ente=desk.ente, published=desk.published, found=found, view=view,
                title=creditor, wanted=Filter(view=view, creditor=creditor))  # fmt: skip
