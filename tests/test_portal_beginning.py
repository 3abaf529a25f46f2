"""An ente at its beginning: what to deliver in which order; what each page is for, and what its words mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from test_portal import PASSWORD, PAYMENTS, _sign_in, _text

import portal
from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.database.engine import engine
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings
from portal.accounts import add_user
from portal.app import create_app
from portal.beginning import FIRST_FILES
from portal.purposes import PAGES, TERMS
from portal.uploads import kinds
from portal.words import translator

TEMPLATES = Path(portal.__file__).parent / "templates"
GLOSSARY = Path(portal.__file__).parents[1] / "docs" / "glossary.md"
#: Pages that say by themselves what they are.
PLAIN = {"base.html", "error.html"}


@pytest.fixture
def desk(settings: Settings) -> Iterator[TestClient]:
    """The desk of an ente of which nothing is there."""
    add_user(engine(settings), "chi@alfa.it", "Chi", "ente_manager", "alfa", PASSWORD)
    with TestClient(create_app(settings)) as client:
        _sign_in(client, "chi@alfa.it")
        yield client


def _list(page: str) -> list[str]:
    return re.findall(r"<li>(.*?)</li>", page.split('id="cominciare"')[1].split("</section>")[0], re.DOTALL)


def test_an_ente_without_data_sees_what_to_deliver_and_in_which_order(
    desk: TestClient, settings: Settings, installation: Installation
) -> None:
    assert {file.kind for file in FIRST_FILES} <= set(kinds())
    page = desk.get("/").text
    assert "non c'è ancora nulla da cui calcolare" in page.replace("&#39;", "'")
    lines = _list(page)
    assert "Fatture del gestionale" in lines[0] and "Documenti di PCC" in lines[2] and len(lines) == len(FIRST_FILES)
    for address in re.findall(r'href="(/modelli/[^"]+)"', "".join(lines)):
        assert desk.get(address).status_code == 200, address
    assert "/modelli/sdi_invoices" not in "".join(lines)  # no table
    folder = settings.inbox / "alfa" / "erp_payments"
    folder.mkdir(parents=True)
    (folder / "p.csv").write_text(PAYMENTS)
    land(installation)
    stage(installation, "alfa")
    lines = _list(desk.get("/consegne").text)
    assert "consegnato" in lines[1] and "/modelli/erp_payments" not in lines[1] and "consegnato" not in lines[0]


def test_pages_without_figures_lead_to_the_beginning(desk: TestClient) -> None:
    for path in ("/scadenze", "/creditori", "/documenti", "/anomalie", "/domande", "/operazioni", "/indicatori", "/consegne"):
        assert 'href="/#cominciare"' in desk.get(path).text, path
    assert desk.get("/").text.count('id="cominciare"') == 1


def test_every_page_says_in_one_sentence_what_it_is_for(desk: TestClient) -> None:
    pages = {path.name for path in TEMPLATES.glob("*.html") if "<h1" in path.read_text()} - PLAIN
    assert pages == set(PAGES)
    assert [name for name in pages if (TEMPLATES / name).read_text().count('{% include "about.html" %}') != 1] == []
    for path in ("/", "/domande", "/persone", "/password", "/segnalazioni"):
        assert desk.get(path).text.count('class="desk-purpose"') == 1, path
    shown = _text(desk.get("/scadenze").text)
    assert "Quanto debito scade" in shown and "Il debito commerciale scaduto e non pagato alla data D" in shown


def test_the_words_are_in_english_too_and_terms_as_the_glossary_has_them() -> None:
    english = translator("en")
    texts = [page.purpose for page in PAGES.values()] + [file.words for file in FIRST_FILES]
    assert [text for text in texts if english(text) == text] == []
    meanings = {}
    for line in GLOSSARY.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and len(cells) == 3:
            meanings[cells[0]] = re.sub(r" \(\[\w+\]\([^)]*\)\)", "", cells[2]).replace("`", "").strip()
    assert {term: english(words) for term, (_, words) in TERMS.items()} == {term: meanings[term] for term in TERMS}
    assert {term for page in PAGES.values() for term in page.terms} == set(TERMS)
