"""Large uploads in pieces: a transfer that broke goes on where it stopped, also tomorrow and from a new session.

The pieces of a file lie in one unfinished file under PCC_HOME/uploads/<ente>; its name follows from who sends
which file, so that the same person sending the same file again finds what is there.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from pathlib import Path

from pcc_pipeline.settings import Settings
from portal.uploads import FULL, LARGEST, Unwelcome, room

#: Largest piece.
PIECE = 8 * 2**20
#: An unfinished transfer that nobody continued is thrown away.
KEPT_SECONDS = 7 * 24 * 3600

_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Transfer:
    """An unfinished file: its key, where it lies, how many bytes are there."""

    key: str
    path: Path

    @property
    def offset(self) -> int:
        """Bytes received so far."""
        return self.path.stat().st_size if self.path.exists() else 0


def begin(settings: Settings, ente: str, who: str, name: str, size: int, changed: int) -> Transfer:
    """The transfer of a file, new or found again. Raises Unwelcome when it is too large or the ente's room is full."""
    folder = settings.home / "uploads" / ente
    folder.mkdir(parents=True, exist_ok=True)
    now = time.time()
    for path in folder.glob("*.part"):
        if now - path.stat().st_mtime > KEPT_SECONDS:
            path.unlink(missing_ok=True)
    if not 0 < size <= LARGEST:
        raise Unwelcome("Il file è vuoto" if size <= 0 else "Il file supera 512 MB")
    key = hashlib.sha256(f"{ente}\0{who}\0{name}\0{size}\0{changed}".encode()).hexdigest()[:32]
    transfer = Transfer(key, folder / f"{key}.part")
    if size - transfer.offset > room(settings, ente):
        raise Unwelcome(FULL)
    transfer.path.touch()
    return transfer


def find(settings: Settings, ente: str, key: str) -> Transfer:
    """A transfer of the ente. Raises Unwelcome where there is none."""
    path = settings.home / "uploads" / ente / f"{key}.part"
    if not _KEY.fullmatch(key) or not path.exists():
        raise Unwelcome("Trasferimento sconosciuto: ricominciare")
    return Transfer(key, path)


def add(transfer: Transfer, offset: int, piece: bytes) -> int:
    """Adds a piece at `offset`; returns the new offset. A piece that is there already changes nothing.

    Raises Unwelcome for a piece that does not follow, or would make the file too large.
    """
    if offset + len(piece) > LARGEST:
        raise Unwelcome("Il file supera 512 MB")
    have = transfer.offset
    if offset > have:
        raise Unwelcome(f"Manca una parte: si riprende da {have}")
    fresh = piece[have - offset :]
    if fresh:
        with transfer.path.open("ab") as file:
            file.write(fresh)
    return transfer.offset
