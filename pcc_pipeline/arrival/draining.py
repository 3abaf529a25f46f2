"""Files leave an inbox once they are registered. A process may be killed meanwhile: then they come back.

What is removed is first moved into a hidden folder beside it, so that a file which took its name in the meantime stays.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pcc_pipeline.arrival import leftovers

#: How that folder begins; its time follows.
ASIDE = ".landed-"
#: Where files too large to take in are moved, beside where they lay: hidden, so that no reader looks again.
TOO_LARGE = ".too-large"
#: How the name ends of what is being delivered to an inbox; ours is hidden, and random before that.
UNFINISHED = ".part"
_OURS = re.compile(r"\.[0-9a-f]{32}" + re.escape(UNFINISHED))


@dataclass(frozen=True)
class InboxFile:
    """A registered file of an inbox. By its identity (inode, bytes, mtime in ns) one sees whether its name still means it."""

    path: Path
    kind: str
    identity: tuple[int, int, int]
    too_large: bool = False


def take_away(done: Sequence[InboxFile]) -> None:
    """Removes registered files from the inbox; those too large to take in are moved out of the way."""
    for folder, files in groupby(sorted(done, key=lambda file: file.path), key=lambda file: file.path.parent):
        aside = folder / f"{ASIDE}{int(time.time())}-{uuid.uuid4().hex[:8]}"
        for file in files:
            if file.too_large:
                _move_aside(file)
            else:
                aside.mkdir(exist_ok=True)
                _remove(file, aside / file.path.name)
        with suppress(FileNotFoundError):
            aside.rmdir()


def _remove(file: InboxFile, aside: Path) -> None:
    """Removes a registered file, unless its name has come to mean other bytes: moved aside first."""
    try:
        file.path.rename(aside)
    except FileNotFoundError:
        return
    stat = aside.stat()
    if (stat.st_ino, stat.st_size, stat.st_mtime_ns) == file.identity:
        aside.unlink()
    else:
        _return(aside, file.path.parent)


def _return(path: Path, folder: Path) -> None:
    """Puts a file back where it lay; should its name be another file's by now, both stay."""
    target = folder / path.name
    path.rename(folder / f"{uuid.uuid4().hex[:8]}-{path.name}" if target.exists() else target)


def bring_back(folder: Path) -> None:
    """Puts back what a killed process had moved aside and not removed: it is looked at again. What one had not delivered to
    its end goes."""
    try:
        with os.scandir(folder) as entries:
            hidden = [entry for entry in entries if entry.name.startswith(".")]
    except OSError:  # as everywhere here: left alone
        return
    for entry in hidden:
        with suppress(FileNotFoundError):
            if _OURS.fullmatch(entry.name) and time.time() - entry.stat().st_mtime >= leftovers.LEFT_BEHIND:
                Path(entry.path).unlink()
    left = [Path(entry.path) for entry in hidden if entry.name.startswith(ASIDE) and entry.is_dir()]
    for aside in left:
        when = aside.name.removeprefix(ASIDE).partition("-")[0]
        if when.isdigit() and time.time() - int(when) >= leftovers.LEFT_BEHIND:
            for path in list(aside.iterdir()):
                _return(path, folder)
            aside.rmdir()


def _move_aside(file: InboxFile) -> None:
    """Moves a registered file that was too large to take in out of the way of the next scan: a rename, no copy."""
    folder = file.path.parent / TOO_LARGE
    folder.mkdir(exist_ok=True)
    target = folder / file.path.name
    if target.exists():
        target = folder / f"{uuid.uuid4().hex[:8]}-{file.path.name}"
    with suppress(FileNotFoundError):
        file.path.rename(target)
