"""Documents and anomalies: lists that can be narrowed, one document whole, every table as a file."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from pcc_pipeline.database.export import NotExported, export
from pcc_pipeline.rules import rule_rows
from portal import audit
from portal.queries.documents import DocumentFilter, anomalies, changed_by_delivery, document, documents, pcc_changes
from portal.web import AtDesk, Number, View, address_of, database_of, engine_of, page

router = APIRouter()

Key = Annotated[str | None, Query(max_length=100)]
#: A due date, or the first and the last one with two points between.
Due = Annotated[str | None, Query(alias="scadenza", max_length=30)]


@router.get("/documenti")
def documents_list(
    request: Request,
    desk: AtDesk,
    view: View = "right",
    bucket: Annotated[str | None, Query(alias="fascia", max_length=20)] = None,
    search: Annotated[str | None, Query(alias="numero", max_length=100)] = None,
    due: Due = None,
    number: Number = 1,
) -> Response:
    """Documents with what each adds to the stock; those that fall due in a time with what is open of them."""
    wanted = DocumentFilter(
        view=view, bucket=bucket or None, number=search, in_stock=not search, due=_due(due) if due else None
    )
    found = documents(desk.connection, desk.ente, wanted, number)
    return page(request, "documents.html", ente=desk.ente, published=desk.published, found=found, view=view,
                wanted=wanted, due=due or "")  # fmt: skip


def _due(text: str) -> tuple[date, date]:
    first, _, last = text.partition("..")
    try:
        return date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        raise HTTPException(422, "La scadenza è una data AAAA-MM-GG, o due con due punti tra loro") from None


@router.get("/documento")
def one(request: Request, desk: AtDesk, id_documento: Key = None, progressivo: Key = None) -> Response:
    """One document on both sides: position, match, anomalies, operations, questions, history."""
    found = document(desk.connection, desk.ente, id_documento, progressivo)
    if found is None:
        raise HTTPException(404, "Questo documento non c'è")
    return page(request, "document.html", ente=desk.ente, published=desk.published, document=found)


@router.get("/anomalie")
def anomalies_list(
    request: Request,
    desk: AtDesk,
    code: Annotated[str | None, Query(alias="codice", max_length=40)] = None,
    number: Number = 1,
) -> Response:
    """Anomalies, largest first."""
    found = anomalies(desk.connection, desk.ente, code or None, number)
    return page(request, "anomalies.html", ente=desk.ente, published=desk.published, found=found, code=code or "",
                codes=[row["code"] for row in rule_rows("anomalies")])  # fmt: skip


@router.get("/cambiamenti-pcc")
def changes(request: Request, desk: AtDesk, number: Number = 1) -> Response:
    """What PCC changed from one delivery to the next without us, with its effect on the stock."""
    return page(request, "pcc_changes.html", ente=desk.ente, published=desk.published,
                by_delivery=changed_by_delivery(desk.connection, desk.ente),
                found=pcc_changes(desk.connection, desk.ente, number))  # fmt: skip


@router.get("/esporta/{name}.{suffix}")
def exported(request: Request, desk: AtDesk, name: str, suffix: Literal["csv", "xlsx"]) -> Response:
    """A published table of the ente as a file."""
    with tempfile.NamedTemporaryFile(suffix=f".{suffix}", delete=False) as file:
        path = Path(file.name)
    try:
        with database_of(request).tenant_engine(desk.ente) as restricted:
            export(restricted, name, desk.ente, path)
    except NotExported:
        path.unlink(missing_ok=True)
        raise HTTPException(404, "Questa tabella non c'è") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    audit.record(engine_of(request), desk.session.user.email, "export", ente=desk.ente, detail=f"{name}.{suffix}",
                 address=address_of(request))  # fmt: skip
    return FileResponse(path, filename=f"{desk.ente}-{name}.{suffix}", background=BackgroundTask(path.unlink))
