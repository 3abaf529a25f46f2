"""An operator at Dagster's web interface: a page, and what Dagster says of runs meanwhile, asked of the same webserver."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOCATION = "assets.definitions"
#: What a page shows where something went wrong.
ERRORS = (
    "Unexpected GraphQL error",
    "Something went wrong",
    "An unexpected error",
    "PythonError",
    "Page not found",
    "GraphQL error",
)
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


class Operator:
    """The operator's page, with what went wrong on it so far (`problems`)."""

    def __init__(self, page: Any, url: str, pictures: Path | None = None) -> None:
        self.page, self.url, self.pictures = page, url, pictures
        self.problems: list[str] = []
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("response", self._look)

    def _look(self, response: Any) -> None:
        if response.status >= 400:
            self.problems.append(f"{self.page.url}: {response.status} for {response.url}")
        elif "/graphql" in response.url:
            try:
                told = response.json()
            except Exception:  # gone with the page that asked
                return
            for error in told.get("errors") or ():
                self.problems.append(f"{self.page.url}: {error['message'][:300]}")

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL answer."""
        return self.asked(self.url, query, **variables)

    @staticmethod
    def asked(url: str, query: str, **variables: Any) -> Any:
        """The data of a webserver's GraphQL answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.load(answer)
        assert not told.get("errors"), told["errors"]
        return told["data"]

    def picture(self, name: str) -> None:
        """Keeps a picture of the page, where a folder for pictures is given."""
        if self.pictures is not None:
            self.pictures.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=self.pictures / f"{name}.png")

    def errors(self) -> list[str]:
        """What the page says went wrong."""
        return [words for words in ERRORS if self.page.get_by_text(words).count()]

    def go(self, path: str) -> None:
        """Opens a page and waits until it is quiet."""
        self.page.goto(f"{self.url}{path}")
        self.page.wait_for_load_state("domcontentloaded")
        self.page.get_by_text("Deployment", exact=True).first.wait_for()

    def runs(self, **filters: Any) -> list[dict[str, Any]]:
        """The latest runs, newest first."""
        query = """query ($filter: RunsFilter) { runsOrError(filter: $filter, limit: 50) { ... on Runs { results {
            runId jobName status tags { key value } } } } }"""
        return list(self.ask(query, filter=filters)["runsOrError"]["results"])

    def ended(self, run: str, seconds: float = 240) -> str:
        """How a run ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            (found,) = self.runs(runIds=[run])
            if found["status"] in ENDED:
                return str(found["status"])
            time.sleep(0.5)
        raise AssertionError(f"run {run} did not end")

    def tags(self, run: str) -> dict[str, str]:
        """A run's tags."""
        (found,) = self.runs(runIds=[run])
        return {tag["key"]: tag["value"] for tag in found["tags"]}

    def why(self, run: str) -> str:
        """How a run ended and the errors of it, for the message of an assertion."""
        query = """query ($run: ID!, $after: String) { runOrError(runId: $run) { ... on Run { status } }
            logsForRun(runId: $run, afterCursor: $after) { ... on EventConnection { cursor hasMore events {
            ... on ExecutionStepFailureEvent { stepKey error { message causes { message } } }
            ... on RunFailureEvent { message error { message } } ... on RunCanceledEvent { message }
            ... on RunCancelingEvent { message } } } } }"""
        told, after, more = [], None, True
        while more:
            found = self.ask(query, run=run, after=after)
            page = found["logsForRun"]
            told += [event for event in page["events"] if event]
            after, more = page["cursor"], page["hasMore"]
        return json.dumps([found["runOrError"], *told])[:3000]

    def new_run(self, before: set[str], seconds: float = 60) -> str:
        """The id of the one run that an operator started since `before` (ids of runs); sensors' and schedules' do not count."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for run in self.runs():
                tags = {tag["key"] for tag in run["tags"]}
                if run["runId"] not in before and not tags & {"dagster/sensor_name", "dagster/schedule_name"}:
                    return str(run["runId"])
            time.sleep(0.5)
        raise AssertionError("no run was started")

    def known(self) -> set[str]:
        """The ids of the latest runs."""
        return {run["runId"] for run in self.runs()}

    def launchpad(self, job: str, ente: str, *, partitioned: bool) -> str:
        """Starts a job from its launchpad with nothing but the ente's name filled in; the run's id."""
        before = self.known()
        self.go(f"/locations/{LOCATION}/jobs/{job}/playground")
        launch = self.page.get_by_role("button", name="Launch Run")
        launch.wait_for()
        lines = self.page.locator(".CodeMirror-line")
        lines.first.wait_for()
        self.page.wait_for_timeout(2_000)  # the form is drawn anew once its defaults are there
        if partitioned:
            self.page.get_by_placeholder("Partition").fill(ente)
            self.page.get_by_text(ente, exact=True).last.click()
        elif (field := lines.filter(has_text="ente: ''")).count():
            field.first.click()
            self.page.keyboard.press("End")
            self.page.keyboard.press("Backspace")
            self.page.keyboard.type(f"{ente}'")
        self.page.wait_for_timeout(1_500)  # the form is checked while one types
        launch.click()
        return self.new_run(before)

    def materialise(self, asset: str, *enti: str) -> str:
        """Materialises an asset for some enti from its page; the run's id."""
        return self._materialise(f"/assets/{asset}", enti)

    def materialise_group(self, group: str, ente: str) -> str:
        """Materialises all assets of a group for an ente, from the group's graph; the run's id."""
        return self._materialise(f"/locations/{LOCATION}/asset-groups/{group}", (ente,))

    def _materialise(self, place: str, enti: Sequence[str]) -> str:
        before = self.known()
        self.go(place)
        self.page.get_by_role("button", name="Materialize").first.click()
        self.page.get_by_text("Select a partition or create one").click()
        for ente in enti:
            self.page.locator(f'[title="{ente}"] > span').last.click()
        self.page.keyboard.press("Escape")
        self.page.get_by_role("button", name="Launch").last.click()
        return self.new_run(before)

    def switch(self, kind: str, name: str, *, on: bool) -> None:
        """Pauses a sensor or schedule, or has it go on, from its page; what Dagster says of it must follow."""
        self.go(f"/locations/{LOCATION}/{kind}/{name}")
        box = self.page.locator("input[type=checkbox]").first
        box.wait_for(state="attached")
        if box.is_checked() != on:
            box.locator("xpath=..").click()
        end = time.monotonic() + 30
        while self._running(kind, name) != on:
            assert time.monotonic() < end, f"{name} is not switched {'on' if on else 'off'}"
            time.sleep(0.3)

    def _running(self, kind: str, name: str) -> bool:
        of = kind.removesuffix("s")
        selector = {"repositoryName": "__repository__", "repositoryLocationName": LOCATION, f"{of}Name": name}
        query = f"""query ($it: {of.title()}Selector!) {{ {of}OrError({of}Selector: $it) {{
            ... on {of.title()} {{ {of}State {{ status }} }} }} }}"""
        return bool(self.ask(query, it=selector)[f"{of}OrError"][f"{of}State"]["status"] == "RUNNING")
