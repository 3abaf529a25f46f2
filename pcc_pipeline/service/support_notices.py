"""Sends notices by mail, in Italian and English: of tickets to clients and to the provider, of figures to who wants them.

The mail server is that of the alerts (`alerts.yaml`, with the desk's own address as `desk` for links). What could not be sent
is tried again for a week; after that nobody wants to hear it any more.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.publish import current_in
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.italian import DEPARTMENT_WORDS, day, moment
from pcc_pipeline.review.asked import asked as open_questions
from pcc_pipeline.service.alerts import configuration, mail_server
from pcc_pipeline.service.news import PUBLISHED, QUESTIONS
from pcc_pipeline.settings import Settings
from pcc_pipeline.support.links import judge_token

log = logging.getLogger("pcc.support")

#: How long a notice is worth sending, and how many go out at a look.
WORTH, AT_ONCE = timedelta(days=7), 200
#: Above it stands what is new in an answer by mail (`support_mailbox`).
REPLY_ABOVE = "--- Rispondere sopra questa riga / Reply above this line ---"

#: By notice and whether it goes to the client: title and text, in Italian and in English.
_TEXTS: dict[tuple[str, bool], tuple[tuple[str, str], tuple[str, str]]] = {
    ("OPENED", True): (
        ("aperta", "La vostra segnalazione è del reparto {reparto}. Il primo contatto arriva entro {deadline}."),
        ("opened", "Your ticket is with the department {reparto}. You will hear from us by {deadline}."),
    ),
    ("ANSWERED", True): (("risposta", "Abbiamo risposto:"), ("answer", "We answered:")),
    ("PASSED", True): (
        ("passata a un altro reparto", "La segnalazione è ora del reparto {reparto}."),
        ("passed on", "The ticket is now with the department {reparto}."),
    ),
    ("CLOSED", True): (
        ("chiusa", "La segnalazione è chiusa. Come è andata? Basta un tocco:"),
        ("closed", "The ticket is closed. How did it go? One tap is enough:"),
    ),
    ("REOPENED", True): (("riaperta", "Abbiamo riaperto la segnalazione:"), ("reopened", "We reopened the ticket:")),
    ("OPENED", False): (
        ("nuova segnalazione", "Nuova segnalazione dell'ente {ente}, reparto {reparto}, da contattare entro {deadline}:"),
        ("new ticket", "New ticket of {ente}, department {reparto}, to be contacted by {deadline}:"),
    ),
    ("WRITTEN", False): (("messaggio", "L'ente {ente} ha scritto:"), ("message", "{ente} wrote:")),
    ("CLOSED", False): (
        ("chiusa dal cliente", "L'ente {ente} ha chiuso la segnalazione."), ("closed", "{ente} closed the ticket."),
    ),
    ("REOPENED", False): (
        ("riaperta", "L'ente {ente} ha riaperto la segnalazione:"), ("reopened", "{ente} reopened the ticket:"),
    ),
}  # fmt: skip
#: The same for news of an ente's figures, and the page that they are about.
_NEWS: dict[str, tuple[tuple[str, str], tuple[str, str], str]] = {
    PUBLISHED: (
        ("cifre pubblicate", "Le cifre dell'ente {ente} al {day} sono pubblicate. Domande a cui rispondere: {questions}."),
        ("figures published", "The figures of {ente} on {day} are published. Questions to answer: {questions}."), "/",
    ),
    QUESTIONS: (
        ("domande nuove", "Ci sono domande nuove per l'ente {ente}. Domande a cui rispondere: {questions}."),
        ("new questions", "There are new questions for {ente}. Questions to answer: {questions}."), "/domande",
    ),
}  # fmt: skip
_UNWANTED = (
    "Avete chiesto voi questo messaggio: si toglie dalla prima pagina della scrivania.",
    "You asked for this mail: the first page of the desk is where to say no.",
)
_FACES = (("POSITIVO", "☺ Bene / Good"), ("NEUTRO", "😐 Così così / So so"), ("NEGATIVO", "☹ Male / Bad"))
#: Notices whose text is what somebody wrote.
_QUOTED = {"ANSWERED", "WRITTEN", "REOPENED", "OPENED"}


def send_notices(installation: Installation) -> int:
    """Sends what waits; returns how many went out. Nothing is done where `alerts.yaml` names no mail server."""
    asked = configuration(installation.settings)
    if not (mail := asked.get("mail")):
        return 0
    t, tickets = table("support_mails"), table("support_tickets")
    waiting = (
        sa.select(t, *(tickets.c[name] for name in ("subject", "department", "deadline_at", "closed_at", "opened_at")))
        .outerjoin(tickets, tickets.c.number == t.c.number)
        .where(t.c.sent_at.is_(None), t.c.made_at > datetime.now(UTC) - WORTH)
        .order_by(t.c.mail).limit(AT_ONCE)
    )  # fmt: skip
    with installation.engine.connect() as connection:
        rows = connection.execute(waiting).mappings().all()
    if not rows:
        return 0
    sent = 0
    try:
        with mail_server(mail) as server:
            for row in rows:
                try:
                    server.send_message(_mail(installation, asked, row))
                except smtplib.SMTPRecipientsRefused as error:
                    log.error("Notice %s was refused by the mail server (%s)", row["mail"], error)
                    continue
                with installation.engine.begin() as connection:
                    connection.execute(sa.update(t).where(t.c.mail == row["mail"]).values(sent_at=sa.func.now()))
                sent += 1
    except (OSError, smtplib.SMTPException, KeyError) as error:
        log.error("Notices not sent (%s): they are tried again; look at mail in alerts.yaml", error)
    return sent


def _mail(installation: Installation, asked: Mapping[str, Any], row: sa.RowMapping) -> EmailMessage:
    return notice(installation.settings, asked, row) if row["number"] is not None else _news(installation, asked, row)


def _news(installation: Installation, asked: Mapping[str, Any], row: sa.RowMapping) -> EmailMessage:
    """The mail about an ente's figures, as they are when it goes out: both languages, no amount, a link to the desk."""
    italian, english, page = _NEWS[row["notice"]]
    with installation.engine.connect() as connection:
        published = current_in(connection, row["ente"])
        questions = open_questions(connection, row["ente"]).questions
    given = {"ente": row["ente"], "day": day(published.reference_date if published else None), "questions": questions}
    message = EmailMessage()
    message["Subject"] = f"[PCC] {row['ente']}: {italian[0]} / {english[0]}"
    message["From"], message["To"] = asked["mail"]["from"], row["recipient"]
    message["Auto-Submitted"] = "auto-generated"
    desk = str(asked.get("desk") or "").rstrip("/")
    lines = [italian[1].format(**given), english[1].format(**given), *([f"{desk}{page}"] if desk else []), *_UNWANTED]
    message.set_content("\n\n".join(lines) + "\n")
    return message


def notice(settings: Settings, asked: Mapping[str, Any], row: Mapping[str, Any] | sa.RowMapping) -> EmailMessage:
    """The mail of a notice, with the columns of its ticket: both languages, the text written, links where `desk` is set."""
    mail, to_client, number = asked["mail"], row["recipient"] is not None, row["number"]
    given = {
        "ente": row["ente"], "reparto": DEPARTMENT_WORDS[row["department"]],
        "deadline": moment(row["deadline_at"]) if row["deadline_at"] else "–",
    }  # fmt: skip
    italian, english = _TEXTS[row["notice"], to_client]
    lines = [REPLY_ABOVE, "", italian[1].format(**given), "", english[1].format(**given), ""]
    if row["words"] and row["notice"] in _QUOTED:
        lines += [*(f"  {line}" for line in row["words"].splitlines()), ""]
    if desk := str(asked.get("desk") or "").rstrip("/"):
        if row["notice"] == "CLOSED" and to_client and row["closed_at"] is not None:
            token = judge_token(settings, row["ente"], number, row["closed_at"])
            lines += [f"{words}: {desk}/giudizio/{token}?voto={verdict}" for verdict, words in _FACES]
        lines += [f"{desk}/{'segnalazioni' if to_client else 'assistenza'}/{number}"]
    message = EmailMessage()
    message["Subject"] = f"[PCC-{number}] {row['subject']}: {italian[0]} / {english[0]}"
    message["From"] = mail["from"]
    message["To"] = row["recipient"] if to_client else ", ".join(mail["to"])
    if to_client and (address := asked.get("mailbox", {}).get("address")):
        message["Reply-To"] = address
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(lines) + "\n")
    return message
