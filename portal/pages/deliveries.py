"""Delivering files, and the history of what was delivered with its outcome."""

from __future__ import annotations

import csv
import io
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, HTTPException, Request, Response, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse

from pcc_pipeline.arrival.delivery import DeliveryError, deliver
from pcc_pipeline.arrival.welcome import Unwelcome, check_content, safe_name
from pcc_pipeline.clock import today
from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.enti.duties import deadlines_in
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.formats.tabular.layouts.model import Layout
from portal import audit, blanks, chunks, pending, uploads
from portal.beginning import first_files
from portal.files import table_file
from portal.pages.home import followed
from portal.queries import deliveries as queries
from portal.web import (
    AtDesk,
    BoundedRoute,
    Desk,
    HonestForm,
    Number,
    address_of,
    engine_of,
    installation_for,
    language_of,
    only_provider,
    page,
    settings_of,
)

router = APIRouter(route_class=BoundedRoute)

AUTOMATIC = "auto"
#: Said of a waiting upload that is not to be delivered.
DROP = "-"
#: Deadlines shown: so long ahead, and so long after they passed unmet.
AHEAD, PASSED = timedelta(days=120), timedelta(days=31)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Completeness:
    """What the sender says of the files: news and corrections only, or complete between two days."""

    what: Annotated[Literal["novita", "completo"], Form(alias="completezza")] = "novita"
    first: Annotated[str, Form(alias="dal", max_length=10)] = ""
    last: Annotated[str, Form(alias="al", max_length=10)] = ""


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
    kind: Annotated[str, Form(max_length=40)] = AUTOMATIC,
    said: Annotated[Completeness, Depends()] = Completeness(),
) -> Response:
    """Takes files to the inbox whose kind is said and fits; the others wait until their sender confirms what they are.
    Says of each what was read, or why it was not taken."""
    if any("\0" in (file.filename or "") for file in files):  # before any is taken: nobody sends half a form again
        raise HTTPException(422, "Il nome del file non è valido")
    outcomes = [_take(request, desk, file.filename or "", file.file, kind, said) for file in files[:50]]
    return _history(request, desk, 1, outcomes)


@router.post("/consegne/parti")
def begin(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    name: Annotated[str, Form(max_length=300)],
    size: Annotated[int, Form(ge=0)],
    changed: Annotated[int, Form()] = 0,
    anew: Annotated[bool, Form(alias="daccapo")] = False,
) -> JSONResponse:
    """Begins a large file, or finds where a broken transfer of it stopped; `daccapo` begins it again in any case."""
    declared = chunks.Declared(name, size, changed)
    try:
        transfer = chunks.begin(settings_of(request), desk.ente, session.user.user_id, declared, anew=anew)
    except Unwelcome as error:
        return JSONResponse({"problem": str(error)}, 400)
    return JSONResponse({"key": transfer.key, "offset": transfer.offset, "piece": chunks.PIECE})


@router.post("/consegne/parti/{key}")
def add(
    request: Request, desk: AtDesk, session: HonestForm, key: str, offset: Annotated[int, Form(ge=0)],
    piece: Annotated[UploadFile, File()],
) -> JSONResponse:  # fmt: skip
    """Adds a piece."""
    content = piece.file.read(chunks.PIECE)
    try:
        reached = chunks.add(settings_of(request), desk.ente, session.user.user_id, key, offset, content)
        return JSONResponse({"offset": reached})
    except Unwelcome as error:
        return JSONResponse({"problem": str(error)}, 409)


@router.post("/consegne/parti/{key}/fine")
def finish(
    request: Request, desk: AtDesk, session: HonestForm, key: str, kind: Annotated[str, Form(max_length=40)] = AUTOMATIC,
    said: Annotated[Completeness, Depends()] = Completeness(),
) -> Response:  # fmt: skip
    """Takes a file whose pieces are all there, as `receive` does, under the name with which it began."""
    settings, user = settings_of(request), session.user.user_id
    try:
        chunks.find(settings, desk.ente, user, key)
    except Unwelcome as error:
        raise HTTPException(404, str(error)) from None
    with tempfile.TemporaryDirectory(prefix=".", dir=uploads.folder_of(settings, desk.ente)) as folder:
        path = Path(folder) / "contenuto"
        try:
            declared = chunks.finish(settings, desk.ente, user, key, path)
        except Unwelcome as error:
            raise HTTPException(409, str(error)) from None
        outcome = _take(request, desk, declared.name, path, kind, said)
    return _history(request, desk, 1, [outcome])


@router.post("/consegne/conferma")
def confirm(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    keys: Annotated[list[str], Form(alias="chiave", max_length=500)],
    given: Annotated[list[str], Form(alias="tipo", max_length=500)],
) -> Response:
    """Takes waiting uploads to the inbox as what their sender says they are, or drops them. 422 for an unknown kind."""
    if len(keys) != len(given) or not set(given) <= {"", DROP, *uploads.kinds()}:
        raise HTTPException(422, "La richiesta non è leggibile")
    outcomes = [_confirm(request, desk, key, kind) for key, kind in zip(keys, given, strict=True)]
    return _history(request, desk, 1, [outcome for outcome in outcomes if outcome is not None])


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
                confirmed_by=queries.confirmed_by(desk.connection, desk.ente, key),
                defects=queries.defects(desk.connection, desk.ente, key, number))  # fmt: skip


@router.post("/consegne/{key}/conferma")
def confirm_whole(request: Request, desk: AtDesk, session: HonestForm, key: str) -> Response:
    """The provider's people confirm that what a whole delivery does not have any more is gone, however much."""
    only_provider(session, "Lo conferma il fornitore del servizio")
    try:
        with installation_for(request, desk.ente) as installation:
            installation.register.confirm(desk.ente, key, session.user.email)
    except KeyError:
        raise HTTPException(404, "Questa consegna non c'è") from None
    audit.record(engine_of(request), session.user.email, "delivery_confirmed", ente=desk.ente, detail=key,
                 address=address_of(request))  # fmt: skip
    return RedirectResponse(f"/consegne/{key}", 303)  # the page is read anew: this request's view is older


@router.get("/modelli/{kind}.csv")
def template(desk: AtDesk, kind: str) -> Response:
    """An empty table of a kind: its column names."""
    if kind not in blanks.TABLES:
        raise HTTPException(404, "Questo tipo di file non c'è")
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerow([column.name for column in blanks.columns(kind)])
    disposition = {"Content-Disposition": f'attachment; filename="{kind}.csv"'}
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=disposition)


@router.get("/modelli/{kind}.xlsx")
def workbook(request: Request, desk: AtDesk, kind: str) -> Response:
    """The same as a workbook, with a sheet that explains each column."""
    if kind not in blanks.TABLES:
        raise HTTPException(404, "Questo tipo di file non c'è")
    disposition = {"Content-Disposition": f'attachment; filename="{kind}.xlsx"'}
    return Response(blanks.workbook(kind, language_of(request)), media_type=XLSX, headers=disposition)


def _history(request: Request, desk: Desk, number: int, outcomes: list[dict[str, Any]] | None = None) -> Response:
    now = today()
    due = deadlines_in(desk.connection, now - PASSED, now + AHEAD, desk.ente)
    return page(
        request, "deliveries.html", ente=desk.ente, published=desk.published, outcomes=outcomes or [],
        found=queries.deliveries(desk.connection, desk.ente, number), kinds=uploads.kinds(), tables=blanks.TABLES,
        waiting=pending.waiting(settings_of(request), desk.ente, desk.session.user.user_id), **followed(request, desk),
        beginning=first_files(desk.connection, desk.ente),
        deadlines=[(item, item.days_left(now)) for item in due if item.met_on is None or item.due_on >= now],
    )  # fmt: skip


def _outcome(file: str, kind: str) -> dict[str, Any]:
    return {"file": file, "kind": kind, "problem": None, "preview": None, "waits": False, "dropped": False}


def _take(request: Request, desk: Desk, name: str, content: IO[bytes] | Path, kind: str, said: Completeness) -> dict[str, Any]:
    """Takes an upload (a path is moved): to the inbox where its sender said what it is and it fits, else it waits."""
    settings, outcome = settings_of(request), _outcome(name, kind)
    folder = pending.place(settings, desk.ente, desk.session.user.user_id)
    try:
        path = folder / uploads.as_said(safe_name(name), said.what, said.first, said.last)
        if isinstance(content, Path):
            content.replace(path)
        else:
            with chunks.one_at_a_time(settings, desk.ente):
                uploads.receive(content, path, uploads.room(settings, desk.ente))
        check_content(path)
        layout = _layout(request, desk)
        if kind in uploads.kinds():
            outcome["preview"] = uploads.preview(path, kind, layout)
        seen = outcome["preview"]
        if kind == AUTOMATIC or (seen is not None and not seen.rows and seen.refused):
            pending.keep(folder, path, kind, uploads.candidates(path, layout))
            outcome["waits"] = True
        else:
            deliver(settings.inbox, desk.ente, kind, uploads.for_kind(path, kind))
    except (Unwelcome, DeliveryError) as error:
        outcome["problem"] = str(error)
    except OSError as error:
        outcome["problem"] = uploads.no_room(error)
    finally:
        if not outcome["waits"]:
            uploads.clear(folder)
    _record(request, desk, "upload_waits" if outcome["waits"] else "upload", outcome)
    return outcome


def _confirm(request: Request, desk: Desk, key: str, kind: str) -> dict[str, Any] | None:
    """Delivers a waiting upload as what its sender says, or drops it; None where nothing was said of it."""
    if not kind:
        return None
    settings, outcome = settings_of(request), _outcome("–", kind)
    try:
        found = pending.claim(settings, desk.ente, desk.session.user.user_id, key)
    except Unwelcome as error:
        return {**outcome, "problem": str(error)}
    outcome["file"] = found.path.name
    try:
        if kind == DROP:
            outcome["dropped"] = True
        else:
            outcome["preview"] = uploads.preview(found.path, kind, _layout(request, desk))
            deliver(settings.inbox, desk.ente, kind, uploads.for_kind(found.path, kind))
    except (Unwelcome, DeliveryError) as error:
        outcome["problem"] = str(error)
    except OSError as error:
        outcome["problem"] = uploads.no_room(error)
    finally:
        uploads.clear(found.path.parent)
    _record(request, desk, "upload_dropped" if outcome["dropped"] else "upload", outcome)
    return outcome


def _layout(request: Request, desk: Desk) -> Layout | None:
    with installation_for(request, PROVIDER) as installation:  # the register of enti is the provider's
        return ente_facts(installation, desk.ente).layout


def _record(request: Request, desk: Desk, action: str, outcome: dict[str, Any]) -> None:
    detail = f"{outcome['file']} ({outcome['kind']}){': ' + outcome['problem'] if outcome['problem'] else ''}"
    audit.record(engine_of(request), desk.session.user.email, action, ente=desk.ente, detail=detail[:500],
                 address=address_of(request))  # fmt: skip
