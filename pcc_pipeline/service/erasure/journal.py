"""The journal of an erasure under way: what to look for and what was counted so far, so that a crash loses nothing.

It names the ente, so it is the last thing to go. One file an erasure, under PCC_HOME/erasures, its owner's alone.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pcc_pipeline.arrival import leftovers
from pcc_pipeline.service.erasure.traces import Traces
from pcc_pipeline.settings import Settings

#: How the name of a journal ends that is being written.
PART = ".part"


def folder(settings: Settings) -> Path:
    """Where journals lie."""
    return settings.home / "erasures"


@dataclass
class Journal:
    """One erasure: its traces, counts by place, the hash of what was delivered, names in the store that are to go once
    nothing refers to them (with the rows of the ente in each), and how its receipt will be called."""

    path: Path
    traces: Traces
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    content: str = ""
    began_at: str = ""
    doomed: dict[str, int] = field(default_factory=dict)
    receipt: dict[str, str] = field(default_factory=dict)

    def at_least(self, place: str, **amounts: int) -> None:
        """Notes what there is of the ente in a place, before it goes. After a crash there is less: the most counts."""
        kept = self.counts.setdefault(place, {})
        for name, amount in amounts.items():
            kept[name] = max(kept.get(name, 0), amount)
        self.save()

    def doom(self, names: Mapping[str, int]) -> None:
        """Notes names in the store that are to go, before what refers to them changes."""
        self.doomed |= names
        self.save()

    def save(self) -> None:
        """Writes the journal, whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Of one name: a process killed here leaves what the next call writes over.
        temporary = self.path.with_suffix(PART)
        kept = {name: getattr(self, name) for name in ("counts", "content", "began_at", "doomed", "receipt")}
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump({"traces": asdict(self.traces), **kept}, out)
        temporary.replace(self.path)

    def close(self) -> None:
        """Removes the journal, and what calls left that were killed while they began one."""
        for left in self.path.parent.glob(f"*{PART}"):
            data = left.read_bytes()
            if self.traces.bytes_pattern.search(data) or time.time() - left.stat().st_mtime >= leftovers.LEFT_BEHIND:
                left.unlink()
        self.path.unlink(missing_ok=True)


def load(settings: Settings, ente: str) -> Journal | None:
    """The journal of an erasure of that ente that did not end; None without."""
    for path in sorted(folder(settings).glob("*.json")):
        kept = json.loads(path.read_text())
        if kept["traces"]["ente"] == ente:
            return Journal(path, Traces(**kept.pop("traces")), **kept)
    return None


def new(settings: Settings, traces: Traces) -> Journal:
    """A fresh journal, under a name that tells nothing."""
    return Journal(folder(settings) / f"{secrets.token_hex(8)}.json", traces)


def under_way(settings: Settings) -> list[str]:
    """Enti whose erasure began and did not end."""
    return [json.loads(path.read_text())["traces"]["ente"] for path in sorted(folder(settings).glob("*.json"))]
