"""Assistenza: the provider's people see the queue of all enti's tickets, take them, answer, pass on, close; and enter what
came by phone or mail. They need no ente chosen: the support desk's tables are seen in a scope of their own (`wall`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from pcc_pipeline.support import tickets
from pcc_pipeline.support.figures import minutes_left
from pcc_pipeline.support.reading import Thread, thread
from pcc_pipeline.support.tickets import Person
from pcc_pipeline.tables.support import DEPARTMENTS
from portal.pages.access import known_ente
from portal.pages.tickets import (
    LARGEST_NUMBER,
    Department,
    Files,
    Subject,
    Words,
    attached_file,
    attempt,
    kept,
    patron_saint,
    record,
    tried,
)
from portal.queries import support as queries
from portal.sessions import DeskSession
from portal.web import BoundedRoute, HonestForm, Number, SignedIn, database_of, now, only_provider, page

router = APIRouter(prefix="/assistenza", route_class=BoundedRoute)

Situation = Annotated[str, Query(alias="stato", pattern="^(mine|free|closed|)$")]


@router.get("")
def queued(
    request: Request, session: SignedIn, situation: Situation = "",
    department: Annotated[str, Query(alias="reparto", max_length=20)] = "",
    ente: Annotated[str, Query(max_length=40)] = "", number: Number = 1,
) -> Response:  # fmt: skip
    """The queue: whose limit is used up first stands first; and the form for what came by phone or mail."""
    only_provider(session)
    return _queue(request, session, situation, department, number, ente=ente)


@router.post("")
def enter(
    request: Request, session: HonestForm, ente: Annotated[str, Form(max_length=40)] = "",
    channel: Annotated[str, Form(alias="canale", pattern="^(TELEFONO|EMAIL)$")] = "TELEFONO", words: Words = "",
    subject: Subject = "", contact: Annotated[str, Form(alias="contatto", max_length=200)] = "",
    department: Department = DEPARTMENTS[0],
) -> Response:  # fmt: skip
    """Enters a ticket that came by phone or mail."""
    only_provider(session)
    if not known_ente(request, ente):
        return _queue(request, session, "", "", 1, "Questo ente non c'è")
    asked = tickets.Request(
        ente, channel, subject, words, department, contact.strip().lower() or None, patron_saint(request, ente)
    )
    number, problem = attempt(
        request, ente, lambda bind, moment: tickets.open_ticket(bind, asked, Person(session.user.email, True), moment)
    )
    if number is None:
        return _queue(request, session, "", "", 1, problem)
    record(request, session.user.email, "ticket_opened", ente, number)
    return RedirectResponse(f"/assistenza/{number}", 303)


@router.get("/{number}")
def one(request: Request, session: SignedIn, number: int) -> Response:
    """A ticket with its whole thread, notes too."""
    only_provider(session)
    return _one(request, number)


@router.post("/{number}")
def write(
    request: Request, session: HonestForm, number: int, words: Words = "", files: Files = None,
    deed: Annotated[str, Form(alias="azione", pattern="^(rispondi|telefonata|nota)$")] = "rispondi",
    wait: Annotated[bool, Form(alias="attendi")] = False,
) -> Response:  # fmt: skip
    """An answer, the report of a call, or a note that the client never sees."""
    who = _person(session)
    ticket = _thread(request, number).ticket

    def doing(bind: sa.Engine, moment: datetime) -> None:
        if deed == "nota":
            tickets.note(bind, number, who, words, moment)
            return
        files_kept = kept(request, ticket["ente"], files)
        tickets.answer(bind, number, who, words, moment, called=deed == "telefonata", wait=wait, attachments=files_kept)

    return _done(request, session, number, "ticket_note" if deed == "nota" else "ticket_answered", doing)


@router.post("/{number}/prendi")
def take(
    request: Request, session: HonestForm, number: int, instead: Annotated[str, Form(alias="invece_di", max_length=200)] = ""
) -> Response:
    """Takes a ticket; from a colleague only if they still have it."""
    who = _person(session)
    return _done(request, session, number, "ticket_taken",
                 lambda bind, moment: tickets.take(bind, number, who, moment, instead or None))  # fmt: skip


@router.post("/{number}/reparto")
def pass_on(request: Request, session: HonestForm, number: int, department: Department = "") -> Response:
    """Queues a ticket to another department."""
    who = _person(session)
    return _done(request, session, number, "ticket_passed",
                 lambda bind, moment: tickets.pass_on(bind, number, who, department, moment))  # fmt: skip


@router.post("/{number}/chiudi")
def close(request: Request, session: HonestForm, number: int) -> Response:
    """Closes a ticket: the client is asked how it went."""
    who = _person(session)
    return _done(request, session, number, "ticket_closed",
                 lambda bind, moment: tickets.close(bind, None, number, who, moment))  # fmt: skip


@router.post("/{number}/riapri")
def reopen(request: Request, session: HonestForm, number: int, words: Words = "") -> Response:
    """Opens a closed ticket again, because the client called say."""
    who = _person(session)
    return _done(request, session, number, "ticket_reopened",
                 lambda bind, moment: tickets.reopen(bind, None, number, who, words, moment))  # fmt: skip


@router.get("/{number}/allegati/{wanted}")
def attached(request: Request, session: SignedIn, number: int, wanted: int) -> Response:
    """An attachment, as a file."""
    only_provider(session)
    with database_of(request).support.connect() as connection:
        return attached_file(request, connection, None, number, wanted)


def _person(session: DeskSession) -> Person:
    only_provider(session)
    return Person(session.user.email, True)


def _thread(request: Request, number: int) -> Thread:
    with database_of(request).support.connect() as connection:
        found = thread(connection, None, number, internal=True) if number < LARGEST_NUMBER else None
    if found is None:
        raise HTTPException(404, "Questa segnalazione non c'è")
    return found


def _done(
    request: Request, session: DeskSession, number: int, action: str, deed: Callable[[sa.Engine, datetime], Any]
) -> Response:
    ente = _thread(request, number).ticket["ente"]
    _, problem = tried(lambda moment: deed(database_of(request).support, moment))
    if problem is not None:
        return _one(request, number, problem)
    record(request, session.user.email, action, ente, number)
    return RedirectResponse(f"/assistenza/{number}", 303)


def _one(request: Request, number: int, problem: str | None = None) -> Response:
    found = _thread(request, number)
    return page(request, "assistance_ticket.html", 409 if problem else 200, found=found, problem=problem,
                departments=DEPARTMENTS, left=minutes_left(found.ticket, now()))  # fmt: skip


def _queue(
    request: Request, session: DeskSession, situation: str, department: str, number: int, problem: str | None = None,
    *, ente: str = "",
) -> Response:  # fmt: skip
    with database_of(request).support.connect() as connection:
        found = queries.queue(connection, session.user.email, situation, department, number, ente)
    moment = now()
    left = {row["number"]: minutes_left(row, moment) for row in found.rows}
    return page(request, "assistance.html", 400 if problem else 200, tickets=found, left=left, situation=situation,
                department=department, departments=DEPARTMENTS, problem=problem, ente=ente)  # fmt: skip
