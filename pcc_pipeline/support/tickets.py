"""What is done to a ticket: opened, taken, answered, passed on, closed, reopened, judged.

Each deed is one transaction that locks the ticket, looks whether it may be done, writes a line of the thread and the notices
to send. `ente` None in a deed of the provider's people means whichever ente the ticket is of; the database shows a caller
no other's (row level security). Texts of errors are Italian: people at the desk read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from pcc_pipeline.clock import ROME
from pcc_pipeline.database.schema import table
from pcc_pipeline.support.notices import write_notices
from pcc_pipeline.support.working import MINUTE, limit_minutes, working_time
from pcc_pipeline.tables.service_feeds import JUDGEMENTS
from pcc_pipeline.tables.support import (
    CALL,
    CLOSED,
    DEPARTMENTS,
    ENTE_SIDE,
    MESSAGE,
    NOTE,
    OPEN,
    PROVIDER_SIDE,
    REOPENED,
    TAKEN,
    WAITING,
)

#: Longest subject and text.
SUBJECT, WORDS = 300, 20_000


class SupportError(ValueError):
    """A deed that cannot be done on a ticket as it is now; its text says why."""


class NoTicketError(LookupError):
    """No such ticket is there for who asks."""


@dataclass(frozen=True)
class Person:
    """Who does something: the name that the thread shows, and whether they work for the provider."""

    name: str
    of_provider: bool

    @property
    def side(self) -> str:
        """For whom they work, as the thread has it."""
        return PROVIDER_SIDE if self.of_provider else ENTE_SIDE


@dataclass(frozen=True)
class Attachment:
    """A file that is kept already: its name, made safe, the SHA-256 of its bytes, their number."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Request:
    """What a new ticket asks. `contact` is who is told by mail; `patron_saint` the ente's, for its working time."""

    ente: str
    channel: str
    subject: str
    words: str
    department: str = DEPARTMENTS[0]
    contact: str | None = None
    patron_saint: str | None = None


def open_ticket(
    engine: sa.Engine, request: Request, who: Person, now: datetime, attachments: Sequence[Attachment] = (),
    mail_id: str | None = None,
) -> int:  # fmt: skip
    """Opens a ticket; returns its number. A call by phone is contact at once. Raises SupportError."""
    subject, words = " ".join(request.subject.split())[:SUBJECT], _text(request.words)
    if not subject:
        raise SupportError("Scrivere di che cosa si tratta")
    calendar, limit = working_time(request.patron_saint), limit_minutes(now.astimezone(ROME).date())
    worked = calendar.worked(now)
    called = request.channel == "TELEFONO"
    values = {
        "ente": request.ente, "channel": request.channel, "department": _department(request.department), "subject": subject,
        "opened_by": who.name, "contact": request.contact, "state": TAKEN if called else OPEN,
        "taken_by": who.name if called else None, "opened_at": now, "first_contact_at": now if called else None,
        "reopened": False, "changed_at": now, "patron_saint": request.patron_saint, "worked_at_opening": worked,
        "worked_at_contact": worked if called else None, "limit_minutes": limit,
        "deadline_at": calendar.moment(worked + limit * MINUTE),
    }  # fmt: skip
    t = table("support_tickets")
    with engine.begin() as connection:
        ticket = dict(connection.execute(sa.insert(t).values(values).returning(t)).mappings().one())
        _line(connection, ticket, who, MESSAGE, words, now, attachments=attachments, mail_id=mail_id)
        write_notices(connection, ticket, "OPENED", who.of_provider, words, now)
    return int(ticket["number"])


def add(
    engine: sa.Engine, ente: str, number: int, who: Person, words: str, now: datetime,
    attachments: Sequence[Attachment] = (), mail_id: str | None = None,
) -> None:  # fmt: skip
    """A message of the client. One that was waited for gives the ticket back to who had it; to a closed one it is refused."""
    with _changing(engine, ente, number) as (connection, ticket):
        if ticket["state"] == CLOSED:
            raise SupportError("La segnalazione è chiusa: riaprirla per scrivere ancora")
        _line(connection, ticket, who, MESSAGE, _text(words), now, attachments=attachments, mail_id=mail_id)
        state = (TAKEN if ticket["taken_by"] else OPEN) if ticket["state"] == WAITING else ticket["state"]
        _set(connection, ticket, now, state=state)
        write_notices(connection, ticket, "WRITTEN", who.of_provider, words, now)


def take(engine: sa.Engine, number: int, who: Person, now: datetime, instead_of: str | None = None) -> None:
    """Takes a ticket that nobody has, or that of `instead_of`. Of two who ask at once the first gets it, and the other is
    told (SupportError)."""
    with _changing(engine, None, number) as (connection, ticket):
        if ticket["state"] == CLOSED:
            raise SupportError("La segnalazione è chiusa")
        if ticket["taken_by"] == who.name:
            return
        if ticket["taken_by"] != instead_of:
            raise SupportError("L'ha già presa in carico un'altra persona")
        _line(connection, ticket, who, "TAKEN", None, now)
        state = WAITING if ticket["state"] == WAITING else TAKEN
        _set(connection, ticket, now, state=state, taken_by=who.name)


def answer(
    engine: sa.Engine, number: int, who: Person, words: str, now: datetime, *, called: bool = False, wait: bool = False,
    attachments: Sequence[Attachment] = (),
) -> None:  # fmt: skip
    """An answer to the client, or the report of a call: the first is the first contact. With `wait` the client is waited for.
    Who answers what nobody has, takes it."""
    with _changing(engine, None, number) as (connection, ticket):
        if ticket["state"] == CLOSED:
            raise SupportError("La segnalazione è chiusa: riaprirla per rispondere")
        _line(connection, ticket, who, CALL if called else MESSAGE, _text(words), now, attachments=attachments)
        if wait:
            _line(connection, ticket, who, "WAITING", None, now)
        _set(connection, ticket, now, state=WAITING if wait else TAKEN, taken_by=ticket["taken_by"] or who.name,
             **_contact(ticket, now))  # fmt: skip
        write_notices(connection, ticket, "ANSWERED", who.of_provider, words, now)


def note(engine: sa.Engine, number: int, who: Person, words: str, now: datetime) -> None:
    """A note among the provider's people, which the client never sees."""
    with _changing(engine, None, number) as (connection, ticket):
        _line(connection, ticket, who, NOTE, _text(words), now, internal=True)


def pass_on(engine: sa.Engine, number: int, who: Person, department: str, now: datetime) -> None:
    """Queues a ticket to another department, where nobody has it yet."""
    with _changing(engine, None, number) as (connection, ticket):
        if ticket["state"] == CLOSED:
            raise SupportError("La segnalazione è chiusa")
        if _department(department) == ticket["department"]:
            raise SupportError("La segnalazione è già di questo reparto")
        _line(connection, ticket, who, "PASSED", department, now)
        state = REOPENED if ticket["reopened"] else OPEN
        _set(connection, ticket, now, department=department, taken_by=None, state=state)
        write_notices(connection, ticket, "PASSED", True, department, now)


def close(engine: sa.Engine, ente: str | None, number: int, who: Person, now: datetime) -> None:
    """Closes a ticket, by either side. One closed without a contact had it now."""
    with _changing(engine, ente, number) as (connection, ticket):
        if ticket["state"] == CLOSED:
            raise SupportError("La segnalazione è già chiusa")
        _line(connection, ticket, who, "CLOSED", None, now)
        _set(connection, ticket, now, state=CLOSED, closed_at=now, **_contact(ticket, now))
        write_notices(connection, {**ticket, "closed_at": now}, "CLOSED", who.of_provider, None, now)


def reopen(
    engine: sa.Engine, ente: str | None, number: int, who: Person, words: str, now: datetime, mail_id: str | None = None,
    attachments: Sequence[Attachment] = (),
) -> None:  # fmt: skip
    """Opens a closed ticket again, with what is still to be done; opening and first contact stay as they were."""
    with _changing(engine, ente, number) as (connection, ticket):
        if ticket["state"] != CLOSED:
            raise SupportError("La segnalazione non è chiusa")
        _line(connection, ticket, who, "REOPENED", None, now)
        _line(connection, ticket, who, MESSAGE, _text(words), now, attachments=attachments, mail_id=mail_id)
        _set(connection, ticket, now, state=REOPENED, closed_at=None, taken_by=None, reopened=True)
        write_notices(connection, ticket, "REOPENED", who.of_provider, words, now)


def judge(
    engine: sa.Engine, ente: str, number: int, verdict: str, who: str, now: datetime, closing: datetime | None = None
) -> None:
    """The client's judgement of a closed ticket: one a closing, of which the latest verdict stands. `closing` is which one a
    link in a mail is about; it is refused once the ticket was opened again."""
    if verdict not in JUDGEMENTS:
        raise SupportError("Questo giudizio non c'è")
    with _changing(engine, ente, number) as (connection, ticket):
        if ticket["closed_at"] is None:
            raise SupportError("La segnalazione è ancora aperta: si giudica quando è chiusa")
        if closing is not None and closing != ticket["closed_at"]:
            raise SupportError("La segnalazione è stata riaperta dopo: il giudizio si dà alla nuova chiusura")
        t = table("support_judgements")
        values = {"ente": ticket["ente"], "number": number, "closed_at": ticket["closed_at"],
                  "channel": ticket["channel"], "verdict": verdict,
                  "judged_at": now, "judged_by": who}  # fmt: skip
        statement = insert(t).values(values)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["number", "closed_at"], set_={"verdict": verdict, "judged_by": who})
        )


@contextmanager
def _changing(engine: sa.Engine, ente: str | None, number: int) -> Iterator[tuple[sa.Connection, dict[str, Any]]]:
    """A transaction that holds one ticket, as it stands now. Raises NoTicketError."""
    t = table("support_tickets")
    query = sa.select(t).where(t.c.number == number).with_for_update()
    if ente is not None:
        query = query.where(t.c.ente == ente)
    with engine.begin() as connection:
        found = connection.execute(query).mappings().one_or_none()
        if found is None:
            raise NoTicketError(f"No ticket {number}")
        yield connection, dict(found)


def _set(connection: sa.Connection, ticket: dict[str, Any], now: datetime, **values: Any) -> None:
    t = table("support_tickets")
    connection.execute(sa.update(t).where(t.c.number == ticket["number"]).values(changed_at=now, **values))


def _contact(ticket: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What the first contact sets; nothing once there was one."""
    if ticket["first_contact_at"] is not None:
        return {}
    return {"first_contact_at": now, "worked_at_contact": working_time(ticket["patron_saint"]).worked(now)}


def _line(
    connection: sa.Connection, ticket: dict[str, Any], who: Person, kind: str, words: str | None, now: datetime, *,
    internal: bool = False, attachments: Sequence[Attachment] = (), mail_id: str | None = None,
) -> None:  # fmt: skip
    messages, files = table("support_messages"), table("support_attachments")
    whose = {"ente": ticket["ente"], "number": ticket["number"]}
    values = {**whose, "at": now, "who": who.name, "side": who.side, "kind": kind, "internal": internal, "words": words,
              "mail_id": mail_id}  # fmt: skip
    message = connection.execute(sa.insert(messages).values(values).returning(messages.c.message)).scalar_one()
    for file in attachments:
        about = {"message": message, "name": file.name, "sha256": file.sha256, "size": file.size}
        connection.execute(sa.insert(files).values({**whose, **about}))


def _text(words: str) -> str:
    text = words.replace("\r\n", "\n").strip()
    if not text:
        raise SupportError("Il testo è vuoto")
    if len(text) > WORDS:
        raise SupportError("Il testo è troppo lungo: allegarlo come file")
    return text


def _department(name: str) -> str:
    if name not in DEPARTMENTS:
        raise SupportError("Questo reparto non c'è")
    return name
