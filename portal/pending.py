"""Uploads that wait for their sender to say what they are: nothing of them is in the inbox yet.

Each lies in `PCC_HOME/uploads/<ente>/attesa/u<user>/<key>/` with a note of what it was recognised as; the key cannot be
guessed, and only the person who sent it finds it. What nobody confirms is thrown away after a day.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from pcc_pipeline.arrival.welcome import Unwelcome
from pcc_pipeline.settings import Settings
from portal.uploads import Candidate, folder_of

KEPT_SECONDS = 24 * 3600

_KEY = re.compile(r"[0-9a-f]{32}")
_NOTE = ".nota.json"


@dataclass(frozen=True)
class Pending:
    """An upload that waits: its key, its file, the kind its sender named ("auto": none), the kinds that its content fits."""

    key: str
    path: Path
    asked: str
    candidates: tuple[Candidate, ...]


def place(settings: Settings, ente: str, user_id: int) -> Path:
    """A new empty folder for an upload of a person; its name is the key. Expired ones of the ente are thrown away."""
    waiting = folder_of(settings, ente) / "attesa"
    for folder in waiting.glob("u*/*"):
        try:
            expired = time.time() - folder.stat().st_mtime > KEPT_SECONDS
        except FileNotFoundError:  # confirmed at this moment
            continue
        if expired:
            shutil.rmtree(folder, ignore_errors=True)
    folder = waiting / f"u{user_id}" / secrets.token_hex(16)
    folder.mkdir(parents=True)
    return folder


def keep(folder: Path, path: Path, asked: str, candidates: list[Candidate]) -> None:
    """Notes that the upload in `folder` waits."""
    note = {"file": path.name, "asked": asked, "candidates": [asdict(candidate) for candidate in candidates]}
    part = folder / f"{_NOTE}.part"
    part.write_text(json.dumps(note), encoding="utf-8")
    part.replace(folder / _NOTE)  # readers see it whole


def waiting(settings: Settings, ente: str, user_id: int) -> list[Pending]:
    """A person's uploads of an ente that wait, oldest first."""
    mine = folder_of(settings, ente) / "attesa" / f"u{user_id}"
    found = []
    for folder in mine.glob("*"):
        try:
            moment = folder.stat().st_mtime
            if _KEY.fullmatch(folder.name) and time.time() - moment <= KEPT_SECONDS:
                found.append((moment, folder.name, _read(folder)))
        except FileNotFoundError:  # still being received, or confirmed at this moment
            continue
    return [pending for _, _, pending in sorted(found, key=lambda item: item[:2])]


def claim(settings: Settings, ente: str, user_id: int, key: str) -> Pending:
    """Takes a person's waiting upload, once; the caller throws its folder away. Raises Unwelcome where there is none."""
    folder = folder_of(settings, ente) / "attesa" / f"u{user_id}" / key
    gone = Unwelcome("Il file non è più in attesa: consegnarlo di nuovo")
    if not _KEY.fullmatch(key):
        raise gone
    try:
        if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
            raise gone
        _read(folder)
        return _read(folder.rename(folder.with_name(f"{key}-preso")))
    except FileNotFoundError:
        raise gone from None


def _read(folder: Path) -> Pending:
    note = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
    candidates = tuple(Candidate(**candidate) for candidate in note["candidates"])
    return Pending(folder.name, folder / note["file"], note["asked"], candidates)
