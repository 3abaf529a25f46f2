"""Whether an ente's accounting system may be read: authorisation, credentials, latest release (docs/rules.md#rule-10).

The facts are the provider's register of enti and `erp_releases.csv`; nothing is connected to here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pcc_pipeline.enti.facts import EnteFacts
from pcc_pipeline.rules import rule_rows


@dataclass(frozen=True)
class Release:
    """The release of an accounting system that is the latest on a day, and since when."""

    version: str
    valid_from: date


def latest_release(gestionale: str, on: date) -> Release | None:
    """The latest release of an accounting system on a day; None for one that the rules do not know."""
    known = [
        Release(row["versione"], date.fromisoformat(row["valid_from"]))
        for row in rule_rows("erp_releases")
        if row["gestionale"].casefold() == gestionale.strip().casefold()
    ]
    in_force = [release for release in known if release.valid_from <= on]
    return max(in_force, key=lambda release: release.valid_from, default=None)


def refusals(facts: EnteFacts, on: date) -> Sequence[str]:
    """Why the ente's accounting system may not be read on a day; empty when it may."""
    if not facts.known:
        return ["the ente is not in the provider's register of enti: no authorisation is known"]
    found = []
    if facts.refusal:
        found.append(facts.refusal)
    if not facts.autorizzazione_remota:
        found.append("the remote access authorisation is not signed (autorizzazione_remota)")
    if not facts.credenziali:
        found.append("the credentials were not given (credenziali)")
    found += _release(facts, on)
    return found


def _release(facts: EnteFacts, on: date) -> list[str]:
    if not facts.gestionale:
        return ["the register does not say which accounting system the ente has (gestionale)"]
    latest = latest_release(facts.gestionale, on)
    if latest is None:
        return [f"no release of {facts.gestionale} is known (erp_releases.csv)"]
    if not facts.versione_gestionale:
        return [f"the register does not say which release of {facts.gestionale} the ente has (versione_gestionale)"]
    if _numbers(facts.versione_gestionale) < _numbers(latest.version):
        return [
            f"{facts.gestionale} {facts.versione_gestionale} is not the latest release: "
            f"{latest.version} since {latest.valid_from}"
        ]
    return []


def _numbers(version: str) -> tuple[int, ...]:
    """A release's numbers without the zeros at its end: 5.4, 5.4.0 and v5.4 are one."""
    numbers = [int(part) for part in re.findall(r"\d+", version)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
