"""The support desk without its pages: what is done to a ticket, the figures at each look, the night's record of the same."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.welcome import Unwelcome
from pcc_pipeline.clock import ROME
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.service import nightly, probe
from pcc_pipeline.service.erasure import databases
from pcc_pipeline.service.erasure.journal import new
from pcc_pipeline.service.erasure.traces import Traces
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.support import attachments, tickets
from pcc_pipeline.support.figures import live, minutes_left
from pcc_pipeline.support.reading import thread
from pcc_pipeline.support.relations import count_anew
from pcc_pipeline.support.tickets import NoTicketError, Person, Request, SupportError
from pcc_pipeline.support.working import MINUTE, working_time

CLIENT, ANNA, BRUNO = Person("Chi", False), Person("anna@fornitore.it", True), Person("bruno@fornitore.it", True)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME)


def ticket(bind: sa.Engine, opened: str, channel: str = "SCRIVANIA", ente: str = "alfa", **more: Any) -> int:
    request = Request(ente, channel, "Manca una fattura", "Perché?", **more)
    return tickets.open_ticket(bind, request, CLIENT, at(opened))


def row(bind: sa.Engine, number: int) -> sa.RowMapping:
    with bind.connect() as connection:
        found = thread(connection, None, number, internal=True)
    assert found is not None
    return found.ticket


@pytest.mark.parametrize(
    ("opened", "until", "minutes"),
    [
        ("2025-12-01 08:00", "2025-12-05 08:01", 2401),
        ("2026-01-02 08:00", "2026-01-07 09:00", 600 * 2 + 60),  # 3, 4 a weekend, 6 Epiphany
        ("2025-12-24 17:30", "2025-12-29 08:15", 30 + 15),  # Christmas, Santo Stefano, a weekend
        ("2025-12-06 12:00", "2025-12-07 12:00", 0),
        ("2026-03-27 17:00", "2026-03-30 09:00", 60 + 60),  # clocks go forward between
    ],
)
def test_working_minutes(opened: str, until: str, minutes: int) -> None:
    calendar = working_time(None)
    began, ended = calendar.worked(at(opened)), calendar.worked(at(until))
    assert ended - began == minutes * MINUTE
    due = calendar.moment(began + 2400 * MINUTE)
    assert due is not None and calendar.worked(due) - began == 2400 * MINUTE
    assert (
        working_time("12-24").worked(at("2025-12-29 08:15")) - working_time("12-24").worked(at("2025-12-24 17:30"))
        == 15 * MINUTE
    )


def test_a_ticket_from_opening_to_judgement(settings: Settings) -> None:
    bind = engine(settings)
    number = ticket(bind, "2025-12-01 09:00")
    tickets.take(bind, number, ANNA, at("2025-12-01 09:30"))
    with pytest.raises(SupportError, match="già presa in carico"):
        tickets.take(bind, number, BRUNO, at("2025-12-01 09:31"))
    tickets.note(bind, number, ANNA, "guardare il registro", at("2025-12-01 09:40"))
    assert row(bind, number)["first_contact_at"] is None  # neither taking nor a note is a contact
    tickets.answer(bind, number, ANNA, "Quale fattura?", at("2025-12-01 10:00"), wait=True)
    tickets.answer(bind, number, ANNA, "Sollecito", at("2025-12-01 11:00"), wait=True)
    known = row(bind, number)
    assert known["first_contact_at"] == at("2025-12-01 10:00") and known["state"] == "waiting"
    assert (
        known["worked_at_contact"] - known["worked_at_opening"] == 60 * MINUTE
        and minutes_left(known, at("2025-12-02 09:00")) is None
    )
    tickets.add(bind, "alfa", number, CLIENT, "La 12/A", at("2025-12-01 12:00"))
    assert row(bind, number)["state"] == "taken"
    tickets.pass_on(bind, number, ANNA, "GESTIONALE", at("2025-12-01 12:10"))
    tickets.take(bind, number, BRUNO, at("2025-12-01 12:20"))
    with pytest.raises(SupportError, match="ancora aperta"):
        tickets.judge(bind, "alfa", number, "POSITIVO", "Chi", at("2025-12-01 12:30"))
    tickets.close(bind, None, number, BRUNO, at("2025-12-02 09:00"))
    for verdict in ("NEUTRO", "POSITIVO"):
        tickets.judge(bind, "alfa", number, verdict, "Chi", at("2025-12-02 10:00"))
    with pytest.raises(SupportError, match="riaprirla"):
        tickets.add(bind, "alfa", number, CLIENT, "ancora", at("2025-12-02 11:00"))
    tickets.reopen(bind, "alfa", number, CLIENT, "Non va ancora", at("2025-12-03 09:00"))
    known = row(bind, number)
    assert (known["state"], known["closed_at"], known["reopened"], known["taken_by"]) == ("reopened", None, True, None)
    with pytest.raises(SupportError, match="riaperta"):
        tickets.close(bind, "alfa", number, CLIENT, at("2025-12-04 09:00"))
        tickets.judge(bind, "alfa", number, "NEGATIVO", "Chi", at("2025-12-04 10:00"), closing=at("2025-12-02 09:00"))
    with bind.connect() as connection:
        seen, all_of_it = (thread(connection, "alfa", number, internal=internal) for internal in (False, True))
        assert seen is not None and all_of_it is not None
        assert len(all_of_it.lines) - len(seen.lines) == 1 and "registro" not in str(seen.lines)
        assert thread(connection, "beta", number, internal=False) is None
        judged = connection.execute(sa.select(table("support_judgements").c.verdict)).scalars().all()
        told = connection.execute(sa.select(table("support_mails").c.recipient)).scalars().all()
    assert judged == ["POSITIVO"] and set(told) == {None}  # nobody of the client gave an address
    with pytest.raises(NoTicketError):
        tickets.add(bind, "beta", number, CLIENT, "di un altro", at("2025-12-05 10:00"))


def test_of_two_who_take_at_once_one_wins(settings: Settings) -> None:
    bind = engine(settings)
    number, start, won, told = ticket(bind, "2025-12-01 09:00"), threading.Barrier(2), [], []

    def take(who: Person) -> None:
        start.wait()
        try:
            tickets.take(bind, number, who, at("2025-12-01 09:30"))
            won.append(who.name)
        except SupportError as error:
            told.append(str(error))

    threads = [threading.Thread(target=take, args=(who,)) for who in (ANNA, BRUNO)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(won) == len(told) == 1 and "già presa in carico" in told[0] and row(bind, number)["taken_by"] == won[0]
    other = next(who for who in (ANNA, BRUNO) if who.name != won[0])
    tickets.take(bind, number, other, at("2025-12-01 10:00"), instead_of=won[0])
    assert row(bind, number)["taken_by"] == other.name


def test_attachments_are_looked_at_like_deliveries(settings: Settings) -> None:
    store = Store(settings.store_url)
    (kept,) = attachments.keep(store, "alfa", [("../a.pdf", BytesIO(b"%PDF-1.7 x"))])
    assert kept.name == "a.pdf" and attachments.content(store, "alfa", kept.sha256) == b"%PDF-1.7 x"
    for name, content in (("a.exe", b"x"), ("a.pdf", b"MZ"), ("a.png", b"%PDF"), ("a.txt", b""), ("a.docx", b"no zip")):
        with pytest.raises(Unwelcome):
            attachments.keep(store, "alfa", [("b.txt", BytesIO(b"first")), (name, BytesIO(content))])
    assert len(store.list("landing/alfa")) == 1  # all or none


def test_live_at_two_is_the_nights_record(installation: Installation, settings: Settings) -> None:
    bind = engine(settings)
    quick, phone, late, slow = (
        ticket(bind, "2025-12-01 09:00"), ticket(bind, "2025-12-01 10:00", "TELEFONO"), ticket(bind, "2025-12-02 08:00", "EMAIL"),
        ticket(bind, "2025-12-09 08:00", "EMAIL"),
    )  # fmt: skip
    ticket(bind, "2025-12-05 17:59"), ticket(bind, "2025-11-03 09:00"), ticket(bind, "2025-12-03 09:00", ente="beta")
    tickets.answer(bind, quick, ANNA, "ecco", at("2025-12-01 10:00"))
    tickets.answer(bind, late, ANNA, "ecco", at("2025-12-10 09:17"))
    for number, verdict in ((quick, "POSITIVO"), (phone, "NEGATIVO")):
        tickets.close(bind, None, number, ANNA, at("2025-12-03 09:00"))
        tickets.judge(bind, "alfa", number, verdict, "Chi", at("2025-12-03 10:00"))
    folder = settings.inbox / "alfa" / "tickets"
    folder.mkdir(parents=True)
    (folder / "t.csv").write_text(
        "id;canale;aperto_il;primo_contatto_il;chiuso_il;oggetto\nX1;EMAIL;2025-12-04 09:00;2025-12-04 09:40;2025-12-04 10:00;da fuori\n"
    )
    land(installation)
    (night,) = nightly.nights(installation, date(2025, 12, 11))
    assert night.failed == {} and sorted(night.published) == ["alfa", "beta"]
    now = at("2025-12-12 02:00")
    with bind.connect() as connection:
        for kind in ("month", "quarter"):
            found = live(connection, "alfa", now, kind)
            for name, rows in (("sla_tickets", found.tickets), ("sla_satisfaction", found.judgements)):
                t = table(name)
                mine = (t.c.ente == "alfa", t.c.period_kind == kind, t.c.period == found.period)
                record = {r["channel"]: r for r in connection.execute(sa.select(t).where(*mine)).mappings()}
                counted = {r["channel"]: r for r in rows if r["origin"] == "ALL"}
                assert set(counted) == set(record) and "ALL" in record
                for channel, row_ in counted.items():
                    given = {column: value for column, value in row_.items() if column not in ("origin", "channel")}
                    assert given == {column: record[channel][column] for column in given}, (kind, name, channel)
        assert (all_ := found.row("tickets")) is not None and (all_["breaches"], all_["waiting"]) == (
            2,
            3,
        )  # November's, and the late one
        assert (standing := found.row("standing", origin="DESK")) is not None and (standing["late"], standing["waiting"]) == (
            1,
            3,
        )
        assert (fed := found.row("tickets", origin="FEED")) is not None and (fed["opened"], fed["mean_minutes"]) == (
            1,
            Decimal(40),
        )
        left = minutes_left(row(bind, slow), now)
        contacts = table("ticket_contacts")
        minutes = connection.execute(sa.select(contacts.c.minutes).where(contacts.c.id_ticket == f"PCC-{slow}")).scalar_one()
        assert left == 2400 - minutes
    tickets.answer(bind, slow, ANNA, "ecco", at("2025-12-12 08:30"))
    with bind.connect() as connection:
        moved = live(connection, "alfa", at("2025-12-12 08:31")).row("standing", origin="DESK")
    assert moved is not None and moved["waiting"] == 2  # at once


def test_a_new_patrons_day_counts_anew(settings: Settings) -> None:
    bind = engine(settings)
    number = ticket(bind, "2025-12-09 08:00")
    tickets.answer(bind, number, ANNA, "ecco", at("2025-12-11 08:00"))
    assert count_anew(bind, "alfa", "12-10") == 1 and count_anew(bind, "alfa", "12-10") == 0
    known = row(bind, number)
    assert known["worked_at_contact"] - known["worked_at_opening"] == 600 * MINUTE


def test_availability_so_far(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "NOTED", timedelta(days=9999))
    bind, began = engine(settings), datetime(2025, 12, 9, 8, tzinfo=UTC)
    measured = [probe.Measure("web", began + timedelta(minutes=5 * n), n not in (2, 3), 1) for n in range(12)]
    probe.keep(settings, measured, timedelta(days=9999))
    probe.keep(settings, [], timedelta(days=9999))  # what was written is written once
    with bind.connect() as connection:
        found = live(connection, "alfa", began + timedelta(minutes=57)).availability
    assert found is not None and (found["measured_minutes"], found["down_minutes"]) == (57, 10)
    assert found["budget_minutes"] == Decimal("446.4") and found["target"] == 99


def test_erasure_takes_the_ente_and_its_name_elsewhere(settings: Settings) -> None:
    bind = engine(settings)
    ticket(bind, "2025-12-01 09:00", contact="chi@alfa.it")
    other = ticket(bind, "2025-12-01 09:00", ente="beta")
    tickets.note(bind, other, ANNA, "come al Comune di Alfa, uguale", at("2025-12-01 10:00"))
    journal = new(settings, Traces("alfa", ["Comune di Alfa"]))
    databases.erase_ours(bind, "pcc", journal)
    assert databases.found(bind, "pcc", journal.traces) == []
    with bind.connect() as connection:
        found = thread(connection, "beta", other, internal=True)
    assert found is not None and [line["words"] for line in found.lines] == ["Perché?", "come al erased, uguale"]
