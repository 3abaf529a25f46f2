"""Letters to enti: prepared and kept, sent through the certified mail server or the plain one, or taken along as files.

`alerts.yaml` names the servers (`pec`, `mail`) and what stands at the head of a letter (`letters`). What is kept is the mail
itself, among the ente's own bytes, so that it goes with the ente. Of the receipt of an erasure only that it went out is kept.
"""

from __future__ import annotations

import hashlib
import smtplib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.database.schema import table
from pcc_pipeline.reports.letters import CERTIFIED, Letter, LetterError, Sender, mail
from pcc_pipeline.service.alerts import configuration, mail_server
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables.letters import ERASURE, HAND, MAIL, PEC

NO_SERVER = "Nessun server di posta per questa lettera è configurato: scaricarla e spedirla con altri mezzi"


def sender(settings: Settings) -> Sender:
    """The provider as `alerts.yaml` names it under `letters`: name, lines, signature."""
    said = dict(configuration(settings).get("letters") or {})
    lines = tuple(str(line) for line in said.get("lines") or ())
    return Sender(str(said.get("name") or Sender.name), lines, str(said.get("signature") or ""))


def channel(settings: Settings, kind: str) -> str | None:
    """Through which server a kind of letter goes: the certified one, else (where the kind may) the plain one; None: by none."""
    asked = configuration(settings)
    if asked.get("pec"):
        return PEC
    return MAIL if asked.get("mail") and kind not in CERTIFIED else None


def prepare(
    bind: sa.Engine, store: Store, ente: str, written: Letter, recipient: str, by: str, who: Sender
) -> int:  # fmt: skip
    """Keeps a letter that is to be looked at and sent; returns its number. `who` stands at its head, `by` prepared it."""
    data = mail(written, recipient, who).as_bytes(policy=policy.SMTP)
    kept = store.put_bytes(ente, data)
    t = table("letters")
    values = {
        "ente": ente, "kind": written.kind, "subject": written.paper.title, "recipient": recipient, "dated": written.dated,
        "sha256": kept.sha256, "made_by": by, "made_at": sa.func.now(),
    }  # fmt: skip
    with bind.begin() as connection:
        return int(connection.execute(sa.insert(t).values(values).returning(t.c.letter)).scalar_one())


def letters(connection: sa.Connection, ente: str) -> list[sa.RowMapping]:
    """The letters prepared for an ente (the provider's code: those of receipts), the latest first."""
    t = table("letters")
    return list(connection.execute(sa.select(t).where(t.c.ente == ente).order_by(t.c.letter.desc())).mappings())


def kept_letter(connection: sa.Connection, ente: str, number: int) -> sa.RowMapping | None:
    """One of an ente's letters; None where there is none of that number."""
    t = table("letters")
    return connection.execute(sa.select(t).where(t.c.ente == ente, t.c.letter == number)).mappings().one_or_none()


def mail_of(store: Store, row: Mapping[str, Any] | sa.RowMapping) -> bytes:
    """The mail of a kept letter. Raises FileNotFoundError."""
    with store.open(store.landing(row["ente"], row["sha256"])) as file:
        return bytes(file.read())


def papers(data: bytes) -> dict[str, bytes]:
    """The files in a letter's mail, by name."""
    message = message_from_bytes(data, policy=policy.default)
    return {part.get_filename() or "": part.get_content() for part in message.iter_attachments()}


def send(bind: sa.Engine, settings: Settings, store: Store, ente: str, number: int, who: str, on: date) -> str:
    """Sends a letter, keeps what went out and notes it; returns the channel. Nobody else sends it meanwhile.

    Raises LetterError where there is no such letter to send, no server for it, or the server refuses.
    """
    t = table("letters")
    with bind.begin() as connection:
        row = _to_send(connection, ente, number, on)
        through = channel(settings, row["kind"])
        if through is None:
            raise LetterError(NO_SERVER)
        message = message_from_bytes(mail_of(store, row), policy=policy.default)
        assert isinstance(message, EmailMessage)
        _deliver(settings, message, through)
        kept = store.put_bytes(ente, message.as_bytes(policy=policy.SMTP))
        noted = {"sha256": kept.sha256, "sent_by": who, "sent_at": sa.func.now(), "channel": through}
        connection.execute(sa.update(t).where(t.c.letter == number).values(noted))
    return through


def sent_by_hand(bind: sa.Engine, ente: str, number: int, who: str, on: date) -> None:
    """Notes that a person sent a letter with other means. Raises LetterError where there is no such letter to send."""
    t = table("letters")
    with bind.begin() as connection:
        _to_send(connection, ente, number, on)
        noted = {"sent_by": who, "sent_at": sa.func.now(), "channel": HAND}
        connection.execute(sa.update(t).where(t.c.letter == number).values(noted))


def send_receipt(
    bind: sa.Engine, settings: Settings, written: Letter, receipt: str, recipient: str, who: str, head: Sender
) -> str:  # fmt: skip
    """Sends the receipt of an erasure; returns the channel. Kept is that it went out, and nothing that names the ente.
    Raises LetterError."""
    through = channel(settings, ERASURE)
    if through is None:
        raise LetterError(NO_SERVER)
    message = mail(written, recipient, head)
    _deliver(settings, message, through)
    values = {
        "ente": PROVIDER, "kind": ERASURE, "reference": receipt, "subject": written.paper.title, "dated": written.dated,
        "sha256": hashlib.sha256(message.as_bytes(policy=policy.SMTP)).hexdigest(), "made_by": who, "made_at": sa.func.now(),
        "sent_by": who, "sent_at": sa.func.now(), "channel": through,
    }  # fmt: skip
    with bind.begin() as connection:
        connection.execute(sa.insert(table("letters")).values(values).inline())
    return through


def _to_send(connection: sa.Connection, ente: str, number: int, on: date) -> sa.RowMapping:
    t = table("letters")
    mine = sa.select(t).where(t.c.ente == ente, t.c.letter == number).with_for_update()
    row = connection.execute(mine).mappings().one_or_none()
    if row is None:
        raise LetterError("Questa lettera non c'è")
    if row["sent_at"] is not None:
        raise LetterError("La lettera è già stata spedita")
    if row["dated"] != on:
        raise LetterError("La lettera ha la data di un altro giorno, da cui corrono i suoi termini: prepararne una nuova")
    return row


def _deliver(settings: Settings, message: EmailMessage, through: str) -> None:
    """Hands a mail to the server of a channel, with what makes it one that was sent. Raises LetterError."""
    asked = dict(configuration(settings)["pec" if through == PEC else "mail"])
    if through == PEC:
        asked.setdefault("password_variable", "PCC_PEC_PASSWORD")
    del message["X-Unsent"]
    message["From"] = asked["from"]
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=str(asked["from"]).rpartition("@")[2].strip("<> ") or None)
    try:
        with mail_server(asked) as server:
            server.send_message(message)
    except (OSError, smtplib.SMTPException, KeyError) as error:
        raise LetterError(f"Non spedita: il server di posta non l'ha presa ({error})") from None
