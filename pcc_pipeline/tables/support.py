"""The support desk: tickets with their thread, attachments, judgements, and the notices about them.

`SUPPORT` are tables of PostgreSQL, written by the desk and by incoming mail (`pcc_pipeline.support`). `DECIDED_SUPPORT` are
the relations in which the SQL models of the service levels see them, beside what an external ticketing system delivers.
"""

from __future__ import annotations

from dataclasses import replace

from pcc_pipeline.tables.common import ENTE
from pcc_pipeline.tables.describe import Column, Paging, Table
from pcc_pipeline.tables.service_feeds import CHANNELS, JUDGEMENTS

OPEN, TAKEN, WAITING, CLOSED, REOPENED = "open", "taken", "waiting", "closed", "reopened"
TICKET_STATES = (OPEN, TAKEN, WAITING, CLOSED, REOPENED)
#: Who a ticket is queued to: the provider's departments.
DEPARTMENTS = ("ASSISTENZA", "BONIFICA", "GESTIONALE", "TECNICO", "COMMERCIALE")
#: What a line of the thread is; a note is seen by the provider alone.
MESSAGE, CALL, NOTE = "MESSAGE", "CALL", "NOTE"
EVENTS = ("TAKEN", "PASSED", "WAITING", "CLOSED", "REOPENED")
ENTE_SIDE, PROVIDER_SIDE = "ENTE", "FORNITORE"

_NUMBER = Column("number", "integer", "Number of the ticket, counted over the installation", required=True, minimum=1)

SUPPORT_TICKETS = Table(
    "support_tickets", "register", "One row per ticket opened at the desk, by phone or by mail",
    (
        _NUMBER, ENTE,
        Column("channel", "text", "How it was opened", required=True, allowed=CHANNELS),
        Column("department", "text", "Department of the provider it is queued to", required=True, allowed=DEPARTMENTS),
        Column("subject", "text", "What it is about", required=True),
        Column("opened_by", "text", "Who opened it", required=True),
        Column("contact", "text", "E-mail address that is told what happens; null: nobody"),
        Column("state", "text", "open, taken by somebody of the provider, waiting for the client, closed, reopened", required=True,
               allowed=TICKET_STATES),
        Column("taken_by", "text", "Who of the provider has it; null: nobody"),
        Column("opened_at", "timestamp", "When it was opened", required=True),
        Column("first_contact_at", "timestamp", "First answer or call, recorded once; null: not yet", source="docs/rules.md#rule-9"),
        Column("closed_at", "timestamp", "When it was closed; null: open now"),
        Column("reopened", "boolean", "It had been closed and was opened again", required=True),
        Column("changed_at", "timestamp", "Last line of its thread", required=True),
        Column("patron_saint", "text", "Patron's day (MM-DD) of the calendar its working time is counted by; null: none",
               pattern=r"[0-9]{2}-[0-9]{2}"),
        Column("worked_at_opening", "integer", "Support time on that calendar up to the opening", required=True, unit="µs"),
        Column("worked_at_contact", "integer", "The same up to the first contact", unit="µs"),
        Column("limit_minutes", "integer", "Limit in force on the day of opening", required=True, unit="minutes"),
        Column("deadline_at", "timestamp", "Moment at which the limit is used up"),
    ),
    key=("number",),
    indexes=(("closed_at", "deadline_at"),),
    paging=(
        Paging("latest", ("opened_at DESC", "number DESC")),
        Paging("open", ("opened_at DESC", "number DESC"), "closed_at IS NULL"),
    ),
)  # fmt: skip

SUPPORT_MESSAGES = Table(
    "support_messages", "register", "One row per line of a ticket's thread; the first is what was asked",
    (
        Column("message", "integer", "Order", required=True),
        ENTE, _NUMBER,
        Column("at", "timestamp", "When", required=True),
        Column("who", "text", "Who wrote or did it", required=True),
        Column("side", "text", "For whom that person works", required=True, allowed=(ENTE_SIDE, PROVIDER_SIDE)),
        Column("kind", "text", "Something written, a call, an internal note, or what was done", required=True,
               allowed=(MESSAGE, CALL, NOTE, *EVENTS)),
        Column("internal", "boolean", "Seen by the provider's people alone", required=True),
        Column("words", "text", "Its text; of a deed its detail"),
        Column("mail_id", "text", "Message-ID of the mail it came by"),
    ),
    key=("message",),
    indexes=(("number", "message"), ("ente",)),
)  # fmt: skip

SUPPORT_ATTACHMENTS = Table(
    "support_attachments", "register", "One row per file attached to a line of a ticket's thread",
    (
        Column("attachment", "integer", "Order", required=True),
        ENTE, _NUMBER,
        Column("message", "integer", "The line it came with", required=True),
        Column("name", "text", "File name, made safe", required=True),
        Column("sha256", "text", "SHA-256 of the bytes, hexadecimal; the store keeps them under it", required=True,
               pattern=r"[0-9a-f]{64}"),
        Column("size", "integer", "Size", required=True, minimum=0, unit="bytes"),
    ),
    key=("attachment",),
    indexes=(("number",), ("ente",)),
)  # fmt: skip

SUPPORT_JUDGEMENTS = Table(
    "support_judgements", "register", "One row per closing of a ticket that the client judged: the latest verdict",
    (
        ENTE, _NUMBER,
        Column("closed_at", "timestamp", "The closing that is judged", required=True),
        Column("channel", "text", "Channel of the ticket, which never changes: so that judgements are counted without it",
               required=True, allowed=CHANNELS),
        Column("verdict", "text", "The judgement, on three levels", required=True, allowed=JUDGEMENTS),
        Column("judged_at", "timestamp", "When it was first given", required=True),
        Column("judged_by", "text", "Who judged", required=True),
    ),
    key=("number", "closed_at"),
    indexes=(("ente", "judged_at"),),
)  # fmt: skip

SUPPORT_MAILS = Table(
    "support_mails", "register", "One row per notice to send by mail: of a ticket, or of figures published",
    (
        Column("mail", "integer", "Order", required=True),
        ENTE, replace(_NUMBER, meaning="Number of the ticket; null: it is about published figures", required=False),
        Column("recipient", "text", "Address; null: those of the provider (alerts.yaml)"),
        Column("notice", "text", "Which notice it is", required=True),
        Column("words", "text", "What the thread's line says"),
        Column("made_at", "timestamp", "When it was written", required=True),
        Column("sent_at", "timestamp", "When it went out"),
    ),
    key=("mail",),
    indexes=(("sent_at", "mail"), ("ente",)),
)  # fmt: skip

TOLD_QUESTIONS = Table(
    "told_questions", "register", "One row per open question of an ente about which mails were written: the next tell of new ones",
    (
        ENTE,
        Column("question", "text", "SHA-256 of its anomaly and its document's keys", required=True, pattern=r"[0-9a-f]{64}"),
    ),
    key=("ente", "question"),
)  # fmt: skip

SERVICE_MEASURES = Table(
    "service_measures", "register", "One row per measurement of a component of the service, of the last hundred days",
    (
        Column("service", "text", "Component measured", required=True),
        Column("measured_at", "timestamp", "When", required=True),
        Column("up", "boolean", "It answered", required=True),
    ),
    key=("service", "measured_at"),
    indexes=(("measured_at",),),
)  # fmt: skip

SUPPORT = (SUPPORT_TICKETS, SUPPORT_MESSAGES, SUPPORT_ATTACHMENTS, SUPPORT_JUDGEMENTS, SUPPORT_MAILS, TOLD_QUESTIONS)
SUPPORT_NUMBERED = {
    "support_tickets": "number", "support_messages": "message", "support_attachments": "attachment", "support_mails": "mail",
}  # fmt: skip
SUPPORT_UNIQUE: dict[str, tuple[tuple[str, ...], ...]] = {"support_messages": (("mail_id",),)}

_ID_TICKET = Column("id_ticket", "text", "The ticket: PCC- and its number", required=True)

DECIDED_SUPPORT_TICKETS = Table(
    "decided_support_tickets", "service_levels", "One row per ticket of the support desk",
    (
        ENTE, _ID_TICKET,
        *(SUPPORT_TICKETS.column(name) for name in ("channel", "opened_at", "first_contact_at", "closed_at", "reopened", "subject")),
    ),
    key=("ente", "id_ticket"),
)  # fmt: skip

DECIDED_SUPPORT_JUDGEMENTS = Table(
    "decided_support_judgements", "service_levels", "One row per closing of a ticket of the support desk that was judged",
    (ENTE, _ID_TICKET, *(SUPPORT_JUDGEMENTS.column(name) for name in ("closed_at", "verdict", "judged_at"))),
    key=("ente", "id_ticket", "closed_at"),
)

#: What the models of the service levels read of the support desk.
DECIDED_SUPPORT = (DECIDED_SUPPORT_TICKETS, DECIDED_SUPPORT_JUDGEMENTS)
