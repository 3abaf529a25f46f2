"""The support desk in browsers: a client and two operators side by side; the desk alone, no pipeline runs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from serving import ARGUMENTS, CHROMIUM, desk_alone
from test_portal import PASSWORD
from test_portal_browser import _serious, _sign_in

from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.settings import Settings
from portal.accounts import add_user

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]

PEOPLE = {
    "chi": ("ente_user", "alfa", "/"),
    "altro": ("ente_manager", "beta", "/"),
    "anna": ("operator", None, "/enti"),
    "bruno": ("administrator", None, "/enti"),
}
#: A folder for pictures of all that was looked at, to be looked at by people.
PICTURES = os.environ.get("PCC_PICTURES")
NOTE = "da chiedere al tesoriere"


class Desks:
    """A browser of each person, on a narrow screen, signed in; each page is looked at by axe."""

    def __init__(self, browser: Any, address: str) -> None:
        from axe_playwright_python.sync_playwright import Axe

        self.address, self._axe = address, Axe()
        self.pages: dict[str, Any] = {}
        for who, (_, _, first) in PEOPLE.items():
            page = browser.new_context(locale="it-IT", viewport={"width": 360, "height": 740}).new_page()
            _sign_in(page, address, f"{who}@prova.it", first)
            self.pages[who] = page

    def go(self, who: str, place: str, status: int = 200) -> Any:
        """The person's page, gone to a place, and fit for all."""
        page = self.pages[who]
        assert page.goto(f"{self.address}{place}").status == status, (who, place)
        if status == 200:
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            self.fit(who)
        return page

    def fit(self, who: str) -> None:
        """Whether what the person sees has no serious fault and no width beyond the screen's."""
        page = self.pages[who]
        assert not (serious := _serious(self._axe, page)), (page.url, serious)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.url
        if PICTURES:
            name = re.sub(r"\W+", "-", page.url.removeprefix(self.address)).strip("-")
            page.screenshot(path=str(Path(PICTURES) / f"{who}-{name}.png"), full_page=True)

    def open_now(self) -> str:
        """What the client's page of the service says of this moment."""
        return str(self.go("chi", "/servizio").locator("section[aria-labelledby=t-ora]").inner_text())


def test_a_ticket_between_a_client_and_two_operators(settings: Settings) -> None:
    from playwright.sync_api import expect, sync_playwright

    bind = engine(settings)
    for who, (role, ente, _) in PEOPLE.items():
        add_user(bind, f"{who}@prova.it", who.title(), role, ente, PASSWORD)
    with desk_alone(settings) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        desks = Desks(browser, address)
        client, anna, bruno = (desks.pages[who] for who in ("chi", "anna", "bruno"))
        before = desks.open_now()

        # The client asks, by keyboard alone.
        desks.go("chi", "/segnalazioni")
        client.get_by_label("Di che cosa si tratta").focus()
        client.keyboard.type("Manca una fattura")
        client.keyboard.press("Tab")
        client.keyboard.type("Dove si trova la 12/A?")
        client.get_by_role("button", name="Apri la segnalazione").press("Enter")
        expect(client.get_by_role("heading", level=1)).to_contain_text("PCC-1: Manca una fattura")
        desks.fit("chi")
        assert desks.open_now() != before, "the figures move at once"

        # Two operators look at the same queue and take the same ticket: one has it, the other is told.
        for who in ("anna", "bruno"):
            desks.go(who, "/assistenza")
        anna.get_by_role("button", name="Prendi PCC-1").click()
        expect(anna.get_by_text("presa in carico (anna@prova.it)").first).to_be_visible()
        bruno.get_by_role("button", name="Prendi PCC-1").click()
        expect(bruno.get_by_role("alert")).to_contain_text("già presa in carico un'altra persona")
        expect(bruno.get_by_text("presa in carico (anna@prova.it)").first).to_be_visible()
        desks.fit("bruno")

        # A note stays inside, the answer is seen.
        desks.go("anna", "/assistenza/1")
        anna.get_by_label("Testo").fill(NOTE)
        anna.get_by_role("button", name="Nota interna").click()
        expect(anna.get_by_text(NOTE)).to_be_visible()
        anna.get_by_label("Testo").fill("Ritrovata: era tra le rifiutate")
        anna.get_by_role("button", name="Rispondi al cliente").click()
        expect(anna.get_by_text("era tra le rifiutate")).to_be_visible()
        desks.go("chi", "/segnalazioni/1")
        expect(client.get_by_text("era tra le rifiutate")).to_be_visible()
        expect(client.get_by_text(NOTE)).to_have_count(0)

        # The client closes and judges with one tap.
        client.get_by_role("button", name="Chiudi: non serve altro").click()
        answered = desks.open_now()
        desks.go("chi", "/segnalazioni/1")
        client.locator("button[value=POSITIVO]").click()
        expect(client.get_by_role("status").filter(has_text="Giudizio registrato")).to_be_visible()
        desks.fit("chi")
        assert desks.open_now() != answered, "so does a judgement"

        # What came by phone is entered by the provider.
        desks.go("bruno", "/assistenza")
        bruno.get_by_label("Codice dell'ente").fill("alfa")
        bruno.get_by_label("Di che cosa si tratta").fill("Ha chiamato")
        bruno.get_by_label("Testo").fill("Chiede del giornale di cassa")
        bruno.get_by_role("button", name="Inserisci").click()
        expect(bruno.get_by_role("heading", level=1)).to_contain_text("Ha chiamato")
        expect(desks.go("chi", "/segnalazioni").get_by_role("link", name="PCC-2")).to_be_visible()

        # Another ente's people, and those of no provider, are refused.
        for who, place, status in (
            ("altro", "/segnalazioni/1", 404), ("altro", "/segnalazioni/2", 404), ("chi", "/assistenza", 403), ("altro", "/assistenza/1", 403),
        ):  # fmt: skip
            desks.go(who, place, status)
        browser.close()
    with bind.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(table("deliveries"))) == 0, "no run has anything to do"
    assert not [path for path in settings.inbox.rglob("*") if path.is_file()]
