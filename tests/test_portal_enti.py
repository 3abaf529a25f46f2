"""The provider's morning: all enti in one table, the most urgent first, true after each decision; cells lead to the work."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import PASSWORD, _publish, _sign_in, desk
from test_portal_sending import WRITTEN, _written

from pcc_pipeline.checks.failing import keep_failing
from pcc_pipeline.checks.result import CheckResult
from pcc_pipeline.clock import today
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.operations import Selection, decide_operations
from pcc_pipeline.review.standing import published_anew
from pcc_pipeline.review.uploads import uploaded
from pcc_pipeline.rules import rule_rows
from pcc_pipeline.settings import Settings
from pcc_pipeline.support.tickets import Person, Request, open_ticket
from portal.queries import enti as queries
from portal.queries.enti import EntiFilter, morning
from portal.tenancy import DeskDatabase


@pytest.fixture
def bind(settings: Settings) -> sa.Engine:
    return engine(settings)


def _rows(settings: Settings, **wanted: Any) -> dict[str, Any]:
    with DeskDatabase(settings).provider() as connection:
        return {row["ente"]: row for row in morning(connection, datetime.now(UTC), EntiFilter(**wanted)).rows}


def _life(bind: sa.Engine, ente: str, state: str = "active", **more: Any) -> None:
    row = {"ente": "_provider", "codice_ente": ente, "denominazione": f"Comune di {ente.title()}", "state": state, "missing": [],
           "processed": state == "active", "at_risk": False, "seen_on": date(2026, 1, 20), **more}  # fmt: skip
    with bind.begin() as connection:
        connection.execute(sa.insert(table("service_life")).values(row))


def test_the_table_says_how_each_ente_stands(desk: TestClient, settings: Settings, bind: sa.Engine) -> None:
    _life(bind, "alfa")
    _life(bind, "gamma", "ordered", next_deadline="presa in carico", next_due_on=date(2030, 1, 1))
    rows = _rows(settings)
    assert set(rows) == {"alfa", "beta", "gamma"}
    alfa = rows["alfa"]
    assert (alfa["questions"], alfa["operations"], alfa["difference"], alfa["signals"]) == (
        1,
        1,
        0,
        ["QUESTIONS", "OPERATIONS"],
    )
    assert alfa["questions_since"] is not None and (alfa["level"], alfa["urgency"]) == ("WAITING", 2)
    assert (rows["gamma"]["published_at"], rows["gamma"]["level"]) == (None, "QUIET")
    _sign_in(desk, "operatore@fornitore.it")
    page = desk.get("/enti").text
    for text in (
        "Comune di Alfa",
        "1.234,50 €",
        "98.765,43 €",
        "ordinato",
        "presa in carico, 01/01/2030",
        "non è nel registro",
    ):
        assert text in page, text
    assert (
        "Comune di Gamma" in desk.get("/enti?cerca=GAMMA").text and "Comune di Alfa" not in desk.get("/enti?cerca=gamma").text
    )
    assert set(_rows(settings, signal="OPERATIONS")) == {"alfa", "beta"} and set(_rows(settings, state="ordered")) == {"gamma"}
    assert (
        "Nessun ente." in desk.get("/enti?cosa=BLOCKED").text
        and "operazioni da approvare: 2" in desk.get("/enti?cosa=BLOCKED").text
    )
    assert _rows(settings, searched="%") == {}


def test_a_decision_and_an_answer_show_at_once(desk: TestClient, settings: Settings, bind: sa.Engine) -> None:
    decide_operations(bind, "alfa", "approve", Selection(operations=("op-alfa",)), who="anna")
    assert (_rows(settings)["alfa"]["operations"], _rows(settings)["beta"]["operations"]) == (0, 1)
    _sign_in(desk, "chi@alfa.it")
    csrf = desk.get("/password").text.split('name="csrf" value="')[1].split('"')[0]
    said = {"codice": "AMOUNT_DIFFERS", "scelta": '["D1", "P1"]', "risposta": "NOTA", "nota": "è giusto così"}
    assert desk.post("/domande", data={"csrf": csrf, **said}).status_code == 200
    assert (_rows(settings)["alfa"]["questions"], _rows(settings)["beta"]["questions"]) == (0, 1)
    with bind.connect() as connection:
        number = connection.scalar(sa.select(sa.func.max(table("answers").c.decision)))
    assert desk.post(f"/domande/{number}/annulla", data={"csrf": csrf}).status_code == 200
    assert _rows(settings)["alfa"]["questions"] == 1, "an answer taken back is none"


def test_a_question_waits_since_it_was_first_asked(desk: TestClient, settings: Settings, bind: sa.Engine) -> None:
    first = _rows(settings)["alfa"]["questions_since"]
    _publish(settings, "alfa")
    assert _rows(settings)["alfa"]["questions_since"] == first
    with bind.begin() as connection:  # a publication without it, then one with it
        q = table("questions")
        kept = connection.execute(sa.select(q).where(q.c.ente == "alfa")).mappings().one()
        connection.execute(sa.delete(q).where(q.c.ente == "alfa"))
        published_anew(connection, ["alfa"])
    assert (_rows(settings)["alfa"]["questions"], _rows(settings)["alfa"]["questions_since"]) == (0, None)
    with bind.begin() as connection:
        connection.execute(sa.insert(q).values(**kept))
        published_anew(connection, ["alfa"])
    assert _rows(settings)["alfa"]["questions_since"] > first


def test_files_wait_for_upload_and_then_for_an_answer(desk: TestClient, settings: Settings, bind: sa.Engine) -> None:
    _written(bind, Installation(settings), "a.csv")
    _publish(settings, "alfa")
    row = _rows(settings)["alfa"]
    assert (row["to_upload"], row["to_upload_since"], row["to_answer"]) == (1, WRITTEN, 0) and "FILE_STILL" in row["signals"]
    uploaded(bind, "alfa", "a.csv", "anna")
    row = _rows(settings)["alfa"]
    assert (row["to_upload"], row["to_answer"]) == (0, 1) and "FILE_STILL" not in row["signals"] and "FILES" in row["signals"]


def _result(name: str, blocking: bool) -> CheckResult:
    return CheckResult(name, False, blocking, 3, 10, description="deve tornare")


def test_failing_checks_are_kept_until_they_pass(desk: TestClient, settings: Settings, bind: sa.Engine) -> None:
    keep_failing(bind, "checks_debt", {"alfa": {"stock.a": _result("a", False)}, "beta": {}})
    since = _rows(settings)["alfa"]["failing_since"]
    keep_failing(bind, "checks_debt", {"alfa": {"stock.a": _result("a", False), "stock.b": _result("b", True)}})
    row = _rows(settings)["alfa"]
    assert (row["failing"], row["blocked"], row["failing_since"], row["level"]) == (2, True, since, "NOW")
    _sign_in(desk, "operatore@fornitore.it")
    page = desk.get("/enti/alfa").text
    assert "stock.b" in page and "deve tornare" in page and "ferma la pubblicazione" in page and "controllo che blocca" in page
    keep_failing(bind, "checks_operations", {"alfa": {}})  # another step says nothing of these
    assert _rows(settings)["alfa"]["failing"] == 2
    keep_failing(bind, "checks_debt", {"alfa": {}, "beta": {}})
    assert _rows(settings)["alfa"]["failing"] == 0


def test_a_refused_delivery_waits_until_a_good_one_comes(desk: TestClient, settings: Settings, bind: sa.Engine) -> None:
    base = {
        "ente": "beta",
        "kind": "erp_payments",
        "sha256": "0" * 64,
        "file": "p.csv",
        "size": 1,
        "received_at": datetime.now(UTC),
    }
    with bind.begin() as connection:
        connection.execute(sa.insert(table("deliveries")).values(delivery="1" * 16, status="refused", **base))
    assert _rows(settings)["beta"]["refused"] == 1
    with bind.begin() as connection:
        connection.execute(
            sa.insert(table("deliveries")).values(delivery="2" * 16, status="staged", **{**base, "kind": "budgets"})
        )
    assert _rows(settings)["beta"]["refused"] == 1
    with bind.begin() as connection:
        connection.execute(sa.insert(table("deliveries")).values(delivery="3" * 16, status="staged", **base))
    assert _rows(settings)["beta"]["refused"] == 0


def test_what_is_broken_comes_before_what_soon_is_and_that_before_what_waits(
    desk: TestClient, settings: Settings, bind: sa.Engine
) -> None:
    now, day = datetime.now(UTC), today()
    _life(
        bind,
        "tardi",
        "ordered",
        at_risk=True,
        next_due_on=day - timedelta(days=2),
        next_deadline="presa in carico",
        why="scaduta",
    )
    _life(bind, "presto", "ordered", at_risk=True, next_due_on=day + timedelta(days=5), next_deadline="presa in carico")
    _life(bind, "vecchio", "active")  # active, and nothing was ever published
    open_ticket(bind, Request("beta", "SCRIVANIA", "x", "x"), Person("chi", False), now - timedelta(days=60))
    rows = _rows(settings)
    assert {name: row["level"] for name, row in rows.items()} == {
        "tardi": "NOW", "beta": "NOW", "presto": "SOON", "vecchio": "SOON", "alfa": "WAITING",
    }  # fmt: skip
    assert list(rows)[:2] == ["beta", "tardi"] and list(rows)[-1] == "alfa"  # beta also has what waits
    assert rows["beta"]["signals"][0] == "TICKET_LATE" and rows["tardi"]["signals"] == ["LIFE_LATE"]
    with bind.begin() as connection:
        t = table("support_tickets")
        connection.execute(sa.update(t).values(first_contact_at=now))
    assert "TICKET_LATE" not in _rows(settings)["beta"]["signals"]


def test_a_legal_deadline_counts_until_it_is_met(desk: TestClient, settings: Settings, bind: sa.Engine) -> None:
    due = {
        "ente": "alfa",
        "concerns_day": date(2025, 9, 30),
        "every": "YEAR",
        "owed": True,
        "met_by": "publication",
        "source": "legge",
    }
    days = {"vicina": today() + timedelta(days=3), "lontana": today() + timedelta(days=90)}
    with bind.begin() as connection:
        rows = [{**due, "duty": name, "due_on": day, "words": f"scadenza {name}"} for name, day in days.items()]
        connection.execute(sa.insert(table("deadlines")), rows)
        connection.execute(
            sa.insert(table("deadlines")).values({**rows[0], "duty": "consigliata", "owed": False, "due_on": today()})
        )
        published_anew(connection, ["alfa"])
    row = _rows(settings)["alfa"]
    assert (row["duty_on"], row["duty"]) == (days["vicina"], "scadenza vicina") and "DUTY_NEAR" in row["signals"]
    with bind.begin() as connection:
        d = table("deadlines")
        connection.execute(sa.update(d).where(d.c.duty == "vicina").values(concerns_day=date(2025, 12, 31)))  # published
        published_anew(connection, ["alfa"])
    row = _rows(settings)["alfa"]
    assert row["duty"] == "scadenza lontana" and "DUTY_NEAR" not in row["signals"]


def test_the_rule_of_urgency_is_whole() -> None:
    assert set(queries._HOLDS) == {row["signal"] for row in rule_rows("urgency")}
    points = [int(row["points"]) for row in rule_rows("urgency")]
    assert points == sorted(points, reverse=True) and set(points) == {100, 10, 1}
    for tier in (10, 1):  # all of a tier together weigh less than one of the tier above
        assert points.count(tier) * tier < tier * 10


def test_a_cell_leads_to_the_page_where_one_acts(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "operatore@fornitore.it")
    page = desk.get("/enti").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    places = set(re.findall(r'form="apri-alfa" name="dove" value="([^"]+)"', page))
    assert places >= {"/", "/domande", "/operazioni", "/anomalie"}
    for place in places:
        answer = desk.post("/enti", data={"csrf": csrf, "ente": "alfa", "dove": place}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, place)
        assert desk.get(place).status_code == 200
    for place in ("https://evil.example", "//evil.example", "/persone"):
        assert desk.post("/enti", data={"csrf": csrf, "ente": "alfa", "dove": place}, follow_redirects=False).status_code == 422
    assert desk.get("/assistenza?ente=alfa").status_code == 200


def test_an_entes_people_see_nothing_of_the_provider(desk: TestClient, settings: Settings, bind: sa.Engine) -> None:
    keep_failing(bind, "checks_debt", {"beta": {"stock.a": _result("a", False)}})
    _sign_in(desk, "chi@alfa.it")
    assert desk.get("/enti", follow_redirects=False).headers["location"] == "/"
    assert desk.get("/enti/alfa").status_code == 403 and desk.get("/enti/beta").status_code == 403
    with DeskDatabase(settings).tenant("alfa") as connection:
        for name in ("ente_standing", "failing_checks", "questions_asked"):
            t = table(name)
            assert set(connection.execute(sa.select(t.c.ente)).scalars()) <= {"alfa"}, name
        assert list(morning(connection, datetime.now(UTC)).rows) and {
            row["ente"] for row in morning(connection, datetime.now(UTC)).rows
        } == {"alfa"}
