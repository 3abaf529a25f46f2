"""What a client sees: a headless Chromium against `pcc serve`, from the upload to the right stock on the page.

The files are those of the project's own golden ente. axe-core looks at every page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from samples import OWN, Golden, rows
from serving import ARGUMENTS, CHROMIUM, RUN, serving

from pcc_pipeline.database.engine import dispose, engine
from portal.accounts import add_user
from portal.queries.stock import stocks
from portal.tenancy import DeskDatabase
from portal.words import euro, label

PASSWORD = "una lunga parola d'ordine"
PAGES = (
    "/",
    "/scadenze",
    "/scadenze?mese=2025-09&vista=pcc",
    "/creditori",
    "/creditori?cerca={supplier}",
    "/creditori/{creditor}",
    "/documenti",
    "/documenti?scadenza=2025-01-01..2025-12-31",
    "/documento?id_documento={document}",
    "/anomalie",
    "/cambiamenti-pcc",
    "/consegne",
    "/domande",
    "/indicatori",
    "/servizio",
    "/segnalazioni",
    "/operazioni",
    "/rapporti",
    "/persone",
    "/password",
)

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]


def _pages(golden: Golden) -> tuple[str, tuple[str, ...]]:
    """A suspended document, and the addresses looked at: its own among them, and of a supplier whose credit was ceded."""
    document = next(row["id_documento"] for row in golden.rows("anomalies") if row["code"] == "SUSPENSION_NOT_REPORTED")
    (path,) = golden.files("special_cases")
    ceded = [row for row in rows(path, "special_cases") if row["caso"] == "CESSIONE" and not row["numero"]]
    names = {"supplier": ceded[0]["piva_fornitore"], "creditor": ceded[0]["nuovo_creditore_piva"], "document": document}
    return document, tuple(address.format(**names) for address in PAGES)


def _sign_in(page: Any, desk: str, email: str, then: str = "/") -> None:
    page.goto(f"{desk}/accesso")
    page.get_by_label("Indirizzo e-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Accedi").click()
    page.wait_for_url(f"{desk}{then}")


def _upload(page: Any, desk: str, files: list[Path]) -> None:
    page.goto(f"{desk}/consegne")
    page.get_by_label("File da consegnare").set_input_files([str(file) for file in files])
    page.get_by_role("button", name="Consegna", exact=True).click()


def _serious(axe: Any, page: Any) -> list[Any]:
    found = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}).response["violations"]
    return [(v["id"], [n["html"][:120] for n in v["nodes"][:2]]) for v in found if v["impact"] in ("serious", "critical")]


def test_from_the_upload_to_the_right_stock(server_home: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import expect, sync_playwright

    golden = OWN
    document, pages = _pages(golden)
    folders = sorted(path for path in (golden.inbox / golden.ente).iterdir())
    last = label(f"FEED.{folders[-1].name}")
    with serving(server_home, desk=True) as (settings, _, desk), sync_playwright() as playwright:
        for email, role, ente in (
            ("anna@alfa.it", "ente_manager", golden.ente),
            ("bea@beta.it", "ente_user", "beta"),
            ("ugo@fornitore.it", "operator", None),
        ):
            add_user(engine(settings), email, email[:4].title(), role, ente, PASSWORD)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(locale="it-IT", viewport={"width": 1200, "height": 900})
        page = context.new_page()
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))

        axe = Axe()
        recognised: list[tuple[str, str]] = []
        _sign_in(page, desk, "anna@alfa.it")
        for folder in folders:
            _upload(page, desk, sorted(folder.iterdir()))
            # What it was recognised as is confirmed.
            expect(page.get_by_role("heading", name="Confermare che cosa sono")).to_be_visible(timeout=60_000)
            if folder == folders[0]:
                assert not _serious(axe, page)
                assert not [path for path in settings.inbox.rglob("*") if path.is_file()]
            for choice in page.locator("#conferma select").all():
                recognised.append((folder.name, choice.input_value()))
                choice.select_option(folder.name)
            page.get_by_role("button", name="Conferma e consegna").click()
            expect(page.get_by_text("consegnato come").first).to_be_visible(timeout=60_000)
            expect(page.get_by_role("status").first).to_contain_text(label(f"FEED.{folder.name}"))
        assert all(kind == told for kind, told in recognised), recognised

        # The page follows the files by itself.
        expect(page.locator("#in-corso .desk-passed", has_text="pubblicato").first).to_be_visible(timeout=RUN * 1000)
        for _ in range(RUN // 2):
            page.goto(f"{desk}/")
            if page.locator("#stock-right").count() and page.get_by_text(f"({last}), ").count():
                break
            page.wait_for_timeout(2000)
        for _ in range(30):  # the stock of today; a run that is still under way may change it meanwhile
            with DeskDatabase(settings).tenant(golden.ente) as connection:
                amounts = stocks(connection, golden.ente)
            page.goto(f"{desk}/")
            shown = {view: page.locator(f"#stock-{view}").inner_text() for view in amounts}
            if shown == {view: euro(amount) for view, amount in amounts.items()}:
                break
            page.wait_for_timeout(2000)
        assert shown == {view: euro(amount) for view, amount in amounts.items()} and set(shown) == {"pcc", "right", "projected"}
        assert amounts["right"] != amounts["pcc"] and amounts["right"] > 0
        page.goto(f"{desk}/documento?id_documento={document}")
        expect(page.get_by_text("Sospensione non comunicata")).to_be_visible()

        for address in pages:
            page.goto(f"{desk}{address}")
            assert not (serious := _serious(axe, page)), (address, serious)
        assert not wrong, wrong

        # The keyboard alone: the first stop is the way past the menus, and sections are reached with it.
        page.goto(f"{desk}/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Vai al contenuto")).to_be_focused()
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "Creditori":
                break
        page.keyboard.press("Enter")
        page.wait_for_url(f"{desk}/creditori")

        # An answer given on the page becomes a special case; the sensor's next run changes the figure.
        before = euro(amounts["right"])
        page.goto(f"{desk}/domande")
        question = page.locator(".desk-question", has_text="Importo diverso").first
        question.locator(".form-check-label").first.click()
        question.locator("summary").click()
        question.get_by_label("Risposta").select_option("NON_COMMERCIALE")
        question.get_by_label("Dal").fill("2025-01-01")
        question.get_by_role("button", name="Rispondi alle scelte").click()
        expect(page.get_by_role("status")).to_contain_text("Risposta registrata")
        for _ in range(RUN // 2):
            page.goto(f"{desk}/")
            if page.locator("#stock-right").inner_text() != before:
                break
            page.wait_for_timeout(2000)
        assert page.locator("#stock-right").inner_text() != before

        # An operation is approved: it stands so at once.
        page.goto(f"{desk}/operazioni?stato=proposed")
        before_many = page.locator('.desk-views a[aria-current="true"]').inner_text()
        page.locator('input[name="operazione"]').first.check()
        page.get_by_role("button", name="Approva le scelte").click()
        expect(page.get_by_role("status")).to_contain_text("Operazioni approvate da voi: 1")
        assert page.locator('.desk-views a[aria-current="true"]').inner_text() != before_many
        with page.expect_download() as download:
            page.goto(f"{desk}/consegne")
            page.get_by_text("Tabelle vuote da compilare").click()
            page.get_by_role("link", name="Pagamenti del gestionale, Excel").click()
        assert Path(download.value.path()).read_bytes().startswith(b"PK")

        page.set_viewport_size({"width": 360, "height": 740})
        for address in pages:
            page.goto(f"{desk}{address}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, address

        # File per PCC is for the provider's people.
        provider = browser.new_context(locale="it-IT", viewport={"width": 360, "height": 740}).new_page()
        _sign_in(provider, desk, "ugo@fornitore.it", "/enti")
        provider.locator(f'form[action="/enti"]:has(input[value="{golden.ente}"]) button').click()
        provider.wait_for_url(f"{desk}/")
        assert provider.goto(f"{desk}/file-pcc").status == 200
        assert not (serious := _serious(axe, provider)), serious
        assert provider.evaluate("document.documentElement.scrollWidth") <= 360

        other = browser.new_context(locale="it-IT").new_page()
        _sign_in(other, desk, "bea@beta.it")
        assert other.goto(f"{desk}/documento?id_documento={document}").status == 404
        assert other.goto(f"{desk}/persone").status == 403
        expect(other.get_by_text("Solo chi gestisce")).to_be_visible()

        # A large file goes in pieces and is asked about in place; dropped, it reaches nobody.
        large = server_home / "grande.csv"
        rows = "".join(f"D{n};M{n};2025-12-31;10.50\n" for n in range(330_000))
        large.write_text(f"id_documento;numero_mandato;data_pagamento;importo\n{rows}")
        _upload(other, desk, [large])
        expect(other.get_by_label("grande.csv")).to_contain_text(
            "Pagamenti del gestionale: 330.000 righe leggibili", timeout=60_000
        )
        expect(other.get_by_label("grande.csv")).to_have_value("erp_payments")
        other.get_by_label("grande.csv").select_option("-")
        other.get_by_role("button", name="Conferma e consegna").click()
        expect(other.get_by_role("status")).to_contain_text("tolto, non consegnato")
        assert not (settings.inbox / "beta").exists()
        browser.close()
        dispose(settings)
