"""File per PCC: the provider's people write the files of an ente, download them, say that they were uploaded, and see what
became of each line.

What a file holds and how it is written is `pcc_pipeline.review.sending`; outcome files are delivered like any other file.
"""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from pcc_pipeline.clock import today
from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.installation import Installation
from pcc_pipeline.review import sent
from pcc_pipeline.review.sending import SendingError, SendingReport, kept_bytes, send
from pcc_pipeline.review.uploads import standing_still, uploaded
from portal import audit
from portal.queries.operations import counts
from portal.web import AtDesk, Desk, HonestForm, address_of, engine_of, installation_for, only_provider, page

router = APIRouter(prefix="/file-pcc")

#: Lines held back that a page shows.
SHOWN = 200


@router.get("")
def files(request: Request, desk: AtDesk) -> Response:
    """The files written for PCC with their state, and the forms to write, to mark and to hand in."""
    only_provider(desk.session)
    with installation_for(request, desk.ente) as installation:
        return _files(request, desk, installation)


@router.post("")
def write(
    request: Request, desk: AtDesk, session: HonestForm, user: Annotated[str, Form(alias="codice_fiscale", max_length=20)]
) -> Response:
    """Writes what is approved and not yet sent into files; says what was held back, or what is wrong."""
    only_provider(desk.session)
    with installation_for(request, PROVIDER) as installation:  # the register of enti is the provider's
        facts = ente_facts(installation, desk.ente)
    report, problem = None, facts.refusal
    with installation_for(request, desk.ente) as installation:
        if problem is None:
            try:
                folder = installation.settings.home / "outbox" / desk.ente
                report = send(installation, desk.ente, user, folder, name=facts.name, cf=facts.cf)
            except SendingError as error:
                problem = str(error)
        if report is not None:
            _record(request, desk, "model_files_written", f"{report.operations} operazioni: {', '.join(report.files)}")
        return _files(request, desk, installation, report=report, problem=problem)


@router.get("/{name}")
def one(request: Request, desk: AtDesk, name: str) -> Response:
    """One file: what became of each of its lines."""
    only_provider(desk.session)
    with installation_for(request, desk.ente) as installation:
        file = _file(installation, desk, name)
        lines = sent.lines(installation.engine, desk.ente, name)
    return page(request, "sent_file.html", ente=desk.ente, published=desk.published, file=file, lines=lines)


@router.get("/{name}/scarica")
def download(request: Request, desk: AtDesk, name: str) -> Response:
    """The bytes of a file, as they were written."""
    only_provider(desk.session)
    with installation_for(request, desk.ente) as installation:
        file = _file(installation, desk, name)
        content = kept_bytes(installation.store, desk.ente, name, file["sha256"])
    _record(request, desk, "model_file_downloaded", name)
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=disposition)


@router.post("/{name}/caricato")
def mark(request: Request, desk: AtDesk, session: HonestForm, name: str) -> Response:
    """Notes that the person uploaded a file to PCC; the first to say so stands."""
    only_provider(desk.session)
    try:
        with installation_for(request, desk.ente) as installation:
            new = uploaded(installation.engine, desk.ente, name, session.user.email)
    except KeyError:
        raise HTTPException(404, "Questo file non c'è") from None
    if new:
        _record(request, desk, "model_file_uploaded", name)
    return RedirectResponse("/file-pcc", 303)  # the page is read anew: this request's view is older


def _files(
    request: Request, desk: Desk, installation: Installation, *, report: SendingReport | None = None, problem: str | None = None
) -> Response:
    found = sent.files(installation.engine, desk.ente)
    late = {file["file"]: situation for situation, file in standing_still(installation.engine, today(), desk.ente)}
    with installation.engine.connect() as connection:  # as it is now, after what was just written
        waiting = sum(count.operations for count in counts(connection, desk.ente) if count.shown == "approved")
    return page(
        request, "sent_files.html", 400 if problem else 200, ente=desk.ente, published=desk.published, files=found[::-1],
        late=late, report=report, held=report.held[:SHOWN] if report else [], problem=problem,
        waiting=waiting,
    )  # fmt: skip


def _file(installation: Installation, desk: Desk, name: str) -> sa.RowMapping:
    found = [file for file in sent.files(installation.engine, desk.ente) if file["file"] == name]
    if not found:
        raise HTTPException(404, "Questo file non c'è")
    return found[0]


def _record(request: Request, desk: Desk, action: str, detail: str) -> None:
    audit.record(engine_of(request), desk.session.user.email, action, ente=desk.ente, detail=detail[:500],
                 address=address_of(request))  # fmt: skip
