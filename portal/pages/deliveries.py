"""Delivering files, and the history of what was delivered with its outcome."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, HTTPException, Request, Response, UploadFile

from pcc_pipeline import pipeline
from pcc_pipeline.database.register import Register
from pcc_pipeline.delivery import DeliveryError, deliver
from pcc_pipeline.store import Store
from pcc_pipeline.tables import FEEDS
from pcc_pipeline.tables.feeds import LINEAGE
from portal import audit, uploads
from portal.pages.debts import Number
from portal.queries import deliveries as queries
from portal.web import AtDesk, Desk, HonestForm, address_of, engine_of, page

router = APIRouter()

AUTOMATIC = "auto"


@router.get("/consegne")
def history(request: Request, desk: AtDesk, number: Number = 1) -> Response:
    """The form to deliver, and what was delivered."""
    return _history(request, desk, number)


@router.post("/consegne")
def receive(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    files: Annotated[list[UploadFile], File()],
    kind: Annotated[str, Form()] = AUTOMATIC,
) -> Response:
    """Takes files to the inbox; says of each what was read, or why it was not taken."""
    if not session.user.delivers:
        raise HTTPException(403, "Non potete consegnare file")
    outcomes = [_receive(request, desk, file, kind) for file in files[:50]]
    return _history(request, desk, 1, outcomes)


@router.get("/consegne/{key}")
def one(request: Request, desk: AtDesk, key: str, number: Number = 1) -> Response:
    """One delivery with what is wrong in it, line by line."""
    found = queries.delivery(desk.connection, desk.ente, key)
    if found is None:
        raise HTTPException(404, "Questa consegna non c'è")
    return page(request, "delivery.html", ente=desk.ente, published=desk.published, delivery=found,
                defects=queries.defects(desk.connection, desk.ente, key, number))  # fmt: skip


@router.get("/modelli/{kind}.csv")
def template(desk: AtDesk, kind: str) -> Response:
    """An empty table of a kind: its column names."""
    if kind not in uploads.kinds():
        raise HTTPException(404, "Questo tipo di file non c'è")
    lineage = {column.name for column in LINEAGE}
    names = [column.name for column in FEEDS[kind].columns if column.name not in lineage]
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerow(names)
    disposition = {"Content-Disposition": f'attachment; filename="{kind}.csv"'}
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=disposition)


def _history(request: Request, desk: Desk, number: int, outcomes: list[dict[str, Any]] | None = None) -> Response:
    return page(request, "deliveries.html", ente=desk.ente, published=desk.published, outcomes=outcomes or [],
                found=queries.deliveries(desk.connection, desk.ente, number), kinds=uploads.kinds())  # fmt: skip


def _receive(request: Request, desk: Desk, file: UploadFile, kind: str) -> dict[str, Any]:
    settings = request.app.state.settings
    outcome: dict[str, Any] = {"file": file.filename or "", "kind": kind, "problem": None, "preview": None}
    with tempfile.TemporaryDirectory(prefix="pcc-upload-") as folder:
        try:
            path = Path(folder) / uploads.safe_name(file.filename or "")
            uploads.receive(file.file, path, settings.inbox / desk.ente)
            uploads.check_content(path)
            place = (settings, Store(settings.store_url), Register(engine_of(request)))
            layout = pipeline.ente_facts(*place, desk.ente).layout
            if kind == AUTOMATIC:
                kind = next(iter(uploads.guess(path, layout)), "")
                if not kind:
                    raise uploads.Unwelcome("Non si riconosce di che cosa si tratta: scegliere il tipo di file")
            outcome["kind"] = kind
            outcome["preview"] = uploads.preview(path, kind, layout) if kind in uploads.kinds() else None
            deliver(settings.inbox, desk.ente, kind, path)
        except (uploads.Unwelcome, DeliveryError) as error:
            outcome["problem"] = str(error)
    detail = f"{outcome['file']} ({outcome['kind']}){': ' + outcome['problem'] if outcome['problem'] else ''}"
    audit.record(engine_of(request), desk.session.user.email, "upload", ente=desk.ente, detail=detail[:500],
                 address=address_of(request))  # fmt: skip
    return outcome
