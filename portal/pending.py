"""Uploads that wait for their sender to confirm what they are; nothing of them is in the inbox yet.

Each lies in a folder of its own under PCC_HOME/pending/<ente>, named by chance, with a note of who sent it and what it
may be. What nobody confirms within a day is thrown away.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pcc_pipeline.settings import Settings
from portal.uploads import Unwelcome

KEPT_SECONDS = 24 * 3600

_KEY = re.compile(r"[0-9a-f]{32}")
_NOTE = "note.json"


@dataclass(frozen=True)
class Candidate:
    """A kind that the content may be: rows that can be read as it, rows refused."""

    kind: str
    rows: int
    refused: int


@dataclass(frozen=True)
class Pending:
    """An upload that waits: its key, the file, the name it came with, what it may be (best first)."""

    key: str
    path: Path
    candidates: tuple[Candidate, ...]


def folder(settings: Settings, ente: str) -> Path:
    """Where the uploads of an ente wait."""
    return settings.home / "pending" / ente


def keep(settings: Settings, ente: str, who: str, file: Path, candidates: Sequence[Candidate]) -> Pending:
    """Puts a checked file aside; it is moved there."""
    key = secrets.token_hex(16)
    place = folder(settings, ente) / key
    (place / "file").mkdir(parents=True)
    path = place / "file" / file.name
    shutil.move(file, path)
    note = {"who": who, "candidates": [asdict(candidate) for candidate in candidates]}
    (place / _NOTE).write_text(json.dumps(note), encoding="utf-8")
    return Pending(key, path, tuple(candidates))


def waiting(settings: Settings, ente: str, who: str) -> list[Pending]:
    """What a person has still to confirm, in the order of arrival. Throws away what waited too long, whoever sent it."""
    return [found for found, sender in _all(settings, ente) if sender == who]


def find(settings: Settings, ente: str, who: str, key: str) -> Pending:
    """One of them. Raises Unwelcome where there is none (any more), or it is another's."""
    if _KEY.fullmatch(key):
        for found in waiting(settings, ente, who):
            if found.key == key:
                return found
    raise Unwelcome("Questo file non attende più conferma: consegnarlo di nuovo")


def drop(found: Pending) -> None:
    """Removes it: it was delivered, or its sender does not want it delivered."""
    shutil.rmtree(found.path.parents[1], ignore_errors=True)


def _all(settings: Settings, ente: str) -> Iterator[tuple[Pending, str]]:
    place = folder(settings, ente)
    for one in sorted(place.iterdir(), key=lambda p: p.stat().st_mtime) if place.exists() else ():
        if time.time() - one.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(one, ignore_errors=True)
            continue
        note = one / _NOTE
        if not note.exists():  # being put aside at this moment
            continue
        told = json.loads(note.read_text(encoding="utf-8"))
        (path,) = (one / "file").iterdir()
        yield Pending(one.name, path, tuple(Candidate(**candidate) for candidate in told["candidates"])), told["who"]
