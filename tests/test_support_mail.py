"""The support desk by mail: notices go out in both languages, what clients write comes in; local servers of both kinds."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from aiosmtpd.controller import Controller
from dagster import build_sensor_context
from imap_double import Mailbox, serve

from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.service.support_mailbox import Read, read_mailbox
from pcc_pipeline.service.support_notices import REPLY_ABOVE, send_notices
from pcc_pipeline.settings import Settings
from pcc_pipeline.support import tickets
from pcc_pipeline.support.links import read_token
from pcc_pipeline.support.reading import thread
from pcc_pipeline.support.tickets import Person, Request
from portal.accounts import add_user
from sensors.support import support_mail

ANNA = Person("anna@fornitore.it", True)


class Sent:
    """What a local mail server received."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    async def handle_RCPT(self, server: object, session: object, envelope: Any, address: str, options: object) -> str:
        if address == "nessuno@alfa.it":
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def mail(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Sent, Mailbox]]:
    """A mail server and a mailbox, which `alerts.yaml` names; a client of each of two enti."""
    sent, box = Sent(), Mailbox()
    monkeypatch.setenv("PCC_MAILBOX_PASSWORD", box.password)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(sent, hostname="127.0.0.1", port=port)
    controller.start()
    for name, ente in (("chi", "alfa"), ("altro", "beta"), ("anna", None)):
        add_user(engine(settings), f"{name}@prova.it", name.title(), "ente_user" if ente else "operator", ente, None)
    try:
        with serve(box) as imap:
            asked = {
                "mail": {"host": "127.0.0.1", "port": port, "from": "pcc@fornitore.it", "to": ["coda@fornitore.it"]},
                "desk": "https://desk.example.it/",
                "mailbox": {"host": "127.0.0.1", "port": imap, "tls": False, "user": "pcc", "address": "aiuto@fornitore.it"},
            }
            settings.home.mkdir(parents=True, exist_ok=True)
            (settings.home / "alerts.yaml").write_text(yaml.safe_dump(asked))
            yield sent, box
    finally:
        controller.stop()


def _written(sender: str, subject: str, text: str, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Qualcuno <{sender}>", "aiuto@fornitore.it", subject
    message["Message-ID"] = f"<{abs(hash((sender, subject, text)))}@prova.it>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes(policy=policy.SMTP)


def _lines(settings: Settings, number: int) -> list[tuple[str, str | None]]:
    with engine(settings).connect() as connection:
        found = thread(connection, None, number, internal=True)
    assert found is not None
    return [(line["kind"], line["words"]) for line in found.lines]


def test_notices_go_to_clients_and_provider(installation: Installation, settings: Settings, mail: tuple[Sent, Mailbox]) -> None:
    sent, bind, now = mail[0], engine(settings), datetime.now(UTC)
    for contact in ("nessuno@alfa.it", "chi@alfa.it"):
        request = Request("alfa", "SCRIVANIA", "Manca una fattura", "Dov'è la 12/A?", contact=contact)
        number = tickets.open_ticket(bind, request, Person("Chi", False), now)
    tickets.answer(bind, number, ANNA, "L'abbiamo trovata", now + timedelta(minutes=1))
    tickets.note(bind, number, ANNA, "cliente difficile", now + timedelta(minutes=2))
    tickets.close(bind, None, number, ANNA, now + timedelta(minutes=3))
    assert send_notices(installation) == 5 and send_notices(installation) == 0  # the refused one goes on being tried
    told = [(found["To"], found["Subject"].split(": ")[-1]) for found in sent.mails]
    assert told == [
        ("coda@fornitore.it", "nuova segnalazione / new ticket"),
        ("chi@alfa.it", "aperta / opened"),
        ("coda@fornitore.it", "nuova segnalazione / new ticket"),
        ("chi@alfa.it", "risposta / answer"),
        ("chi@alfa.it", "chiusa / closed"),
    ]
    answer, closed = (found.get_content() for found in sent.mails[-2:])
    assert (
        "abbiamo trovata" in answer and "We answered" in answer and f"https://desk.example.it/segnalazioni/{number}" in answer
    )
    assert not [found for found in sent.mails if "difficile" in found.get_content()]
    assert sent.mails[-1]["Auto-Submitted"] == "auto-generated" and sent.mails[-1]["Reply-To"] == "aiuto@fornitore.it"
    links = re.findall(r"https://desk\.example\.it/giudizio/(\S+)\?voto=(\w+)", closed)
    assert [verdict for _, verdict in links] == ["POSITIVO", "NEUTRO", "NEGATIVO"]
    about = read_token(settings, links[0][0])
    assert about is not None and (about.ente, about.number) == ("alfa", number)


def test_what_clients_write_becomes_tickets(installation: Installation, settings: Settings, mail: tuple[Sent, Mailbox]) -> None:
    box = mail[1]
    box.put(_written("Chi@Prova.it", "Non vedo il giornale", "Dal primo dicembre\n"))
    assert read_mailbox(installation) == Read(opened=1) and box.flags[1] == {"\\Seen"}
    assert _lines(settings, 1) == [("MESSAGE", "Dal primo dicembre")]
    quoted = f"Ecco\n\nIl giorno tale Assistenza ha scritto:\n{REPLY_ABOVE}\n\nvecchio"
    box.put(_written("chi@prova.it", "Re: [PCC-1] Non vedo il giornale", quoted))
    box.put(_written("altro@prova.it", "Re: [PCC-1] di un altro", "non è mia"))  # another ente's number: a ticket of its own
    box.put(_written("anna@prova.it", "Re: [PCC-1]", "una risposta finta"))  # the provider answers at the desk
    box.put(_written("ignoto@altrove.it", "Comprate", "qui"))
    box.put(_written("chi@prova.it", "Fuori sede: [PCC-1]", "torno lunedì", Auto_Submitted="auto-replied"))
    assert read_mailbox(installation) == Read(opened=1, added=1, ignored=1, left=2)
    assert _lines(settings, 1)[1:] == [("MESSAGE", "Ecco")] and _lines(settings, 2) == [("MESSAGE", "non è mia")]
    assert [number for number, flags in box.flags.items() if "\\Flagged" in flags] == [4, 5]
    tickets.close(engine(settings), None, 1, ANNA, datetime.now(UTC))
    box.put(_written("chi@prova.it", "PCC-1 ancora", "non va"))
    box.flags[2] = set()  # read once more, after a crash say
    assert read_mailbox(installation).added == 1
    assert _lines(settings, 1)[-2:] == [("REOPENED", None), ("MESSAGE", "non va")]
    with engine(settings).connect() as connection:
        rows = connection.execute(sa.select(table("support_tickets").c.ente, table("support_tickets").c.channel)).all()
        assert sorted(rows) == [("alfa", "EMAIL"), ("beta", "EMAIL")]
        assert connection.execute(sa.select(sa.func.count()).select_from(table("deliveries"))).scalar_one() == 0


def test_a_mail_server_that_vouches_is_asked(
    installation: Installation, settings: Settings, mail: tuple[Sent, Mailbox]
) -> None:
    path = settings.home / "alerts.yaml"
    asked = yaml.safe_load(path.read_text())
    asked["mailbox"]["trusted"] = "mx.fornitore.it"
    path.write_text(yaml.safe_dump(asked))
    for result in ("mx.fornitore.it; dmarc=fail", "mx.altrove.it; dmarc=pass", "mx.fornitore.it; spf=pass; dmarc=pass"):
        mail[1].put(_written("chi@prova.it", result, "x", Authentication_Results=result))
    assert read_mailbox(installation) == Read(opened=1, left=2)


def test_the_sensor_does_both_and_says_what_fails(
    installation: Installation, settings: Settings, mail: tuple[Sent, Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    mail[1].put(_written("chi@prova.it", "Aiuto", "x"))
    with build_sensor_context() as context:
        said = support_mail(context, installation=installation).skip_message
        assert said == "2 notices sent; 1 tickets opened, 0 messages, 0 mails left to look at"
        monkeypatch.setenv("PCC_MAILBOX_PASSWORD", "sbagliata")
        assert "could not be read" in support_mail(context, installation=installation).skip_message
    until = time.monotonic() + 5
    while mail[1].connected and time.monotonic() < until:
        time.sleep(0.05)
    assert mail[1].connected == 0, "a look that fails leaves its connection open"
