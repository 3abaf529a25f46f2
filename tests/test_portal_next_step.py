"""The first page of an ente: what is expected of it, its files on their way, the mails that its people want."""
# ruff: noqa: F811 (the desk of test_portal)

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import PASSWORD, SECRETS, _csrf, _landed, _publish, _sign_in, _text, desk  # noqa: F401
from test_support_mail import Sent, mail  # noqa: F401

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.asked import StillAsked, asked
from pcc_pipeline.review.operations import Selection, decide_operations
from pcc_pipeline.review.standing import stand
from pcc_pipeline.service.news import write_news
from pcc_pipeline.service.support_notices import send_notices
from pcc_pipeline.settings import Settings
from portal.accounts import add_user
from portal.queries.expected import NextStep, steps

DAY = date(2026, 1, 20)


def _question(settings: Settings, ente: str, code: str, document: str, remaining: str, **more: object) -> None:
    row = {
        "ente": ente, "code": code, "id_documento": document, "progressivo_registrazione": None, "addressee": "ENTE",
        "severity": "high", "question": "?", "amount": Decimal(remaining), "remaining": Decimal(remaining), "numero": document,
        "data_emissione": date(2025, 1, 1), "original_creditor": "01234567890", "creditor": "01234567890",
        "reference_date": date(2025, 12, 31), "observed_at": DAY, **more,
    }  # fmt: skip
    with engine(settings).begin() as connection:
        connection.execute(sa.insert(table("questions")), row)
        stand(connection, ente)


def _duty(settings: Settings, duty: str, due_on: date, met_by: str | None, **more: object) -> None:
    row = {
        "ente": "alfa", "duty": duty, "due_on": due_on, "concerns_day": date(2025, 12, 31), "every": "YEAR", "owed": True,
        "met_by": met_by, "words": f"dovere {duty}", "source": "legge", **more,
    }  # fmt: skip
    with engine(settings).begin() as connection:
        connection.execute(sa.insert(table("deadlines")), row)


def _steps(settings: Settings, ente: str = "alfa") -> list[NextStep]:
    from pcc_pipeline.database.publish import current_in

    with engine(settings).connect() as connection:
        return steps(connection, ente, current_in(connection, ente), DAY)


def test_what_is_asked_is_worth_what_it_moves_each_document_once(desk: TestClient, settings: Settings) -> None:
    _question(settings, "alfa", "NOT_ON_OPEN_LIST", "D2", "-1800.10")
    _question(settings, "alfa", "AMOUNT_DIFFERS", "D2", "-1800.10")
    _question(settings, "alfa", "WRONG_OFFICE", "D3", "0.00")
    _question(settings, "alfa", "AMOUNT_DIFFERS", "D4", "99.99", addressee="OPERATORE")
    _question(settings, "beta", "AMOUNT_DIFFERS", "D5", "500.00")
    with engine(settings).connect() as connection:
        assert asked(connection, "alfa") == StillAsked(4, Decimal("1810.10"))
    _duty(settings, "STOCK_ANNUAL", date(2026, 1, 31), "publication")
    _duty(settings, "STOCK_QUARTER_1", date(2026, 4, 30), "publication")
    _duty(settings, "PORTAL_OPEN_LIST", date(2026, 1, 15), "delivery:open_list")
    _duty(settings, "PORTAL_BUDGET", date(2026, 2, 15), "delivery:budgets", delivered_on=DAY)
    found = _steps(settings)
    assert [(step.what, step.many, step.moves, step.due_on, step.late) for step in found] == [
        ("DUTY", 1, None, date(2026, 1, 15), True),
        ("ANSWER", 4, Decimal("1810.10"), date(2026, 1, 31), False),
        ("APPROVE", 1, Decimal("7.00"), date(2026, 1, 31), False),
    ]
    decide_operations(engine(settings), "alfa", "refuse", Selection(("op-alfa",)), who="chi", reason="no")
    assert [step.what for step in _steps(settings)] == ["DUTY", "ANSWER"]


def test_an_ente_without_data_is_asked_for_them_first(settings: Settings) -> None:
    assert _steps(settings) == [NextStep("FIRST", "/consegne")]


def test_the_first_page_says_what_is_expected(desk: TestClient, settings: Settings) -> None:
    _question(settings, "alfa", "AMOUNT_DIFFERS", "D2", "18400.00")
    _sign_in(desk, "chi@alfa.it")
    shown = _text(desk.get("/").text.split('id="t-passi"')[1].split("</section>")[0])
    assert "Rispondere alle domande: 2 , sposta fino a 18.410,00 € di stock" in shown
    assert "Decidere su un'operazione" in shown.replace("&#39;", "'")


def test_files_are_followed_from_the_inbox_to_the_publication(
    desk: TestClient, settings: Settings, installation: Installation
) -> None:
    _sign_in(desk, "chi@alfa.it")
    assert "hx-trigger" not in desk.get("/in-corso").text
    table_ = "id_documento;numero_mandato;data_pagamento;importo\nD1;M1;2025-12-31;10.50\nD2;M2;boh;1.00\n"
    sent = {"csrf": _csrf(desk), "kind": "erp_payments"}
    after = desk.post("/consegne", data=sent, files={"files": ("paga.csv", table_.encode())}).text

    def state(page: str) -> tuple[str, str]:
        way = page.split('id="in-corso"')[1]
        now = re.search(r'aria-current="step">(\w+)', way)
        return now[1] if now else "", re.search(r"visto=(\w+)", way)[1] if "visto=" in way else ""

    step, seen = state(after)
    assert step == "ricevuto" and "hx-trigger" in desk.get("/").text
    assert desk.get(f"/in-corso?visto={seen}").status_code == 204
    land(installation, drain=True)
    assert state(desk.get("/in-corso").text)[0] == "ricevuto"
    stage(installation, "alfa")
    read = desk.get(f"/in-corso?visto={seen}")
    assert state(read.text)[0] == "calcolo" and "1 righe, 1 rifiutate" in _text(read.text) and "HX-Trigger" not in read.headers
    # The calculation has seen it; the wrong lines are published with the figures.
    with engine(settings).begin() as connection:
        d = table("deliveries")
        row = connection.execute(sa.select(d).where(d.c.ente == "alfa")).mappings().one()
        wrong = {
            "ente": "alfa",
            "delivery": row["delivery"],
            "line": 3,
            "field": "data_pagamento",
            "value": "boh",
            "reason": "non è una data",
        }
        columns = {c.name: None for c in table("quarantine").columns} | {"file": "paga.csv", "kind": "erp_payments"} | wrong
        connection.execute(sa.insert(table("quarantine")), columns | {"times": 1})
    publish(engine(settings), "alfa", {}, Publication(date(2025, 12, 31), DAY, seen_sequence=row["sequence"]))
    done = desk.get("/in-corso")
    assert "pubblicato ✓" in _text(done.text) and "riga 3, data_pagamento: non è una data" in _text(done.text)
    assert "hx-trigger" not in done.text and done.headers["HX-Trigger"] == "arrivati"
    _sign_in(desk, "chi@beta.it")
    assert "paga.csv" not in desk.get("/in-corso").text + desk.get("/").text
    # An old file is followed no more.
    with engine(settings).begin() as connection:
        connection.execute(sa.update(d).values(received_at=datetime.now(UTC) - timedelta(hours=2)))
    _sign_in(desk, "chi@alfa.it")
    assert "paga.csv" not in desk.get("/in-corso").text


def test_a_refused_file_is_to_be_delivered_again(desk: TestClient, settings: Settings, installation: Installation) -> None:
    folder = settings.inbox / "alfa" / "erp_payments"
    folder.mkdir(parents=True)
    (folder / "vuoto.csv").write_text("a;b\n1;2\n")
    land(installation)
    stage(installation, "alfa")
    (step,) = [step for step in _steps(settings) if step.what == "AGAIN"]
    assert step.words == "vuoto.csv"
    _sign_in(desk, "chi@alfa.it")
    assert "rifiutata" in _text(desk.get("/in-corso").text) and desk.get(step.address).status_code == 200


@pytest.fixture
def told(desk: TestClient, settings: Settings, mail: tuple[Sent, object]) -> Iterator[list[tuple[str, str]]]:
    """To and subject of the mails that go out at a look."""
    add_user(engine(settings), "altra@alfa.it", "Altra", "ente_user", "alfa", PASSWORD)
    yield mail[0].mails


def test_who_wants_is_told_of_figures_and_of_new_questions(
    desk: TestClient, settings: Settings, installation: Installation, told: list[object]
) -> None:
    def look() -> list[tuple[str, str]]:
        told.clear()
        write_news(installation)
        send_notices(installation)
        return [(one["To"], one["Subject"].split(": ")[1].split(" /")[0]) for one in told]

    assert look() == []  # off by default
    for email, wanted in (("chi@alfa.it", {"pubblicate": "true"}), ("altra@alfa.it", {"domande": "true"})):
        _sign_in(desk, email)
        assert "checked" not in desk.get("/").text
        kept = desk.post("/avvisi", data={"csrf": _csrf(desk), **wanted}).text
        assert kept.count("checked") == 1
    assert look() == []  # what was published and asked before is no news
    _publish(settings, "alfa")
    _publish(settings, "beta")
    assert look() == [("chi@alfa.it", "cifre pubblicate")]
    words = told[0].get_content()
    assert "al 31/12/2025" in words and "rispondere: 1." in words and "https://desk.example.it/" in words
    assert not [text for one in told for text in (SECRETS["alfa"], "1.234,50", "beta") if text in one.get_content()]
    assert look() == []
    _question(settings, "alfa", "WRONG_OFFICE", "D7", "0")
    publish(engine(settings), "alfa", {}, Publication(date(2025, 12, 31), DAY))
    assert look() == [("altra@alfa.it", "domande nuove"), ("chi@alfa.it", "cifre pubblicate")]
    _sign_in(desk, "chi@alfa.it")
    desk.post("/avvisi", data={"csrf": _csrf(desk)})
    _publish(settings, "alfa")
    assert look() == []
    _sign_in(desk, "operatore@fornitore.it")
    desk.post("/enti", data={"csrf": desk.get("/password").text.split('name="csrf" value="')[1].split('"')[0], "ente": "alfa"})
    assert "avvisi" not in desk.get("/").text and desk.post("/avvisi", data={"csrf": _csrf(desk)}).status_code == 403
