"""Deciding on operations at the desk: who may, what two persons and the filter do, another ente's are out of reach."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import python_calamine as calamine
import sqlalchemy as sa
from fastapi.testclient import TestClient
from proposed import operation, states
from test_portal import PASSWORD, _csrf, _sign_in, desk

from assets.steps import MODEL_LAYERS
from pcc_pipeline.arrival.work import decided
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.publish import Publication, current_in, publish
from pcc_pipeline.database.register import Register
from pcc_pipeline.database.schema import table
from pcc_pipeline.review.operations import Selection, decide_operations, reviewed, set_limit
from pcc_pipeline.review.pairs import latest_decisions
from pcc_pipeline.review.standing import published_anew, stand_anew
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from portal.accounts import add_user
from portal.queries.expected import steps


@pytest.fixture
def bind(desk: TestClient, settings: Settings) -> sa.Engine:
    """Alfa: booking and payment of A (A2 needs A1), B above the limit, a due date of C. Beta: one of its own."""
    bind = engine(settings)
    paid = {"azione": "CP", "stato_debito": None, "numero_mandato": "7", "data_mandato": date(2025, 3, 1)}
    due = {"code": "DUE_DATE_DIFFERS", "azione": "CS", "stato_debito": None, "natura_spesa": None, "cig": None, "cup": None}
    rows = [
        operation("a1", "A", 1, denominazione_fornitore="Ditta <b>A</b>"),
        operation("a2", "A", 2, **paid, stock_effect=1000),
        operation("b1", "B", 1, importo=90_000, importo_totale=90_000, original_creditor="00000000002", stock_effect=90_000),
        operation("c1", "C", 1, **due, data_scadenza=date(2025, 2, 14)),
        operation("other", "X", 1, ente="beta", denominazione_fornitore="SEGRETO DI BETA"),
    ]
    with bind.begin() as connection:
        connection.execute(sa.delete(table("operations")))
        for row in rows:
            connection.execute(sa.insert(table("operations")), row)
        published_anew(connection, ["alfa", "beta"])
    add_user(bind, "guarda@alfa.it", "Guarda", "ente_user", "alfa", PASSWORD)
    add_user(bind, "dina@alfa.it", "Dina", "ente_manager", "alfa", PASSWORD)
    return bind


def decide(client: TestClient, decision: str, *names: str, **fields: str) -> str:
    shown = client.get("/operazioni").text
    publication = re.search(r'name="pubblicazione" value="(\d+)"', shown)
    assert publication
    data = {"csrf": _csrf(client), "decisione": decision, "operazione": list(names), "pubblicazione": publication[1], **fields}
    return client.post("/operazioni", data=data).text


def said(page: str) -> str:
    found = re.search(r'role="(?:status|alert)">(.*?)</div>', page, re.S)
    assert found
    return " ".join(re.sub(r"<[^>]+>", "", found[1]).split())


def test_two_persons_approve_above_the_limit(desk: TestClient, bind: sa.Engine) -> None:
    _sign_in(desk, "chi@alfa.it")
    assert "Sopra 50.000,00 €" in desk.get("/operazioni").text
    first = said(decide(desk, "approve-ticked", "a1", "b1"))
    assert "approvate da voi: 2." in first and "Attendono una seconda persona: 1." in first and "prossimo calcolo" in first
    assert states(bind) == {"a1": "approved", "a2": "proposed", "b1": "waiting", "c1": "proposed"}
    again = said(decide(desk, "approve-ticked", "b1"))
    assert "approvate da voi: 0." in again and "Stavano già così: 1." in again
    _sign_in(desk, "dina@alfa.it")
    waiting = desk.get("/operazioni?stato=waiting").text
    assert "1/2: chi@alfa.it" in waiting and 'value="b1"' in waiting and 'value="a1"' not in waiting
    decide(desk, "approve-all", stato="waiting")
    assert states(bind) == {"a1": "approved", "a2": "proposed", "b1": "approved", "c1": "proposed"}
    with bind.connect() as connection:
        by = sa.text("select decided_by from pcc.operation_decisions where operation_id = 'b1' order by decision")
        assert list(connection.execute(by).scalars()) == ["chi@alfa.it", "dina@alfa.it"]
        log = sa.text("select who, action, detail from pcc.audit where action like 'operations%' order by entry")
        entries = [tuple(row) for row in connection.execute(log)]
    assert [(who, action) for who, action, _ in entries] == [("chi@alfa.it", "operations_approve")] * 2 + [
        ("dina@alfa.it", "operations_approve")
    ]
    assert "a1, b1" in entries[0][2] and "stato=waiting" in entries[2][2]


def test_how_each_operation_stands_is_noted_with_every_decision(desk: TestClient, bind: sa.Engine) -> None:
    def noted() -> dict[str, str]:
        t = table("operation_standing")
        with bind.connect() as connection:
            rows = connection.execute(sa.select(t.c.operation_id, t.c.shown).where(t.c.ente == "alfa"))
            found = {row.operation_id: row.shown for row in rows}
            assert found == {row["operation_id"]: row["shown"] for row in reviewed(connection, "alfa")}
        return found

    _sign_in(desk, "chi@alfa.it")
    assert set(noted().values()) == {"proposed"}
    decide(desk, "approve-ticked", "b1", "c1")
    assert noted() == {"a1": "proposed", "a2": "proposed", "b1": "waiting", "c1": "approved"}
    decide(desk, "refuse-ticked", "a1", motivo="altra fattura")
    assert (noted()["a1"], noted()["a2"]) == ("refused", "held")
    decide(desk, "undo-ticked", "a1", motivo="errore")
    set_limit(bind, "alfa", Decimal(100_000), who="dina")
    assert noted() == {"a1": "proposed", "a2": "proposed", "b1": "approved", "c1": "approved"}
    with bind.begin() as connection:
        connection.execute(sa.delete(table("operations")).where(table("operations").c.operation_id == "b1"))
        published_anew(connection, ["alfa"])
    assert set(noted()) == {"a1", "a2", "c1"}
    places = re.findall(r'name="operazione" value="(\w+)"', desk.get("/operazioni").text)
    assert places == ["a1", "a2", "c1"]  # what moves most first, each document's steps in order


def test_each_night_it_is_noted_anew_how_enti_stand(desk: TestClient, bind: sa.Engine) -> None:
    operations, enti = table("operation_standing"), table("ente_standing")
    with bind.begin() as connection:
        connection.execute(sa.update(operations).values(shown="waiting"))
        connection.execute(sa.update(enti).values(operations=99, duty="di ieri"))
    assert stand_anew(bind) == 2
    with bind.connect() as connection:
        shown = set(connection.scalars(sa.select(operations.c.shown).where(operations.c.ente == "alfa")))
        row = connection.execute(sa.select(enti.c.operations, enti.c.duty).where(enti.c.ente == "alfa")).one()
    assert shown == {"proposed"} and row.operations == 4 and row.duty != "di ieri"


def test_a_decision_taken_while_its_ente_is_published_counts(desk: TestClient, bind: sa.Engine) -> None:
    with ThreadPoolExecutor(1) as pool:
        with bind.begin() as publishing:
            published_anew(publishing, ["alfa"])
            decided = pool.submit(decide_operations, bind, "alfa", "approve", Selection(("a1",)), who="dina")
            with pytest.raises(TimeoutError):
                decided.result(0.5)
        decided.result(20)
    t = table("operation_standing")
    with bind.connect() as connection:
        assert connection.scalar(sa.select(t.c.shown).where(t.c.ente == "alfa", t.c.operation_id == "a1")) == "approved"


def test_what_pcc_refused_waits_for_a_person_again(desk: TestClient, bind: sa.Engine) -> None:
    line = {"ente": "alfa", "attempt": 1, "file": "F", "line": 8, "sent_at": datetime.now(UTC)}
    answer = {"state": "refused", "answered_at": datetime.now(UTC), "overdue": False, "in_flight": False}
    decide_operations(bind, "alfa", "refuse", Selection(("a1", "c1")), who="dina", reason="no")
    with bind.begin() as connection:
        connection.execute(sa.insert(table("sent_operations")), {**line, "operation_id": "b1", "model": "003", "step": 1})
        connection.execute(sa.insert(table("sent_states")), {**line, "operation_id": "b1", **answer})
        published_anew(connection, ["alfa"])
        (step,) = [
            step
            for step in steps(connection, "alfa", current_in(connection, "alfa"), date(2026, 1, 20))
            if step.what == "APPROVE"
        ]
    assert (step.many, step.address, step.moves) == (1, "/operazioni?stato=pcc_refused", 90_000)
    _sign_in(desk, "chi@alfa.it")
    assert 'value="b1"' in desk.get(step.address).text


def test_a_refusal_needs_its_reason_and_can_be_undone(desk: TestClient, bind: sa.Engine) -> None:
    _sign_in(desk, "chi@alfa.it")
    assert "serve il motivo" in decide(desk, "refuse-ticked", "a1", motivo=" - ")
    assert set(states(bind).values()) == {"proposed"}
    decide(desk, "refuse-ticked", "a1", motivo="altra fattura")
    page = desk.get("/operazioni").text
    assert "chi@alfa.it: altra fattura" in page and "ferma: dipende da una rifiutata (1)" in page
    left = said(decide(desk, "approve-ticked", "a2", "c1"))
    assert "approvate da voi: 1." in left and "Lasciate come sono" in left and left.count(": 1.") == 2
    assert "Decisioni annullate: 1." in said(decide(desk, "undo-ticked", "a1", motivo="errore"))
    assert states(bind) == {"a1": "proposed", "a2": "proposed", "b1": "proposed", "c1": "approved"}
    assert "non c'è una decisione" in said(decide(desk, "undo-ticked", "a1")).replace("&#39;", "'")


def test_all_of_the_filter_and_nothing_else(desk: TestClient, bind: sa.Engine) -> None:
    _sign_in(desk, "chi@alfa.it")
    decide(desk, "refuse-ticked", "b1", motivo="da rivedere")
    assert "approvate da voi: 2." in said(decide(desk, "approve-all", codice="PAID_NOT_REPORTED", fornitore="00000000001"))
    assert states(bind) == {"a1": "approved", "a2": "approved", "b1": "refused", "c1": "proposed"}
    page = decide(desk, "approve-all")  # what was decided stays as it is
    assert "approvate da voi: 1." in said(page) and "Lasciate come sono" in said(page)
    assert states(bind)["b1"] == "refused"
    assert "una per una" in decide(desk, "approve-all", stato="refused")
    assert "Decisioni annullate: 3." in said(decide(desk, "undo-all", stato="approved"))
    assert states(bind) == {"a1": "proposed", "a2": "proposed", "b1": "refused", "c1": "proposed"}
    listed = desk.get("/operazioni?fornitore=00000000002").text
    assert 'value="b1"' in listed and 'value="a1"' not in listed and "stato=refused&amp;fornitore=00000000002" in listed


def test_who_saw_another_calculation_does_not_decide_on_all(desk: TestClient, bind: sa.Engine) -> None:
    _sign_in(desk, "chi@alfa.it")
    before = re.search(r'name="pubblicazione" value="(\d+)"', desk.get("/operazioni").text)
    assert before
    publish(bind, "alfa", {}, Publication(date(2025, 12, 31), date(2026, 1, 20)))
    assert "ricalcolate" in decide(desk, "approve-all", pubblicazione=before[1])
    assert set(states(bind).values()) == {"proposed"}


def test_an_operation_of_another_ente_is_out_of_reach(desk: TestClient, bind: sa.Engine) -> None:
    _sign_in(desk, "chi@alfa.it")
    shown = desk.get("/operazioni").text
    assert "Ditta &lt;b&gt;A&lt;/b&gt;" in shown and "SEGRETO DI BETA" not in shown and 'value="other"' not in shown
    for decision in ("approve-ticked", "refuse-ticked", "undo-ticked"):
        assert 'role="alert"' in decide(desk, decision, "other", motivo="perché no")
        assert 'role="alert"' in decide(desk, decision, "a1", "other", motivo="perché no") or decision == "undo-ticked"
    assert states(bind, "beta") == {"other": "proposed"} and set(states(bind).values()) == {"proposed"}
    _sign_in(desk, "chi@beta.it")
    decide(desk, "approve-ticked", "other")
    _sign_in(desk, "chi@alfa.it")
    decide(desk, "undo-ticked", "other")
    assert states(bind, "beta") == {"other": "approved"}


def test_an_ente_s_user_looks_and_does_not_decide(desk: TestClient, bind: sa.Engine) -> None:
    _sign_in(desk, "guarda@alfa.it")
    page = desk.get("/operazioni").text
    assert "Potete guardare" in page and 'name="decisione"' not in page and 'type="checkbox"' not in page
    data = {"csrf": _csrf(desk), "decisione": "approve-ticked", "operazione": "a1"}
    assert desk.post("/operazioni", data=data).status_code == 403
    assert desk.post("/operazioni", data={**data, "csrf": "guessed"}).status_code == 403
    assert set(states(bind).values()) == {"proposed"}


def test_the_sensor_notices_what_was_decided_here(desk: TestClient, bind: sa.Engine, settings: Settings) -> None:
    store = Store(settings.store_url)
    assert decided(Register(bind), store) == {}
    _sign_in(desk, "chi@alfa.it")
    decide(desk, "approve-ticked", "a1")
    assert set(decided(Register(bind), store)) == {"alfa"}
    publish(bind, "alfa", {}, Publication(date(2025, 12, 31), date(2026, 1, 20)))
    assert decided(Register(bind), store) == {}
    decide(desk, "undo-ticked", "a1")
    assert set(decided(Register(bind), store)) == {"alfa"}


def test_the_sensor_notices_what_was_decided_during_a_calculation(
    desk: TestClient, bind: sa.Engine, settings: Settings
) -> None:
    store = Store(settings.store_url)
    _sign_in(desk, "chi@alfa.it")
    decide(desk, "approve-ticked", "a1")

    def calculated(late: str | None = None) -> None:
        """Models that see what is decided, and a decision before their figures are published."""
        for layer in MODEL_LAYERS:
            Gate(store, "alfa").saw(layer, 0, latest_decisions(bind, "alfa"))
            if late and layer == MODEL_LAYERS[0]:
                decide(desk, "approve-ticked", late)
        publish(bind, "alfa", {}, Publication(date(2025, 12, 31), date(2026, 1, 20)))

    calculated("c1")
    assert set(decided(Register(bind), store)) == {"alfa"}
    calculated()
    assert decided(Register(bind), store) == {}


def test_the_work_list_and_the_questionnaire_are_of_one_s_own_ente(
    desk: TestClient, bind: sa.Engine, settings: Settings
) -> None:
    _sign_in(desk, "chi@alfa.it")
    decide(desk, "approve-ticked", "b1")
    for name, expected in (("lavoro", "attende una seconda persona"), ("domande", "SEGRETO DI ALFA")):
        answer = desk.get(f"/rapporti/{name}.xlsx")
        assert answer.status_code == 200 and answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        text = str([book.get_sheet_by_name(sheet).to_python() for sheet in book.sheet_names])
        assert expected in text and "SEGRETO DI BETA" not in text and "other" not in text
    assert desk.get("/rapporti/altro.xlsx").status_code == 422
