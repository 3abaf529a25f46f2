"""The people of `desk.py`, as Locust plays them: some look at pages, others ask what would be if.

What they look at comes in the environment (PCC_BENCH). Of each answer the server's own time is noted beside Locust's.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

from locust import HttpUser, constant, task

ASKED: dict[str, Any] = json.loads(os.environ["PCC_BENCH"])
#: Pages that the provider's people see.
PROVIDER = ("/enti", "/assistenza", "/ricevute")


class Person(HttpUser):
    """Looks at all pages in an order of their own, so that each is asked for as often as the others."""

    wait_time = constant(ASKED["wait"])
    left: tuple[tuple[str, str], ...] = ()

    @task
    def look(self) -> None:
        """Looks at the next page."""
        pages = list(ASKED["pages"].items())
        (name, address), *rest = self.left or random.sample(pages, len(pages))
        self.left = tuple(rest)
        for key in ("creditors", "documents"):
            address = address.replace(f"{{{key}}}", random.choice(ASKED[key]))
        side = "provider" if address.startswith(PROVIDER) else "client"
        answered = self.client.get(address, name=name, cookies={"pcc_desk": ASKED["cookies"][side]}, allow_redirects=False)
        note(self, answered, name)
        note(self, answered, "(all pages)", answered.elapsed.total_seconds() * 1000)


class Planner(HttpUser):
    """Asks again and again what would be if the oldest invoices were paid."""

    wait_time = constant(ASKED["wait"])
    fixed_count = ASKED["planners"]
    weight = min(fixed_count, 1)

    @task
    def ask(self) -> None:
        """Asks once."""
        form = {"csrf": ASKED["csrf"], "fino_al": ASKED["until"], "pagate_il": ASKED["until"]}
        answered = self.client.post("/indicatori/previsione", form, cookies={"pcc_desk": ASKED["cookies"]["client"]})
        note(self, answered, "/indicatori/previsione")


def note(person: HttpUser, answered: Any, name: str, seen: float | None = None) -> None:
    """Notes under a name what the server says of an answer, and what the person saw where Locust does not."""
    took = float(answered.headers["Server-Timing"].split("dur=")[1]) if "Server-Timing" in answered.headers else 0.0
    for kind, milliseconds in (("server", took), ("GET", seen)):
        if milliseconds is not None:
            person.environment.events.request.fire(
                request_type=kind, name=name, response_time=milliseconds, response_length=0, exception=None, context={}
            )
