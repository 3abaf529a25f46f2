"""The provider's pages over all enti in a browser: axe, the keyboard, a narrow screen; the desk alone, no pipeline runs."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from serving import ARGUMENTS, CHROMIUM, desk_alone
from test_portal import desk
from test_portal_browser import _serious, _sign_in
from test_portal_enti import _life, _result
from test_portal_register import Keeper, keeper

from pcc_pipeline.checks.failing import keep_failing
from pcc_pipeline.database.engine import engine
from pcc_pipeline.enti import receipts
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]


def test_the_provider_works_over_all_enti(keeper: Keeper, settings: Settings) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import expect, sync_playwright

    bind = engine(settings)
    _life(bind, "alfa", at_risk=True, next_due_on=date(2026, 1, 1), next_deadline="presa in carico dell'ordine", why="scaduta")
    keep_failing(bind, "checks_debt", {"alfa": {"stock.molto_lungo_nome_di_un_controllo": _result("x", True)}})
    keeper.add("gamma")
    keeper.desk.post("/enti/gamma/lettere", data={"csrf": keeper.csrf, "tipo": "TAKEN_IN_CHARGE", "a": "gamma@pec.it"})
    made = {"receipt": "r-1", **receipts.new_subject("zeta"), "began_at": None, "erased_at": "2026-01-20T10:00:00+00:00"}
    receipts.keep(Installation(settings).store, receipts.sign(settings, made))
    with desk_alone(settings) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(locale="it-IT", viewport={"width": 360, "height": 740}).new_page()
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        _sign_in(page, address, "operatore@fornitore.it", "/enti")
        axe = Axe()
        for place in ("/enti", "/enti/alfa", "/enti/gamma", "/nuovo-ente", "/ricevute"):
            assert page.goto(f"{address}{place}").status == 200  # type: ignore[union-attr]
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            assert not (serious := _serious(axe, page)), (place, serious)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, place
        # The list follows what one types and chooses, and a cell leads on by keyboard.
        page.goto(f"{address}/enti")
        page.get_by_label("Nome o codice").fill("ALF")
        expect(page.get_by_role("status")).to_contain_text("Enti trovati: 1")
        page.get_by_label("Che cosa c'è da fare").select_option("BLOCKED")
        expect(page.get_by_role("status")).to_contain_text("Enti trovati: 1")
        page.goto(f"{address}/enti?cosa=BLOCKED")  # no answer is under way that would put the list anew
        page.get_by_role("button", name="Domande, Comune di Alfa").press("Enter")
        page.wait_for_url(f"{address}/domande")
        assert not wrong
        browser.close()
