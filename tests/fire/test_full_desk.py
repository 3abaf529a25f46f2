"""A desk whose disk is full says so, delivers nothing, and leaves nothing of the file behind."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

import errno
import os
import shutil
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient
from test_portal import _csrf, _sign_in, desk

from pcc_pipeline.arrival import leftovers
from pcc_pipeline.arrival.delivery import deliver
from pcc_pipeline.arrival.landing import land
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings
from portal import pending

FILE = b"piva_fornitore;numero;data_emissione;importo\n00743110157;1;2025-01-31;10,00\n"


def files(settings: Settings) -> list[Path]:
    return [
        path
        for folder in ("inbox", "uploads")
        for path in (settings.home / folder).rglob("*")
        if path.is_file() and path.name != ".lock"
    ]


def test_a_full_disk_is_said_and_nothing_stays(desk: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _sign_in(desk, "chi@alfa.it")
    csrf, before = _csrf(desk), files(settings)
    opened = Path.open

    def full(path: Path, mode: str = "r", *more: Any, **named: Any) -> Any:
        file = opened(path, mode, *more, **named)
        if "uploads" in path.parts and "w" in mode:
            os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        return file

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        answer = desk.post("/consegne", data={"csrf": csrf, "kind": "open_list"}, files={"files": ("a.csv", FILE * 1000)})
    assert "Sul server non c" in answer.text and answer.status_code == 200
    assert files(settings) == before
    with monkeypatch.context() as patch:
        patch.setattr(pending, "place", Mock(side_effect=OSError(errno.EROFS, os.strerror(errno.EROFS))))
        answer = desk.post("/consegne", data={"csrf": csrf, "kind": "open_list"}, files={"files": ("a.csv", FILE)})
    assert answer.status_code == 507 and "Sul server non c" in answer.text and files(settings) == before
    answer = desk.post("/consegne", data={"csrf": csrf, "kind": "open_list"}, files={"files": ("a.csv", FILE)})
    assert answer.status_code == 200 and len(files(settings)) == len(before) + 1


def test_what_was_half_delivered_goes(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.csv"
    source.write_bytes(FILE)
    folder = installation.settings.inbox / "alfa" / "open_list"

    def half(given: Path, target: Path) -> None:
        target.write_bytes(FILE[:20])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(shutil, "copyfile", half)
        deliver(installation.settings.inbox, "alfa", "open_list", source)
    assert list(folder.iterdir()) == []
    # Killed in the middle: a later landing takes it away. What others write under such names stays.
    left, others = folder / f".{'0a' * 16}.part", folder / "elenco.csv.part"
    for path in (left, others):
        path.write_bytes(FILE[:20])
    land(installation, ente="alfa", drain=True)
    assert left.exists()
    old = time.time() - leftovers.LEFT_BEHIND - 1
    for path in (left, others):
        os.utime(path, (old, old))
    land(installation, ente="alfa", drain=True)
    assert not left.exists() and others.exists()
