"""What an operator sees: a headless Chromium against the running webserver and daemon.

Skipped where there is no Chromium. The installation is the test's own, down to its PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from serving import ARGUMENTS, CHROMIUM, RUN, serving
from typer.testing import CliRunner

from pcc_pipeline.cli import app
from pcc_pipeline.demo import write_provider
from pcc_pipeline.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]

#: An amount that no demo document has.
WRONG = "1234567"


@pytest.fixture
def served(server_home: Path) -> Iterator[tuple[Settings, str]]:
    """An installation with `pcc serve` running on it, and the address of its web interface."""
    with serving(server_home) as (settings, url, _):
        yield settings, url


def submit(settings: Settings, inbox: Path, ente: str) -> None:
    """Delivers an ente's files with `pcc submit`, the last kind at last."""
    for folder in sorted((inbox / ente).iterdir()):
        files = [str(file) for file in sorted(folder.iterdir())]
        done = CliRunner().invoke(app, ["submit", "--ente", ente, "--kind", folder.name, *files], env=settings.environment())
        assert done.exit_code == 0, done.output


def unbalance(inbox: Path, ente: str) -> None:
    """Makes the accounts of PCC's documents not sum to their amounts."""
    (file,) = [path for path in (inbox / ente / "pcc_invoices").iterdir() if path.suffix == ".csv"]
    raw = file.read_bytes()
    encoding = "utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "utf-8"
    head, *rows = raw.decode(encoding).splitlines()
    separator = max(";,\t|", key=head.count)
    at = [name.strip('"').lower() for name in head.split(separator)].index("importo_liquidato")
    changed = []
    for row in rows:
        cells = row.split(separator)
        cells[at] = WRONG
        changed.append(separator.join(cells))
    file.write_text("\n".join([head, *changed]) + "\n", encoding=encoding)


@pytest.mark.slow
def test_graph_sensor_run_and_failing_check(served: tuple[Settings, str], tmp_path: Path) -> None:
    from playwright.sync_api import expect, sync_playwright

    settings, url = served
    inbox = tmp_path / "delivered"
    day = date(2025, 12, 31)
    write_provider(inbox, enti=1, documents=20, seed=5, reference_date=day, sdi_share=0, bad_rows=False)
    (ente,) = [folder.name for folder in inbox.iterdir() if not folder.name.startswith("_")]
    unbalance(inbox, ente)
    submit(settings, inbox, ente)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.goto(f"{url}/asset-groups")
        for group in ("landing", "reconciliation", "debt", "published"):
            expect(page.get_by_text(group, exact=True).first).to_be_visible(timeout=60_000)

        page.goto(f"{url}/runs")
        # Only the sensor starts runs here; what came while the first was under way is a second one's.
        expect(page.get_by_role("link", name="reconcile_ente").first).to_be_visible(timeout=RUN * 1000)
        expect(page.get_by_role("link", name="inbox", exact=True).first).to_be_visible()
        expect(page.get_by_text("Success").first).to_be_visible(timeout=RUN * 1000)

        # The run that succeeded may be that of the inbox: the ente's own may not have come to its checks yet.
        for _ in range(RUN // 10):
            page.goto(f"{url}/assets/pcc_documents?view=checks&checkDetail=accounts_sum")
            expect(page.get_by_text("accounts_sum").first).to_be_visible(timeout=60_000)
            page.wait_for_timeout(10_000)
            if page.get_by_text("Failed").count():
                break
        expect(page.get_by_text("Failed").first).to_be_visible()
        page.get_by_text("Show Markdown").first.click()
        expect(page.get_by_role("cell", name=f"{WRONG}.00").first).to_be_visible(timeout=60_000)
        browser.close()
