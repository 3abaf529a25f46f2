"""The debt by due date, with its calendar, and by creditor."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from pcc_pipeline.runs.pipeline import today
from portal.queries import creditors as queries
from portal.queries import due, stock
from portal.queries.documents import DocumentFilter, documents
from portal.web import AtDesk, page

router = APIRouter()

View = Annotated[str, Query(alias="vista", pattern="^(pcc|right|projected)$")]
Number = Annotated[int, Query(alias="pagina", ge=1, le=100_000)]
Text = Annotated[str | None, Query(alias="cerca", max_length=100)]
#: Years that a calendar can show with one before and one after.
Month = Annotated[str | None, Query(alias="mese", pattern="^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$")]


@router.get("/scadenze")
def due_dates(request: Request, desk: AtDesk, view: View = "right", month: Month = None) -> Response:
    """The stock by bucket in each view, and what falls due by month and day; the reference date's month unless told."""
    day = date.fromisoformat(f"{month}-01") if month else desk.published.reference_date if desk.published else today()
    before, after = due.neighbours(day)
    return page(request, "due_dates.html", ente=desk.ente, published=desk.published,
                buckets=stock.by_due_date(desk.connection, desk.ente), view=view, first=due.month_of(day)[0],
                before=before, after=after, months=due.by_month(desk.connection, desk.ente, view, day.year),
                weeks=due.by_day(desk.connection, desk.ente, view, day))  # fmt: skip


@router.get("/creditori")
def creditors(request: Request, desk: AtDesk, view: View = "right", search: Text = None, number: Number = 1) -> Response:
    """Creditors, biggest first, with a search by name or tax id, also of whom they took the credit over from."""
    found = queries.creditors(desk.connection, desk.ente, view, search, number)
    originals = queries.originals(desk.connection, desk.ente, view, [row["creditor"] for row in found.rows])
    return page(request, "creditors.html", ente=desk.ente, published=desk.published, found=found, view=view,
                search=search or "", originals=originals)  # fmt: skip


@router.get("/creditori/{creditor}")
def creditor(request: Request, desk: AtDesk, creditor: str, view: View = "right", number: Number = 1) -> Response:
    """One creditor: its debt in every view, how old it is, and the documents of which it is or was the creditor."""
    found = documents(desk.connection, desk.ente, DocumentFilter(view=view, creditor=creditor), number)
    return page(request, "creditor.html", ente=desk.ente, published=desk.published, found=found, view=view,
                creditor=creditor, debt=queries.debt(desk.connection, desk.ente, creditor))  # fmt: skip
