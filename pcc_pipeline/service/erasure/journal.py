"""The journal of an erasure under way: what to look for and what was counted so far, so that a crash loses nothing.

It names the ente, so it is the last thing to go. One file an erasure, under PCC_HOME/erasures, its owner's alone.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pcc_pipeline.service.erasure.traces import Traces
from pcc_pipeline.settings import Settings


def folder(settings: Settings) -> Path:
    """Where journals lie."""
    return settings.home / "erasures"


@dataclass
class Journal:
    """One erasure: its traces, counts by place, and the hash of what was delivered."""

    path: Path
    traces: Traces
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    content: str = ""
    began_at: str = ""

    def add(self, place: str, **amounts: int) -> None:
        """Adds to the counts of a place, and keeps them."""
        kept = self.counts.setdefault(place, {})
        for name, amount in amounts.items():
            kept[name] = kept.get(name, 0) + amount
        self.save()

    def save(self) -> None:
        """Writes the journal, whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{secrets.token_hex(8)}.part")
        kept = {
            "traces": asdict(self.traces),
            "counts": self.counts,
            "content": self.content,
            "began_at": self.began_at,
        }
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(kept, out)
        temporary.replace(self.path)

    def close(self) -> None:
        """Removes the journal."""
        self.path.unlink(missing_ok=True)


def load(settings: Settings, ente: str) -> Journal | None:
    """The journal of an erasure of that ente that did not end; None without."""
    for path in sorted(folder(settings).glob("*.json")):
        kept = json.loads(path.read_text())
        if kept["traces"]["ente"] == ente:
            return Journal(path, Traces(**kept["traces"]), kept["counts"], kept["content"], kept["began_at"])
    return None


def new(settings: Settings, traces: Traces) -> Journal:
    """A fresh journal, under a name that tells nothing."""
    return Journal(folder(settings) / f"{secrets.token_hex(8)}.json", traces)


def under_way(settings: Settings) -> list[str]:
    """Enti whose erasure began and did not end."""
    return [json.loads(path.read_text())["traces"]["ente"] for path in sorted(folder(settings).glob("*.json"))]
