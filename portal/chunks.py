"""Large uploads in pieces: a transfer that broke goes on where it stopped, also tomorrow and from a new session.

Each lies in `PCC_HOME/uploads/<ente>/parti/u<user>/<key>/` with a note of what was declared. The key cannot be guessed, and
only the person who began a transfer finds it. Pieces of an ente come one after the other, under a lock: what is declared
and what the ente may leave unread (`uploads.room`) hold at each of them.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

import fasteners

from pcc_pipeline.arrival.welcome import Unwelcome, safe_name
from pcc_pipeline.settings import Settings
from portal.uploads import FULL, LARGEST, folder_of, room

#: Largest piece.
PIECE = 8 * 2**20
#: An unfinished transfer that nobody continued is thrown away.
KEPT_SECONDS = 7 * 24 * 3600
#: Transfers that one person may have under way.
MOST = 20

_KEY = re.compile(r"[0-9a-f]{32}")
_NOTE, _CONTENT = "nota.json", "contenuto.part"

_here, _threads = Lock(), dict[str, Lock]()


@dataclass(frozen=True)
class Declared:
    """What the sender says of a file: its name, its size in bytes, when it was changed (as the browser tells it)."""

    name: str
    size: int
    changed: int


@dataclass(frozen=True)
class Transfer:
    """An unfinished file: its key, its folder, what was declared of it."""

    key: str
    folder: Path
    declared: Declared

    @property
    def path(self) -> Path:
        """Where its bytes are."""
        return self.folder / _CONTENT

    @property
    def offset(self) -> int:
        """Bytes received so far."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0


@contextmanager
def one_at_a_time(settings: Settings, ente: str) -> Iterator[None]:
    """Nobody else adds to what an ente left unread, in any process of the desk."""
    folder = folder_of(settings, ente)
    folder.mkdir(parents=True, exist_ok=True)
    with _here:  # the lock of a file holds processes apart, not the threads of one
        mine = _threads.setdefault(str(folder), Lock())
    with mine, fasteners.InterProcessLock(folder / ".lock"):
        yield


def begin(settings: Settings, ente: str, user_id: int, declared: Declared, *, anew: bool = False) -> Transfer:
    """The transfer of a file, new or found again; `anew` forgets what is there of it. Raises Unwelcome when it is too large,
    the ente's room is full, or the person has too many under way."""
    safe_name(declared.name)
    if not 0 < declared.size <= LARGEST:
        raise Unwelcome("Il file è vuoto" if declared.size <= 0 else "Il file supera 512 MB")
    with one_at_a_time(settings, ente):
        _sweep(settings, ente)
        mine = _mine(settings, ente, user_id)
        under_way = [found for path in mine.glob("*") if (found := _read(path)) is not None]
        for found in under_way:
            if found.declared == declared:
                if not anew and found.offset <= declared.size:
                    _require(declared.size - found.offset <= room(settings, ente))
                    return found
                shutil.rmtree(found.folder, ignore_errors=True)
        if len(under_way) >= MOST:
            raise Unwelcome("Troppi trasferimenti in corso: finirne prima qualcuno")
        _require(declared.size <= room(settings, ente))
        folder = mine / secrets.token_hex(16)
        folder.mkdir(parents=True)
        (folder / _NOTE).write_text(json.dumps(asdict(declared)), encoding="utf-8")
        transfer = Transfer(folder.name, folder, declared)
        transfer.path.touch()
        return transfer


def find(settings: Settings, ente: str, user_id: int, key: str) -> Transfer:
    """A person's transfer. Raises Unwelcome where there is none."""
    found = _read(_mine(settings, ente, user_id) / key) if _KEY.fullmatch(key) else None
    if found is None:
        raise Unwelcome("Trasferimento sconosciuto: ricominciare")
    return found


def add(settings: Settings, ente: str, user_id: int, key: str, offset: int, piece: bytes) -> int:
    """Adds a piece at `offset`; returns the new offset. A piece that is there already changes nothing.

    Raises Unwelcome for an unknown transfer, a piece that does not follow, more than was declared or than there is room for.
    """
    with one_at_a_time(settings, ente):
        transfer = find(settings, ente, user_id, key)
        have = transfer.offset
        if offset > have:
            raise Unwelcome(f"Manca una parte: si riprende da {have}")
        if offset + len(piece) > transfer.declared.size:
            raise Unwelcome("Il file è più lungo di quanto dichiarato: ricominciare")
        if fresh := piece[have - offset :]:
            _require(len(fresh) <= room(settings, ente))
            transfer.path.touch()  # its bytes may be lost, its note not
            with transfer.path.open("r+b") as file:
                try:
                    file.seek(have)
                    file.write(fresh)
                    file.flush()
                except OSError:  # a full disk: half a piece would shift all that follows
                    file.truncate(have)
                    raise
        return have + len(fresh)


def finish(settings: Settings, ente: str, user_id: int, key: str, target: Path) -> Declared:
    """Moves a transfer whose bytes are all there to `target`, once; returns what was declared of it.

    Raises Unwelcome for an unknown or unfinished one, and where the ente's room is full by now: then it stays.
    """
    with one_at_a_time(settings, ente):
        transfer = find(settings, ente, user_id, key)
        if transfer.offset != transfer.declared.size:
            raise Unwelcome(f"Il file non è ancora completo: si riprende da {transfer.offset}")
        _require(room(settings, ente) >= 0)
        transfer.path.replace(target)
        shutil.rmtree(transfer.folder, ignore_errors=True)
        return transfer.declared


def _require(enough: bool) -> None:
    if not enough:
        raise Unwelcome(FULL)


def _mine(settings: Settings, ente: str, user_id: int) -> Path:
    return folder_of(settings, ente) / "parti" / f"u{user_id}"


def _read(folder: Path) -> Transfer | None:
    try:
        return Transfer(folder.name, folder, Declared(**json.loads((folder / _NOTE).read_text(encoding="utf-8"))))
    except (FileNotFoundError, ValueError, TypeError):  # gone, or half written when the machine stopped
        return None


def _sweep(settings: Settings, ente: str) -> None:
    """Throws away the ente's transfers that nobody continued, and those of earlier versions."""
    now, folder = time.time(), folder_of(settings, ente)
    for path in (*folder.glob("parti/u*/*/" + _CONTENT), *folder.glob("*.part")):
        try:
            if now - path.stat().st_mtime <= KEPT_SECONDS:
                continue
        except FileNotFoundError:
            continue
        if path.parent == folder:
            path.unlink(missing_ok=True)
        else:
            shutil.rmtree(path.parent, ignore_errors=True)
