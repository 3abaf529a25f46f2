"""Delivering files, and the history of what was delivered with its outcome.

What a file is, is told from its content and confirmed by its sender (`pending`), unless the sender named a kind that fits.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from fastapi import APIRouter, File, Form, HTTPException, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from pcc_pipeline.database.register import Register
from pcc_pipeline.delivery import DeliveryError, deliver
from pcc_pipeline.enti import ente_facts
from pcc_pipeline.layouts.model import Layout
from pcc_pipeline.store import Store
from portal import audit, chunks, forms, pending, uploads
from portal.files import table_file
from portal.pages.debts import Number
from portal.queries import deliveries as queries
from portal.queries.indicators import deadlines
from portal.web import AtDesk, Desk, HonestForm, address_of, engine_of, page

router = APIRouter()

AUTOMATIC = "auto"
#: Deadlines shown above the form.
DEADLINES = 5

_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


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


@router.post("/consegne/conferma")
def confirm(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    keys: Annotated[list[str], Form(alias="chiave", max_length=200)],
    kinds: Annotated[list[str], Form(alias="tipo", max_length=200)],
) -> Response:
    """Delivers the files that wait, each as its sender says; an empty kind throws it away."""
    if not session.user.delivers:
        raise HTTPException(403, "Non potete consegnare file")
    if len(keys) != len(kinds):
        raise HTTPException(422, "La richiesta non è leggibile")
    return _history(request, desk, 1, [_settle(request, desk, *one) for one in zip(keys, kinds, strict=True)])


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


@router.get("/consegne/storico.{suffix}")
def history_file(request: Request, desk: AtDesk, suffix: Literal["csv", "xlsx"]) -> Response:
    """All that was delivered, as a file."""
    columns = ("received_at", "file", "kind", "status", "reason", "rows", "refused", "sha256")
    rows = [dict(row) for row in queries.all_deliveries(desk.connection, desk.ente)]
    audit.record(engine_of(request), desk.session.user.email, "export", ente=desk.ente, detail=f"storico.{suffix}",
                 address=address_of(request))  # fmt: skip
    return table_file(f"{desk.ente}-consegne", suffix, columns, rows)


@router.get("/consegne/{key}")
def one(request: Request, desk: AtDesk, key: str, number: Number = 1) -> Response:
    """One delivery with what is wrong in it, line by line."""
    found = queries.delivery(desk.connection, desk.ente, key)
    if found is None:
        raise HTTPException(404, "Questa consegna non c'è")
    return page(request, "delivery.html", ente=desk.ente, published=desk.published, delivery=found,
                defects=queries.defects(desk.connection, desk.ente, key, number))  # fmt: skip


@router.get("/modelli/{kind}.{suffix}")
def form(desk: AtDesk, kind: str, suffix: Literal["csv", "xlsx"]) -> Response:
    """An empty table of a kind to fill in."""
    if kind not in forms.KINDS:
        raise HTTPException(404, "Questo tipo di file non c'è")
    content = forms.as_csv(kind) if suffix == "csv" else forms.as_workbook(kind)
    disposition = {"Content-Disposition": f'attachment; filename="{kind}.{suffix}"'}
    return Response(content, media_type=_MEDIA[suffix], headers=disposition)


def _history(request: Request, desk: Desk, number: int, outcomes: list[dict[str, Any]] | None = None) -> Response:
    settings = request.app.state.settings
    return page(request, "deliveries.html", ente=desk.ente, published=desk.published, outcomes=outcomes or [],
                found=queries.deliveries(desk.connection, desk.ente, number), kinds=uploads.kinds(), forms=forms.KINDS,
                pending=pending.waiting(settings, desk.ente, desk.session.user.email),
                deadlines=deadlines(desk.connection, desk.ente)[:DEADLINES])  # fmt: skip


def _take(request: Request, desk: Desk, name: str, content: IO[bytes], kind: str) -> dict[str, Any]:
    """Checks a file, and delivers it where the sender named a kind that it fits; else it waits to be confirmed."""
    settings, who = request.app.state.settings, desk.session.user.email
    outcome: dict[str, Any] = {"file": name, "kind": kind, "problem": None, "preview": None, "asked": False}
    with tempfile.TemporaryDirectory(prefix="pcc-upload-") as folder:
        try:
            path = Path(folder) / uploads.safe_name(name)
            uploads.receive(content, path, settings.inbox / desk.ente, pending.folder(settings, desk.ente))
            uploads.check_content(path)
            layout = _layout(request, desk)
            seen = uploads.preview(path, kind, layout) if kind in uploads.kinds() else None
            if kind == AUTOMATIC or (seen is not None and seen.refused and not seen.rows):
                candidates = [
                    pending.Candidate(found, read.rows, read.refused) for found, read in uploads.guess(path, layout)
                ]
                pending.keep(settings, desk.ente, who, path, candidates)
                outcome["asked"] = True
            else:
                outcome["preview"] = seen
                deliver(settings.inbox, desk.ente, kind, path)
        except (uploads.Unwelcome, DeliveryError) as error:
            outcome["problem"] = str(error)
    _record(request, desk, outcome)
    return outcome


def _settle(request: Request, desk: Desk, key: str, kind: str) -> dict[str, Any]:
    """Delivers a file that waited, as what its sender says it is; without a kind it is thrown away."""
    settings = request.app.state.settings
    outcome: dict[str, Any] = {"file": key, "kind": kind, "problem": None, "preview": None, "asked": False}
    try:
        found = pending.find(settings, desk.ente, desk.session.user.email, key)
        outcome["file"] = found.path.name
        if kind:
            if kind not in uploads.kinds():
                raise uploads.Unwelcome("Questo tipo di file non c'è")
            outcome["preview"] = uploads.preview(found.path, kind, _layout(request, desk))
            deliver(settings.inbox, desk.ente, kind, found.path)
        pending.drop(found)
    except (uploads.Unwelcome, DeliveryError) as error:
        outcome["problem"] = str(error)
    _record(request, desk, outcome)
    return outcome


def _layout(request: Request, desk: Desk) -> Layout | None:
    settings = request.app.state.settings
    return ente_facts(settings, Store(settings.store_url), Register(engine_of(request)), desk.ente).layout


def _record(request: Request, desk: Desk, outcome: dict[str, Any]) -> None:
    action = "upload_asked" if outcome["asked"] else "upload" if outcome["kind"] else "upload_dropped"
    detail = f"{outcome['file']} ({outcome['kind']}){': ' + outcome['problem'] if outcome['problem'] else ''}"
    audit.record(engine_of(request), desk.session.user.email, action, ente=desk.ente, detail=detail[:500],
                 address=address_of(request))  # fmt: skip
