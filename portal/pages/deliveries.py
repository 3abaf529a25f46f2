"""Delivering files, and the history of what was delivered with its outcome."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import IO, Annotated, Any

from fastapi import APIRouter, File, Form, HTTPException, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from pcc_pipeline.database.register import Register
from pcc_pipeline.delivery import DeliveryError, deliver
from pcc_pipeline.enti import ente_facts
from pcc_pipeline.store import Store
from pcc_pipeline.tables import FEEDS
from pcc_pipeline.tables.feeds import LINEAGE
from portal import audit, chunks, uploads
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
    outcomes = [_take(request, desk, file.filename or "", file.file, kind) for file in files[:50]]
    return _history(request, desk, 1, outcomes)


@router.post("/consegne/parti")
def begin(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    name: Annotated[str, Form(max_length=300)],
    size: Annotated[int, Form(ge=0)],
    changed: Annotated[int, Form()] = 0,
) -> JSONResponse:
    """Begins a large file, or finds where a broken transfer of it stopped."""
    try:
        uploads.safe_name(name)
        transfer = chunks.begin(request.app.state.settings, desk.ente, session.user.email, name, size, changed)
    except uploads.Unwelcome as error:
        return JSONResponse({"problem": str(error)}, 400)
    return JSONResponse({"key": transfer.key, "offset": transfer.offset, "piece": chunks.PIECE})


@router.post("/consegne/parti/{key}")
def add(
    request: Request, desk: AtDesk, session: HonestForm, key: str, offset: Annotated[int, Form(ge=0)],
    piece: Annotated[UploadFile, File()],
) -> JSONResponse:  # fmt: skip
    """Adds a piece."""
    try:
        transfer = chunks.find(request.app.state.settings, desk.ente, key)
        return JSONResponse({"offset": chunks.add(transfer, offset, piece.file.read(chunks.PIECE))})
    except uploads.Unwelcome as error:
        return JSONResponse({"problem": str(error)}, 409)


@router.post("/consegne/parti/{key}/fine")
def finish(
    request: Request, desk: AtDesk, session: HonestForm, key: str, name: Annotated[str, Form(max_length=300)],
    size: Annotated[int, Form(ge=0)], kind: Annotated[str, Form()] = AUTOMATIC,
) -> Response:  # fmt: skip
    """Takes a file whose pieces are all there to the inbox."""
    try:
        transfer = chunks.find(request.app.state.settings, desk.ente, key)
    except uploads.Unwelcome as error:
        raise HTTPException(404, str(error)) from None
    if transfer.offset != size:
        raise HTTPException(409, "Il file non è ancora completo")
    with transfer.path.open("rb") as file:
        outcome = _take(request, desk, name, file, kind)
    transfer.path.unlink(missing_ok=True)
    return _history(request, desk, 1, [outcome])


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


def _take(request: Request, desk: Desk, name: str, content: IO[bytes], kind: str) -> dict[str, Any]:
    settings = request.app.state.settings
    outcome: dict[str, Any] = {"file": name, "kind": kind, "problem": None, "preview": None}
    with tempfile.TemporaryDirectory(prefix="pcc-upload-") as folder:
        try:
            path = Path(folder) / uploads.safe_name(name)
            uploads.receive(content, path, settings.inbox / desk.ente)
            uploads.check_content(path)
            place = (settings, Store(settings.store_url), Register(engine_of(request)))
            layout = ente_facts(*place, desk.ente).layout
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
