"""The register of enti kept at the desk: each change is a delivery of the provider's, and nobody overwrites the unseen."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import _sign_in, desk

from pcc_pipeline.clock import today
from pcc_pipeline.database.engine import engine
from pcc_pipeline.enti import receipts
from pcc_pipeline.enti.life import deadline
from pcc_pipeline.enti.overview import register_rows
from pcc_pipeline.installation import Installation
from pcc_pipeline.italian import day
from pcc_pipeline.runs.pipeline import read_provider
from pcc_pipeline.settings import Settings

ROW = {
    "denominazione": "Comune di Gamma",
    "cf": "80012340157",
    "tipo": "COMUNE",
    "ordine_il": "2026-01-10",
    "pec": "gamma@pec.example",
}


class Keeper:
    """One of the provider's people with a form in hand."""

    def __init__(self, desk: TestClient) -> None:
        self.desk = desk
        _sign_in(desk, "operatore@fornitore.it")

    def form(self, ente: str) -> dict[str, str]:
        """The form of an ente's page as it is filled in now."""
        page = self.desk.get(f"/enti/{ente}").text
        fields = re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page)
        chosen = re.findall(r'<select[^>]* name="(\w+)">(.*?)</select>', page, re.S)
        found = {name: value for name, value in fields if name != "csrf"}
        for name, options in chosen:
            value = re.search(r'<option(?: value="(\w*)")? selected>(\w*)', options)
            found[name] = (value[1] or value[2]) if value else ""
        return {**found, "csrf": self.csrf, "visto": re.search(r'name="visto" value="(\w+)"', page)[1]}  # type: ignore[index]

    @property
    def csrf(self) -> str:
        return self.desk.get("/password").text.split('name="csrf" value="')[1].split('"')[0]

    def add(self, ente: str, **more: str) -> int:
        given = {"csrf": self.csrf, "ente": ente, **ROW, **more}
        return self.desk.post("/nuovo-ente", data=given, follow_redirects=False).status_code

    def change(self, ente: str, form: dict[str, str], **more: str) -> int:
        return self.desk.post(f"/enti/{ente}/registro", data={**form, **more}, follow_redirects=False).status_code


@pytest.fixture
def keeper(desk: TestClient) -> Keeper:
    return Keeper(desk)


def _read(settings: Settings) -> dict[str, dict[str, object]]:
    installation = Installation(settings)
    read_provider(installation, drain=True)
    return register_rows(installation)


def test_a_new_ente_is_shown_at_once_and_read_like_any_delivery(keeper: Keeper, settings: Settings) -> None:
    assert keeper.add("gamma") == 303
    page = keeper.desk.get("/enti/gamma").text
    assert "Comune di Gamma" in page and "ordinato" in page and "autorizzazione all&#39;accesso remoto non firmata" in page
    assert "Comune di Gamma" not in keeper.desk.get("/enti").text
    row = _read(settings)["gamma"]
    assert (row["denominazione"], row["ordine_il"], row["pec"]) == ("Comune di Gamma", date(2026, 1, 10), "gamma@pec.example")
    assert row["registrato_da"] == "operatore@fornitore.it"
    assert "Comune di Gamma" in keeper.desk.get("/enti?cerca=gamma").text
    assert keeper.add("gamma") == 400  # it is there


def test_what_cannot_be_is_said_and_not_delivered(keeper: Keeper, settings: Settings) -> None:
    answer = keeper.desk.post(
        "/nuovo-ente", data={"csrf": keeper.csrf, "ente": "gamma", **ROW, "ordine_il": "32/13/2026", "pec": "no"}
    )
    assert answer.status_code == 400 and "Ordine del: 32/13/2026" in answer.text and "PEC dell&#39;ente: no" in answer.text
    assert keeper.add("UN ENTE") == 400 and keeper.add("_provider") == 400
    assert not list(settings.inbox.glob("_provider/enti/*"))
    assert keeper.desk.get("/enti/gamma").status_code == 404 and keeper.desk.get("/enti/NON%20UN%20ENTE").status_code == 404


def test_changes_follow_each_other_read_or_not(keeper: Keeper, settings: Settings) -> None:
    keeper.add("gamma")
    assert keeper.change("gamma", keeper.form("gamma"), credenziali="SI") == 303
    assert keeper.change("gamma", keeper.form("gamma"), presa_in_carico_il="2026-01-20") == 303  # before the first was read
    row = _read(settings)["gamma"]
    assert (row["credenziali"], row["presa_in_carico_il"]) == (True, date(2026, 1, 20))
    for said in ("NO", "SI", "NO"):  # back to what was: not taken for a delivery that is known
        assert keeper.change("gamma", keeper.form("gamma"), credenziali=said) == 303
        assert _read(settings)["gamma"]["credenziali"] is (said == "SI")


def test_nobody_overwrites_what_they_have_not_seen(keeper: Keeper, settings: Settings) -> None:
    keeper.add("gamma")
    old = keeper.form("gamma")
    assert keeper.change("gamma", keeper.form("gamma"), credenziali="SI") == 303
    answer = keeper.desk.post("/enti/gamma/registro", data={**old, "versione_gestionale": "4.3"})
    assert answer.status_code == 400 and "Qualcuno ha cambiato il registro" in answer.text
    assert _read(settings)["gamma"]["credenziali"] is True


def test_the_deadlines_are_those_of_the_rules(keeper: Keeper, settings: Settings) -> None:
    """docs/rules.md#rule-10"""
    keeper.add("gamma", pec_disattivazione_il=today().isoformat())
    page, ordered = keeper.desk.get("/enti/gamma").text, date(2026, 1, 10)
    for name, start in (
        ("take_in_charge", ordered),
        ("guaranteed", ordered),
        ("lists", ordered),
        ("dismissal", today()),
        ("erase", today()),
    ):
        assert day(deadline(name, today()).after(start)) in page, name
    assert "in dismissione" in page
    _read(settings)
    with engine(settings).connect() as connection:
        assert connection.execute(sa.text("select state, processed from pcc.service_life where codice_ente = 'gamma'")).one() == (
            "deactivating", False,
        )  # fmt: skip


def test_the_code_of_an_erased_ente_is_used_no_more(keeper: Keeper, settings: Settings) -> None:
    store = Installation(settings).store
    receipt = {
        "receipt": "r-1",
        **receipts.new_subject("gamma"),
        "erased_at": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
    }
    receipts.keep(store, receipts.sign(settings, receipt))
    assert keeper.add("gamma") == 400 and not list(settings.inbox.glob("_provider/enti/*"))
