"""The nights, what they close, the alerts and the probe: against a local database, mail server and web server."""

from __future__ import annotations

import csv
import json
import socket
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from aiosmtpd.controller import Controller

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import holidays as calendar
from pcc_pipeline.clock import ROME
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.register import Register
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.reports.service_page import service_page
from pcc_pipeline.runs import pipeline
from pcc_pipeline.runs.inputs import calculator_deliveries
from pcc_pipeline.service import alerts, nightly
from pcc_pipeline.service.closing import closed, ended, reopen
from pcc_pipeline.service.lookout import look
from pcc_pipeline.service.probe import keep, measure
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store


def deliver(settings: Settings, kind: str, lines: list[str], ente: str = "alfa") -> None:
    installation = Installation(settings)
    folder = settings.inbox / ente / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{len(list(folder.iterdir()))}.csv").write_text("\n".join(lines) + "\n")
    land(installation, ente=ente)
    stage(installation, ente)


def tickets(*rows: str) -> list[str]:
    return ["id;canale;aperto_il;primo_contatto_il;chiuso_il;oggetto", *rows]


def figures(settings: Settings, period: str) -> tuple[Any, ...]:
    t = table("sla_tickets")
    query = sa.select(t.c.opened, t.c.max_minutes, t.c.closed).where(t.c.period == period, t.c.channel == "ALL")
    with engine(settings).connect() as connection:
        row = connection.execute(query).first()
    return tuple(row) if row else ()


def test_months_close_stay_closed_and_open_again(installation: Installation, settings: Settings) -> None:
    deliver(
        settings,
        "tickets",
        tickets("1;EMAIL;2025-11-03 09:00;2025-11-03 10:00;;x", "2;EMAIL;2025-11-28 17:00;;;y", "3;EMAIL;2025-12-01 09:00;;;z"),
    )
    store, register = Store(settings.store_url), Register(engine(settings))
    (first,) = nightly.nights(installation, date(2025, 11, 30))
    # Month and quarter, EMAIL and ALL; and the two tickets themselves.
    assert first.published == {"alfa": 4 + 2} and first.closed == {}, "ticket 2 may still breach"
    assert figures(settings, "2025-11") == (2, 60, False)
    # Nothing ran for ten nights: the one on which November was decided closes it, as it was then.
    done = nightly.nights(installation, date(2025, 12, 10))
    assert [night.night for night in done] == [date(2025, 12, 1) + timedelta(days=n) for n in range(10)]
    assert {night.night: night.closed for night in done if night.closed} == {date(2025, 12, 4): {"alfa": ["2025-11"]}}
    # 28 November from 17:00: 60; then 1, 2, 3, 4 December, 600 each: 2460 at the end of the 4th.
    assert figures(settings, "2025-11") == (2, 2460, True)
    deliver(settings, "tickets", tickets("9;EMAIL;2025-11-04 09:00;2025-11-04 10:00;;late news"))
    nightly.nights(installation, date(2025, 12, 11))
    assert figures(settings, "2025-11") == (2, 2460, True), "closed figures do not change"
    assert figures(settings, "2025-Q4")[0] == 4
    assert reopen(store, "alfa", "2025-11", "segnalazione consegnata tardi") == 1
    nightly.nights(installation, date(2025, 12, 12))
    assert figures(settings, "2025-11")[0] == 3 and closed(store, "alfa") == {"2025-11"}
    assert nightly.missed(register, date(2025, 12, 12)) == []
    page = service_page(engine(settings), "alfa")
    assert page.count("<svg") >= 2 and "2025-11 chiuso" in page and "http" not in page.replace("http-equiv", "")


def test_an_ente_that_is_not_active_is_left_out(installation: Installation, settings: Settings) -> None:
    deliver(settings, "tickets", tickets("1;EMAIL;2025-11-03 09:00;;;x"), "beta")
    folder = settings.inbox / "_provider" / "enti"
    folder.mkdir(parents=True)
    (folder / "e.csv").write_text("ente;denominazione;cf;ordine_il\nbeta;Comune di Beta;2;2025-01-01\n")
    pipeline.read_provider(installation)
    (night,) = nightly.nights(installation, date(2025, 11, 30))
    assert night.published == {} and night.failed == {}


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2025-12-02 01:59", "2025-11-30"),
        ("2025-12-02 02:00", "2025-12-01"),
        ("2025-03-30 03:00", "2025-03-29"),
        ("2025-10-26 02:30", "2025-10-25"),
    ],
)
def test_the_night_that_is_due(now: str, night: str) -> None:
    assert nightly.last_night(datetime.fromisoformat(now).replace(tzinfo=ROME)) == date.fromisoformat(night)


def test_periods_end() -> None:
    assert ended("2025-12", date(2025, 12, 31)) and not ended("2025-12", date(2025, 12, 30))
    assert (
        ended("2025-Q4", date(2026, 1, 1)) and not ended("2025-Q4", date(2025, 12, 30)) and ended("2025-Q1", date(2025, 3, 31))
    )


@pytest.fixture
def web() -> Iterator[tuple[str, list[Any], list[int]]]:
    """A web server: its address, what was posted to it, and the answers it is to give (200 when there is none)."""
    posted: list[Any] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()
            self.wfile.write(b"ok")

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", posted, answers
    server.shutdown()
    server.server_close()


class Letters:
    """What a local mail server received."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        self.texts.append(envelope.content.decode())
        return "250 OK"


def test_a_ticket_about_to_breach_is_told_once_by_mail_and_webhook(
    installation: Installation, settings: Settings, web: tuple[str, list[Any], list[int]]
) -> None:
    url, posted, answers = web
    letters = Letters()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(letters, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        asked = {
            "mail": {"host": "127.0.0.1", "port": port, "from": "pcc@example.org", "to": ["desk@example.org"]},
            "webhook": {"url": url},
        }
        (settings.home / "alerts.yaml").write_text(yaml.safe_dump(asked))
        # Opened so long ago that less than a working day of the forty hours is left, and one long past.
        now = datetime.now(ROME)
        opened = now
        while _working(opened, now) < 1900:
            opened -= timedelta(minutes=30)
        past = now - timedelta(days=60)
        deliver(settings, "tickets", tickets(f"soon;EMAIL;{opened.isoformat()};;;x", f"past;EMAIL;{past.isoformat()};;;y"))
        answers.append(503)
        assert look(installation) == 2
        assert posted and len(letters.texts) == 1 and "soon" in json.dumps(posted)
        assert look(installation) == 0, "each alert is raised once"
        assert len(posted) == 2, "what was refused is sent again"
        assert look(installation) == 0 and len(posted) == 2 and len(letters.texts) == 1
    finally:
        controller.stop()
    told = (settings.home / "alerts.log").read_text()
    assert "ABOUT_TO_BREACH alfa: segnalazione soon" in told and "BREACHED alfa: segnalazione past" in told


def _working(start: datetime, end: datetime) -> int:
    minutes, at = 0, start
    while at < end:
        minutes += 30 * (calendar.is_working_day(at.date()) and 8 <= at.hour < 18)
        at += timedelta(minutes=30)
    return minutes


def test_a_level_missed_is_told(installation: Installation, settings: Settings) -> None:
    start = datetime(2025, 11, 3, 8, tzinfo=ROME)
    rows = [f"{(start + timedelta(minutes=10 * n)).isoformat()};webserver;{'DOWN' if n < 5 else 'UP'};3" for n in range(100)]
    deliver(settings, "probes", ["il;servizio;esito;ms", *rows])
    nightly.nights(installation, date(2025, 11, 30))
    register = Register(engine(settings))
    (alert,) = alerts.missed_levels(register, "alfa")
    assert alert.kind == "AVAILABILITY_MISSED" and "95.000 %" in alert.text


def test_the_probe_really_measures(
    installation: Installation, settings: Settings, web: tuple[str, list[Any], list[int]]
) -> None:
    url, _, answers = web
    (settings.home / "probes.yaml").parent.mkdir(parents=True, exist_ok=True)
    (settings.home / "probes.yaml").write_text(
        yaml.safe_dump({"webserver": url, "portal": "http://127.0.0.1:9/", "login": url, "broken": url}, sort_keys=False)
    )
    answers += [200, 403, 500]
    found = {item.service: item.up for item in measure(settings)}
    assert found == {"database": True, "webserver": True, "portal": False, "login": True, "broken": False}
    assert keep(settings, measure(settings), timedelta(hours=1)) is None
    target = keep(settings, measure(settings))
    assert target is not None and target.parent == settings.inbox / "_provider" / "probes"
    with target.open() as file:
        assert len(list(csv.DictReader(file, delimiter=";"))) == 10
    done = pipeline.read_provider(installation, drain=True)
    assert done.rows == {"probes": 10} and not Path(target).exists()
    assert len(calculator_deliveries(installation.register, "alfa")) == 1, "the provider's probes concern every ente"
