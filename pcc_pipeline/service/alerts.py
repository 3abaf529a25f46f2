"""Alerts: a ticket about to pass the limit, one that did, a level missed. Each is raised once and told everywhere asked.

Always to `PCC_HOME/alerts.log`; by `PCC_HOME/alerts.yaml` also by e-mail and to a webhook (docs/runbook.md). What could
not be sent is tried again at the next look. The password of the mail server comes from the environment.
"""

from __future__ import annotations

import json
import logging
import os
import smtplib
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa
import yaml
from sqlalchemy.dialects.postgresql import insert

from pcc_pipeline.calculator import source
from pcc_pipeline.clock import ROME, today
from pcc_pipeline.database.register import Register
from pcc_pipeline.database.schema import table
from pcc_pipeline.duck import connect
from pcc_pipeline.enti.facts import EnteFacts
from pcc_pipeline.installation import Installation
from pcc_pipeline.italian import moment
from pcc_pipeline.review.uploads import standing_still
from pcc_pipeline.runs.inputs import inputs
from pcc_pipeline.settings import Settings

log = logging.getLogger("pcc.alerts")

#: Seconds to wait for a mail server or webhook.
PATIENCE = 20


@dataclass(frozen=True)
class Alert:
    """One alert: the ente, a key that tells it from others of the ente, its kind and its text (Italian)."""

    ente: str
    key: str
    kind: str
    text: str


def watch(installation: Installation, ente: str, facts: EnteFacts) -> list[Alert]:
    """What is to be said of an ente's tickets now: its models of today, kept apart from the published ones."""
    on, output = today(), f"watch/{ente}"
    models = ("service_calendar", "ticket_contacts", "sla_breaches")
    installation.calculator.run_inputs(inputs(installation, ente, on, on, facts=facts), models, output)
    with connect(installation.settings) as connection:
        installation.store.attach(connection)
        breaches = source(installation.store, ente, "sla_breaches", output)
        rows = connection.execute(
            "select id_ticket, situation, channel, left_minutes, over_minutes, deadline_at "
            f"from {breaches} where first_contact_at is null order by deadline_at"
        ).fetchall()
    found = []
    for name, situation, channel, left, over, deadline in rows:
        until = moment(deadline)
        if situation == "ABOUT_TO_BREACH":
            text = (
                f"{ente}: segnalazione {name} ({channel}) senza contatto, restano {left} minuti lavorativi: "
                f"contattare entro {until}"
            )
        else:
            text = f"{ente}: segnalazione {name} ({channel}) senza contatto, limite superato da {over} minuti lavorativi"
        found.append(Alert(ente, f"{situation} {name}", situation, text))
    return found


def missed_levels(register: Register, ente: str) -> list[Alert]:
    """Levels that the published figures of an ente show as missed, of the latest month."""
    t = table("sla_availability")
    last = sa.select(sa.func.max(t.c.period)).where(t.c.ente == ente, t.c.period_kind == "month").scalar_subquery()
    query = sa.select(t).where(t.c.ente == ente, t.c.period == last, t.c.service == "ALL", ~t.c.met)
    found = []
    with register.engine.connect() as connection:
        for row in connection.execute(query):
            text = (
                f"{ente}: disponibilità di {row.period} {row.availability:.3f} %, garantita {row.target:.0f} %: "
                f"fermi {row.down_minutes} minuti su {row.budget_minutes} ammessi"
            )
            found.append(Alert(ente, f"AVAILABILITY {row.period}", "AVAILABILITY_MISSED", text))
    return found


def still_files(engine: sa.Engine, ente: str) -> list[Alert]:
    """Files for PCC of an ente that stand still: written and not uploaded, uploaded and not answered."""
    found = []
    for situation, file in standing_still(engine, today(), ente):
        written, name = f"{file['sent_at'].astimezone(ROME):%d/%m/%Y}", file["file"]
        if situation == "NOT_UPLOADED":
            text = f"{ente}: il file per PCC {name}, scritto il {written}, non risulta caricato: caricarlo e segnarlo"
        else:
            since = f"{(file['uploaded_at'] or file['sent_at']).astimezone(ROME):%d/%m/%Y}"
            text = (
                f"{ente}: del file {name}, caricato su PCC il {since}, {file['sent']} righe su {file['rows']} non hanno "
                "esito: scaricare l'esito da PCC e consegnarlo"
            )
        found.append(Alert(ente, f"FILE {situation} {name}", f"FILE_{situation}", text))
    return found


def raise_alerts(installation: Installation, alerts: list[Alert]) -> int:
    """Keeps the alerts that were never raised, writes them to the log, sends what is still to be sent; returns the new."""
    t = table("alerts")
    fresh = []
    with installation.engine.begin() as connection:
        for alert in alerts:
            values = {
                "ente": alert.ente,
                "alert": alert.key,
                "kind": alert.kind,
                "words": alert.text,
                "raised_at": sa.func.now(),
            }
            made = connection.execute(insert(t).values(values).on_conflict_do_nothing().returning(t.c.alert)).first()
            if made:
                fresh.append(alert)
    if fresh:
        with (installation.settings.home / "alerts.log").open("a", encoding="utf-8") as out:
            for alert in fresh:
                out.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {alert.kind} {alert.text}\n")
    send(installation)
    return len(fresh)


def configuration(settings: Settings) -> dict[str, Any]:
    """What `alerts.yaml` asks for; nothing where there is no such file."""
    path = settings.home / "alerts.yaml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


def send(installation: Installation) -> None:
    """Sends what was not sent yet by each channel configured; a failure is logged with what to do, and tried again."""
    asked = configuration(installation.settings)
    channels = {"mail": ("mailed_at", _mail), "webhook": ("posted_at", _post)}
    t = table("alerts")
    for name, (column, sender) in channels.items():
        if not asked.get(name):
            continue
        with installation.engine.begin() as connection:
            waiting = (
                connection.execute(sa.select(t).where(t.c[column].is_(None)).order_by(t.c.raised_at).limit(500))
                .mappings()
                .all()
            )
            if not waiting:
                continue
            try:
                sender(asked[name], [dict(row) for row in waiting])
            except (OSError, smtplib.SMTPException, KeyError) as error:
                log.error(
                    "Alerts not sent by %s (%s): they are tried again; look at %s in alerts.yaml",
                    name,
                    error,
                    name,
                )
                continue
            for row in waiting:
                mine = (t.c.ente == row["ente"]) & (t.c.alert == row["alert"])
                connection.execute(sa.update(t).where(mine).values({column: sa.func.now()}))


def _mail(asked: Mapping[str, Any], alerts: list[dict[str, Any]]) -> None:
    message = EmailMessage()
    message["Subject"] = f"Servizio PCC: {len(alerts)} avvisi"
    message["From"] = asked["from"]
    message["To"] = ", ".join(asked["to"])
    message.set_content("\n".join(str(alert["words"]) for alert in alerts) + "\n")
    with mail_server(asked) as server:
        server.send_message(message)


@contextmanager
def mail_server(asked: Mapping[str, Any]) -> Iterator[smtplib.SMTP]:
    """The mail server that a part of `alerts.yaml` names (`mail`, `pec`), signed in. Raises OSError, SMTPException, KeyError
    (no password in the environment)."""
    tls = bool(asked.get("tls"))
    kind = smtplib.SMTP_SSL if tls else smtplib.SMTP
    with kind(asked["host"], int(asked.get("port", 465 if tls else 25)), timeout=PATIENCE) as server:
        if asked.get("starttls"):
            server.starttls()
        if asked.get("user"):
            server.login(asked["user"], os.environ[asked.get("password_variable", "PCC_MAIL_PASSWORD")])
        yield server


def _post(asked: Mapping[str, Any], alerts: list[dict[str, Any]]) -> None:
    body = [{"ente": a["ente"], "kind": a["kind"], "text": a["words"], "raised_at": a["raised_at"].isoformat()} for a in alerts]
    data = json.dumps({"alerts": body}, ensure_ascii=False).encode()
    if not str(asked["url"]).startswith(("http://", "https://")):
        raise OSError("the webhook's url must begin with http:// or https://")
    request = urllib.request.Request(asked["url"], data, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        answer.read()
