"""A service keeps its processes up, and none outlives it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pcc_pipeline.commands.children import AlreadyServed, sole_service

ROOT = Path(__file__).resolve().parents[2]
#: A module that starts a process of its own and then waits; both write down who they are.
CHILD = """
import os, pathlib, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
grandchild = subprocess.Popen(["sleep", "600"])
(folder / f"{os.getpid()}").write_text(str(grandchild.pid))
time.sleep(600)
"""
SERVICE = """
import os, sys
from pathlib import Path
from pcc_pipeline.commands import children
children.GRACE = 2.0
children.LIVED = 0.5
with children.sole_service(Path("lock")):
    sys.exit(children.keep([["waiting", sys.argv[1]]], Path("lock"), dict(os.environ), print))
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    (tmp_path / "waiting.py").write_text(CHILD)
    (tmp_path / "seen").mkdir()
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(tmp_path / "seen")], env=environment, cwd=tmp_path,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # as a shell starts what runs in its background
    )  # fmt: skip
    yield process, tmp_path / "seen"
    process.kill()
    process.wait()


def children_of(seen: Path, number: int) -> list[int]:
    """The processes that `number` starts of the module wrote down."""
    found = until(lambda: files if len(files := [f for f in seen.iterdir() if f.read_text()]) >= number else None)
    return [pid for file in found for pid in (int(file.name), int(file.read_text()))]


def until(what: Callable[[], list[Path] | None], seconds: float = 60) -> list[Path]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.1)
    pytest.fail("it did not happen")


def gone(pids: list[int], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_a_service(service: tuple[subprocess.Popen[bytes], Path], end: signal.Signals) -> None:
    process, seen = service
    pids = children_of(seen, 1)
    process.send_signal(end)
    process.wait(30)
    assert gone(pids)


def test_what_ends_is_started_again(service: tuple[subprocess.Popen[bytes], Path]) -> None:
    process, seen = service
    first = children_of(seen, 1)
    time.sleep(0.6)
    os.kill(first[0], signal.SIGKILL)
    pids = children_of(seen, 2)
    assert process.poll() is None and len(set(pids)) == 4
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0 and gone(pids)


def test_a_home_has_one_service(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with sole_service(lock), pytest.raises(AlreadyServed, match=str(os.getpid())), sole_service(lock):
        pass
    with sole_service(lock):
        pass
