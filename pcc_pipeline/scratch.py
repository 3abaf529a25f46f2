"""Temporary files, which hold what enti delivered: each process keeps its own under PCC_HOME, where its owner alone looks.

A process that is killed takes nothing away. So its folder is named after it, and goes once it is gone: at the start of any
other, and before an erasure.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import psutil

from pcc_pipeline.settings import Settings


def _folder(settings: Settings) -> Path:
    return settings.home / "tmp"


def _name(process: psutil.Process) -> str:
    """A process, as no other is named: numbers come again."""
    return f"{process.pid}-{process.create_time():.2f}"


def settle(settings: Settings) -> None:
    """Has this process, and what it starts, keep temporary files in a folder of its own; clears those of processes that are
    gone. Without an installation nothing is begun."""
    if not settings.home.exists():
        return
    clear(settings)
    mine, own = os.getpid(), _folder(settings) / _name(psutil.Process())
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    _folder(settings).chmod(0o700)
    os.environ["TMPDIR"] = str(own)
    tempfile.tempdir = None

    def leave() -> None:
        if os.getpid() == mine:
            shutil.rmtree(own, ignore_errors=True)

    atexit.register(leave)


def clear(settings: Settings) -> int:
    """Removes the folders of processes that are gone; returns how many."""
    folder = _folder(settings)
    left = [path for path in folder.iterdir() if not _lives(path.name)] if folder.is_dir() else []
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def _lives(name: str) -> bool:
    number = name.partition("-")[0]
    try:
        return number.isdigit() and _name(psutil.Process(int(number))) == name
    except psutil.NoSuchProcess:
        return False
