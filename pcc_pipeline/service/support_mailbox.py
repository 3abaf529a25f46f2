"""Mail that clients send: read from a mailbox, and made a ticket or a line of one.

Known are the senders who have an account of an ente; the number in the subject says which ticket. Who is not known, or cannot
be told from a forger (`trusted`), is left in the mailbox, flagged, for somebody to look at. The provider's people answer at
the desk: a mail in their name, which anybody could write, answers nothing. A mail read twice counts once.
"""

from __future__ import annotations

import hashlib
import html
import io
import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from imap_tools import AND, BaseMailBox, MailBox, MailBoxUnencrypted, MailMessage, MailMessageFlags

from pcc_pipeline.arrival.welcome import Unwelcome
from pcc_pipeline.database.schema import table
from pcc_pipeline.enti.overview import register_rows
from pcc_pipeline.installation import Installation
from pcc_pipeline.service.alerts import PATIENCE, configuration
from pcc_pipeline.service.support_notices import REPLY_ABOVE
from pcc_pipeline.support import attachments
from pcc_pipeline.support.tickets import SUBJECT, WORDS, Attachment, Person, Request, add, open_ticket, reopen
from pcc_pipeline.tables.support import CLOSED

log = logging.getLogger("pcc.support")

#: Mails read at a look.
AT_ONCE = 20
_NUMBER = re.compile(r"\bPCC-([0-9]{1,15})\b")
_BULK = {"bulk", "list", "junk"}


@dataclass
class Read:
    """What a look at the mailbox gave: tickets opened, lines added, mails of programs passed over, mails left for people."""

    opened: int = 0
    added: int = 0
    ignored: int = 0
    left: int = 0


def read_mailbox(installation: Installation) -> Read:
    """Reads what is new in the mailbox that `alerts.yaml` names (`mailbox`); nothing where it names none. Raises OSError and
    imap_tools' errors where the mailbox cannot be reached: the next look goes on where this one ended."""
    found = Read()
    asked = configuration(installation.settings).get("mailbox")
    if not asked:
        return found
    with _opened(asked) as box:
        for message in box.fetch(AND(seen=False), mark_seen=False, limit=AT_ONCE, bulk=False):
            known = _take(installation, asked, message, found)
            flags = [MailMessageFlags.SEEN] if known else [MailMessageFlags.SEEN, MailMessageFlags.FLAGGED]
            if message.uid is not None:
                box.flag(message.uid, flags, True)
    return found


def _opened(asked: Mapping[str, Any]) -> BaseMailBox:
    password = os.environ[asked.get("password_variable", "PCC_MAILBOX_PASSWORD")]
    tls = asked.get("tls", True)
    kind = MailBox if tls else MailBoxUnencrypted
    box = kind(str(asked["host"]), int(asked.get("port", 993 if tls else 143)), timeout=PATIENCE)
    try:
        return box.login(str(asked["user"]), password, str(asked.get("folder", "INBOX")))
    except BaseException:  # a connection for each look that fails would stay open
        box.client.shutdown()
        raise


def _take(installation: Installation, asked: Mapping[str, Any], message: MailMessage, found: Read) -> bool:
    """Makes a mail what it is to be; False where people must look at it."""
    headers = {name.lower(): values for name, values in message.headers.items()}
    automatic = headers.get("auto-submitted", ("no",))[0].strip().lower() != "no"
    if automatic or headers.get("precedence", ("",))[0].strip().lower() in _BULK:
        found.ignored += 1
        return True
    user = _account(installation.engine, message.from_)
    if user is None or not _trusted(asked, headers.get("authentication-results", ())):
        log.error("A mail from a sender who is not known waits in the mailbox, flagged")
        found.left += 1
        return False
    words, files = _words(message), list[Attachment]()
    given = [(file.filename, io.BytesIO(file.payload)) for file in message.attachments if file.filename]
    try:
        files = attachments.keep(installation.store, user["ente"], given)
    except Unwelcome as error:
        words += f"\n\n[Allegati non accettati: {error}]"
    mail_id = headers.get("message-id", ("",))[0].strip() or hashlib.sha256(message.obj.as_bytes()).hexdigest()
    with suppress(sa.exc.IntegrityError):  # read before
        _place(installation, user, message.subject, words, files, mail_id, found)
    return True


def _place(
    installation: Installation, user: sa.RowMapping, subject: str, words: str, files: list[Attachment], mail_id: str,
    found: Read,
) -> None:  # fmt: skip
    now, who, ente, bind = datetime.now(UTC), Person(user["name"], False), user["ente"], installation.engine
    named = _NUMBER.search(subject)
    state = None if named is None else _state(bind, ente, int(named[1]))
    if named is None or state is None:
        row = register_rows(installation, ente).get(ente)
        title = subject.strip()[:SUBJECT] or "Senza oggetto"
        request = Request(
            ente, "EMAIL", title, words, contact=user["email"], patron_saint=row["santo_patrono"] if row else None
        )
        open_ticket(bind, request, who, now, files, mail_id)
        found.opened += 1
    elif state == CLOSED:
        reopen(bind, ente, int(named[1]), who, words, now, mail_id, files)
        found.added += 1
    else:
        add(bind, ente, int(named[1]), who, words, now, files, mail_id)
        found.added += 1


def _account(engine: sa.Engine, address: str) -> sa.RowMapping | None:
    t = table("users")
    query = sa.select(t.c.email, t.c.name, t.c.ente).where(
        t.c.email == address.strip().lower(), t.c.active, t.c.ente.is_not(None)
    )
    with engine.connect() as connection:
        return connection.execute(query).mappings().one_or_none()


def _trusted(asked: Mapping[str, Any], results: tuple[str, ...]) -> bool:
    """Whether the mail server named as `trusted` vouches for the sender's domain (DMARC); without one every sender is taken
    for who they say."""
    if not (server := asked.get("trusted")):
        return True
    # Only the first is that server's own: those below came with the mail.
    first = results[0] if results else ""
    return first.split(";")[0].strip().lower() == str(server).lower() and re.search(r"\bdmarc=pass\b", first) is not None


def _state(engine: sa.Engine, ente: str, number: int) -> str | None:
    t = table("support_tickets")
    with engine.connect() as connection:
        found: str | None = connection.execute(sa.select(t.c.state).where(t.c.number == number, t.c.ente == ente)).scalar()
    return found


def _words(message: MailMessage) -> str:
    """What the sender wrote: without the notice they answer, and the lines they quote."""
    text = message.text or html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?is)<(style|script).*?</\1>", "", message.html)))
    text = text.replace("\r\n", "\n").replace("\0", "\ufffd").split(REPLY_ABOVE)[0]
    lines = "\n".join(line for line in text.split("\n") if not line.startswith(">")).strip().split("\n")
    if len(lines) > 1 and lines[-1].endswith(":") and (REPLY_ABOVE in message.text or ">" in message.text):
        lines.pop()  # "On … somebody wrote:"
    return "\n".join(lines).strip()[: WORDS - 500] or "(senza testo)"
