"""What an operator does in Dagster's web interface, each thing once: a headless Chromium against a running installation.

Skipped where there is no Chromium. Jobs, assets, sensors, schedules are read from the definitions: a new one is tried unlisted.
`PCC_PICTURES` names a folder for pictures of what was seen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from operating import LOCATION, Operator
from serving import ARGUMENTS, CHROMIUM, RUN, serving, until
from typer.testing import CliRunner

from assets.definitions import defs
from pcc_pipeline.cli import app
from pcc_pipeline.database import embedded
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.register import Register
from pcc_pipeline.settings import Settings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
]

ENTI = ("alfa", "beta", "gamma")
HEADER = "id_documento;tipo_documento;piva_fornitore;numero;data_emissione;importo_totale;data_scadenza;stato\n"
ROWS = [f"E{n};TD01;01114601006;{n};2025-05-0{n};{n}00.00;2025-06-0{n};LIQUIDATA\n" for n in (1, 2, 3)]
PICTURES = os.environ.get("PCC_PICTURES")
JOBS = [job for job in defs.resolve_all_job_defs() if not job.name.startswith("__")]


def pcc(settings: Settings, *arguments: str) -> None:
    done = CliRunner().invoke(app, list(arguments), env=settings.environment())
    assert done.exit_code == 0, done.output


def submit(settings: Settings, ente: str, rows: list[str], *more: str) -> None:
    file = settings.home / f"fatture-{time.monotonic_ns()}.csv"
    file.write_text(HEADER + "".join(rows))
    pcc(settings, "submit", str(file), "--ente", ente, "--kind", "erp_invoices", *more)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Settings, str]]:
    """One service for all tests, with three enti of three invoices each, published."""
    with TemporaryDirectory(prefix="pcc-test-") as folder:
        home = Path(folder)
        try:
            with serving(home) as (settings, url, _):
                _connect(settings, "alfa")
                for ente in ENTI:
                    submit(settings, ente, ROWS)
                until(
                    lambda: _published(url), RUN, lambda: f"not all are published: {(home / 'serve.log').read_text()[-2000:]}"
                )
                yield settings, url
        finally:
            embedded.release(home)
            embedded.stop(home)


def _published(url: str) -> bool:
    query = """{ assetNodeOrError(assetKey: {path: ["published"]}) { ... on AssetNode { assetPartitionStatuses {
        ... on DefaultPartitionStatuses { materializedPartitions } } } } }"""
    try:
        node = Operator.asked(url, query)["assetNodeOrError"]
    except OSError:
        return False
    return set(ENTI) <= set(node["assetPartitionStatuses"]["materializedPartitions"])


def _connect(settings: Settings, ente: str) -> None:
    """Names an ente's accounting system, to be read when asked; without the register's leave a reading is refused, and says so."""
    (settings.home / "erp_sources.yaml").write_text(f"{ente}: {{url: 'sqlite:///erp.sqlite', every_minutes: 0}}\n")


def _whole_delivery(settings: Settings, ente: str) -> str:
    deliveries = Register(engine(settings)).deliveries(ente).to_pylist()
    return next(str(item["delivery"]) for item in deliveries if item["whole"])


@pytest.fixture
def operator(served: tuple[Settings, str], request: pytest.FixtureRequest) -> Iterator[Operator]:
    """An operator in front of the web interface; nothing may have gone wrong on any page when the test ends."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        someone = Operator(page, served[1], pictures=Path(PICTURES) if PICTURES else None)
        try:
            yield someone
        finally:
            someone.picture(f"end_of_{request.node.name}")
            browser.close()
        assert not someone.problems


def test_every_job_is_started_with_nothing_but_the_ente(operator: Operator) -> None:
    started = {job.name: operator.launchpad(job.name, "alfa", partitioned=job.partitions_def is not None) for job in JOBS}
    ends = {name: operator.ended(run) for name, run in started.items()}
    assert {name: operator.why(started[name]) for name, end in ends.items() if end != "SUCCESS"} == {}


def test_one_ente_several_and_one_table_s_checks(operator: Operator) -> None:
    page = operator.page
    assert operator.ended(operator.materialise("stock", "beta")) == "SUCCESS"
    run = operator.materialise("stock", *ENTI)
    assert operator.ended(run) == "SUCCESS", operator.why(run)
    # A layer: all assets of a group, from its lineage.
    run = operator.materialise_group("debt", "gamma")
    assert operator.ended(run) == "SUCCESS", operator.why(run)

    before = operator.known()
    operator.go("/assets/stock?view=checks")
    page.get_by_text("Execute all").click()
    run = operator.new_run(before)
    assert operator.ended(run) == "SUCCESS", operator.why(run)

    operator.go("/assets/stock")
    for heading in ("Freshness policy", "Row count", "Columns", "Lineage"):
        page.get_by_text(heading, exact=True).first.wait_for()
    page.get_by_text("Plots", exact=True).first.click()
    page.get_by_text("stock right [EUR]").first.wait_for()
    operator.picture("stock_plotted")


def test_why_an_ente_was_not_published_and_the_way_out(served: tuple[Settings, str], operator: Operator) -> None:
    settings, page = served[0], operator.page
    operator.switch("sensors", "inbox", on=False)  # it would try again by itself
    submit(settings, "beta", ROWS[:1], "--whole", "2025-01-01..2025-12-31")
    failed = operator.launchpad("reconcile_ente", "beta", partitioned=True)
    assert operator.ended(failed) == "FAILURE"
    until(lambda: "pcc.failed/beta" in operator.tags(failed), 60, lambda: "report_failure did not tag the run")
    assert "gone_rows_confirmed" in operator.tags(failed)["pcc.failed/beta"]

    operator.go("/overview")
    page.get_by_role("link", name="Runs").click()
    page.get_by_text("Failed", exact=True).first.click()
    page.get_by_text("pcc.failed/beta").first.wait_for()
    operator.picture("runs_that_failed")
    page.get_by_text(failed[:8]).first.click()
    page.get_by_text("gone_rows: gone_rows_confirmed").first.wait_for()

    operator.go("/assets/gone_rows?view=checks&checkDetail=gone_rows_confirmed")
    page.get_by_text("pcc confirm DELIVERY").first.wait_for()
    page.get_by_text("Show Markdown").first.click()
    delivery = _whole_delivery(settings, "beta")
    page.get_by_role("cell", name=delivery).first.wait_for()
    operator.picture("sample_of_a_failed_check")
    page.keyboard.press("Escape")

    pcc(settings, "confirm", delivery, "--ente", "beta", "--who", "rossi")
    before = operator.known()
    operator.go(f"/runs/{failed}")
    page.get_by_role("button", name="Re-execute all").click()
    again = operator.new_run(before)
    assert operator.ended(again) == "SUCCESS", operator.why(again)
    assert operator.tags(again).get("pcc.failed/beta", "tried again") == "tried again"
    operator.switch("sensors", "inbox", on=True)


def test_nothing_fails_when_it_is_looked_at(operator: Operator) -> None:
    places = ["/overview", "/runs", "/runs?view=backfills", "/assets", "/asset-groups", "/jobs", "/automation", "/deployment"]
    places += [f"/locations/{LOCATION}", f"/locations/{LOCATION}/resources", "/health", "/config", "/concurrency", "/settings"]
    graph = defs.resolve_asset_graph()
    for key in sorted(graph.get_all_asset_keys(), key=str):
        places.append(f"/assets/{key.to_user_string()}")
    for view in ("partitions", "events", "checks", "lineage"):
        places += [f"/assets/{name}?view={view}" for name in ("stock", "landing", "published", "quarantine", "service_life")]
    places += [f"/locations/{LOCATION}/jobs/{job.name}{tab}" for job in JOBS for tab in ("", "/runs")]
    places += [f"/locations/{LOCATION}/sensors/{sensor.name}" for sensor in defs.sensors or ()]
    places += [f"/locations/{LOCATION}/schedules/{schedule.name}" for schedule in defs.schedules or ()]
    places += [f"/locations/{LOCATION}/resources/{name}" for name in ("asked", "installation")]
    places += [f"/locations/{LOCATION}/{kind}" for kind in ("assets", "jobs", "sensors", "schedules", "backfills")]
    wrong: list[str] = []
    for place in places:
        operator.go(place)
        operator.page.wait_for_timeout(600)
        wrong += [f"{place}: {words}" for words in operator.errors()]
    assert not wrong


def test_sensors_and_schedules_pause_and_go_on(operator: Operator) -> None:
    for kind, found in (("sensors", defs.sensors or ()), ("schedules", defs.schedules or ())):
        for one in found:
            assert one.description
            if one.name == "inbox":
                continue  # paused elsewhere
            operator.switch(kind, one.name, on=False)
            operator.switch(kind, one.name, on=True)
