"""Segnalazioni: an ente's people open tickets, follow their thread, add to it, close, reopen and judge them.

What is done is `pcc_pipeline.support`'s work. The provider's people read these pages, and act from theirs (`assistance`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from fastapi import APIRouter, File, Form, HTTPException, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from pcc_pipeline.arrival.welcome import Unwelcome
from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.enti.overview import register_rows
from pcc_pipeline.store import Store
from pcc_pipeline.support import attachments, tickets
from pcc_pipeline.support.reading import attachment, thread
from pcc_pipeline.support.tickets import NoTicketError, Person, SupportError
from pcc_pipeline.tables.support import DEPARTMENTS
from portal import audit, uploads
from portal.queries import support as queries
from portal.web import (
    AtDesk,
    BoundedRoute,
    Desk,
    HonestForm,
    Number,
    address_of,
    database_of,
    engine_of,
    installation_for,
    now,
    page,
    settings_of,
)

router = APIRouter(prefix="/segnalazioni", route_class=BoundedRoute)

Words = Annotated[str, Form(alias="testo", max_length=tickets.WORDS)]
Subject = Annotated[str, Form(alias="oggetto", max_length=tickets.SUBJECT)]
Files = Annotated[list[UploadFile] | None, File(alias="allegati")]
Department = Annotated[str, Form(alias="reparto", max_length=20)]
T = TypeVar("T")
#: The fields of a new ticket before anything was written.
BLANK = {"oggetto": "", "testo": "", "reparto": DEPARTMENTS[0]}
#: A number of a ticket that the database can hold.
LARGEST_NUMBER = 2**62


@router.get("")
def listed(
    request: Request, desk: AtDesk, number: Number = 1,
    state: Annotated[str, Query(alias="stato", pattern="^(open|closed|)$")] = "",
) -> Response:  # fmt: skip
    """The ente's tickets, and the form to open one."""
    return _list(request, desk, state, number)


@router.post("")
def begin(
    request: Request, desk: AtDesk, session: HonestForm, words: Words = "", subject: Subject = "",
    department: Department = DEPARTMENTS[0], files: Files = None,
) -> Response:  # fmt: skip
    """Opens a ticket."""
    who = _client(desk)

    def opening(bind: sa.Engine, moment: datetime) -> int:
        asked = tickets.Request(
            desk.ente, "SCRIVANIA", subject, words, department, session.user.email, patron_saint(request, desk.ente)
        )
        return tickets.open_ticket(bind, asked, who, moment, kept(request, desk.ente, files))

    number, problem = attempt(request, desk.ente, opening)
    if number is None:
        return _list(request, desk, "", 1, problem, {"oggetto": subject, "testo": words, "reparto": department})
    record(request, session.user.email, "ticket_opened", desk.ente, number)
    return RedirectResponse(f"/segnalazioni/{number}", 303)


@router.get("/{number}")
def one(request: Request, desk: AtDesk, number: int) -> Response:
    """A ticket with its thread."""
    return _one(request, desk, number)


@router.post("/{number}")
def add(request: Request, desk: AtDesk, session: HonestForm, number: int, words: Words = "", files: Files = None) -> Response:
    """Adds a message to the thread."""
    who = _client(desk)
    return _done(request, desk, number, "ticket_message", lambda bind, moment: tickets.add(
        bind, desk.ente, number, who, words, moment, kept(request, desk.ente, files)
    ))  # fmt: skip


@router.post("/{number}/chiudi")
def close(request: Request, desk: AtDesk, session: HonestForm, number: int) -> Response:
    """Closes a ticket that needs nothing more."""
    who = _client(desk)
    return _done(request, desk, number, "ticket_closed",
                 lambda bind, moment: tickets.close(bind, desk.ente, number, who, moment))  # fmt: skip


@router.post("/{number}/riapri")
def reopen(request: Request, desk: AtDesk, session: HonestForm, number: int, words: Words = "") -> Response:
    """Opens a closed ticket again."""
    who = _client(desk)
    return _done(request, desk, number, "ticket_reopened",
                 lambda bind, moment: tickets.reopen(bind, desk.ente, number, who, words, moment))  # fmt: skip


@router.post("/{number}/giudizio")
def judge(
    request: Request, desk: AtDesk, session: HonestForm, number: int,
    verdict: Annotated[str, Form(alias="voto", max_length=20)] = "",
) -> Response:  # fmt: skip
    """Judges a closed ticket, in one tap."""
    _client(desk)
    who = session.user.email
    return _done(request, desk, number, "ticket_judged",
                 lambda bind, moment: tickets.judge(bind, desk.ente, number, verdict, who, moment))  # fmt: skip


@router.get("/{number}/allegati/{wanted}")
def attached(request: Request, desk: AtDesk, number: int, wanted: int) -> Response:
    """An attachment, as a file."""
    return attached_file(request, desk.connection, desk.ente, number, wanted)


def attempt(request: Request, ente: str, deed: Callable[[sa.Engine, datetime], T]) -> tuple[T | None, str | None]:
    """What a deed gave in one ente's name, or why it could not be done. 404 for a ticket that is not there."""
    with database_of(request).tenant_engine(ente) as bind:
        return tried(lambda moment: deed(bind, moment))


def tried(deed: Callable[[datetime], T]) -> tuple[T | None, str | None]:
    """What a deed gave, or why it could not be done. 404 for a ticket that is not there."""
    try:
        return deed(now()), None
    except NoTicketError:
        raise HTTPException(404, "Questa segnalazione non c'è") from None
    except (SupportError, Unwelcome) as error:
        return None, str(error)
    except OSError as error:  # attachments on a full disk
        return None, uploads.no_room(error)


def kept(request: Request, ente: str, files: list[UploadFile] | None) -> Sequence[tickets.Attachment]:
    """The files of a form, kept. A field that nobody filled is no file."""
    given = [(file.filename, file.file) for file in files or () if file.filename]
    return attachments.keep(Store(settings_of(request).store_url), ente, given) if given else ()


def attached_file(request: Request, connection: sa.Connection, ente: str | None, number: int, wanted: int) -> Response:
    """An attachment to download, never shown as a page. 404 where there is none."""
    found = None
    if max(number, wanted) < LARGEST_NUMBER:
        found = attachment(connection, ente, number, wanted)
    return file_answer(request, found)


def file_answer(request: Request, found: sa.RowMapping | None) -> Response:
    """A kept attachment (its ente, name and sha256) as a download. 404 for None."""
    if found is None:
        raise HTTPException(404, "Questo allegato non c'è")
    data = attachments.content(Store(settings_of(request).store_url), found["ente"], found["sha256"])
    name = found["name"].encode("ascii", "replace").decode().replace('"', "")
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type="application/octet-stream", headers=disposition)


def patron_saint(request: Request, ente: str) -> str | None:
    """The patron's day of an ente, from the provider's register."""
    with installation_for(request, PROVIDER) as installation:
        row = register_rows(installation, ente).get(ente)
    return row["santo_patrono"] if row else None


def record(request: Request, who: str, action: str, ente: str, number: int) -> None:
    """Enters a deed in the log."""
    audit.record(engine_of(request), who, action, ente=ente, detail=f"PCC-{number}", address=address_of(request))


def _client(desk: Desk) -> Person:
    user = desk.session.user
    if user.of_provider:
        raise HTTPException(403, "Chi lavora per il fornitore risponde dalla coda dell'assistenza")
    return Person(user.name, False)


def _done(request: Request, desk: Desk, number: int, action: str, deed: Callable[[sa.Engine, datetime], Any]) -> Response:
    if number >= LARGEST_NUMBER:
        raise HTTPException(404, "Questa segnalazione non c'è")
    _, problem = attempt(request, desk.ente, deed)
    if problem is not None:
        return _one(request, desk, number, problem)
    record(request, desk.session.user.email, action, desk.ente, number)
    return RedirectResponse(f"/segnalazioni/{number}", 303)


def _one(request: Request, desk: Desk, number: int, problem: str | None = None) -> Response:
    found = thread(desk.connection, desk.ente, number, internal=False) if number < LARGEST_NUMBER else None
    if found is None:
        raise HTTPException(404, "Questa segnalazione non c'è")
    return page(request, "ticket.html", 409 if problem else 200, ente=desk.ente, found=found, problem=problem)


def _list(
    request: Request, desk: Desk, state: str, number: int, problem: str | None = None, given: dict[str, str] | None = None
) -> Response:
    found = queries.tickets(desk.connection, desk.ente, state, number)
    return page(request, "tickets.html", 400 if problem else 200, ente=desk.ente, tickets=found, state=state,
                problem=problem, given=given or BLANK, departments=DEPARTMENTS)  # fmt: skip
