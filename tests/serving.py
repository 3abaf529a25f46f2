"""Starts `pcc serve` for browser tests: an installation of the test's own, down to its PostgreSQL."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import uvicorn

from pcc_pipeline.settings import Settings
from portal.app import create_app

CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOT = Path(__file__).resolve().parents[1]
PCC = [sys.executable, "-m", "pcc_pipeline"]

#: Seconds for the servers to come up, and for a run from submission to its end, on a busy machine.
UP, RUN = 120, 240


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: Callable[[], bool], seconds: float, missing: Callable[[], str]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(1)
    pytest.fail(missing())


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def desk_alone(settings: Settings) -> Iterator[str]:
    """The desk alone, in a thread of this process; gives its address. No pipeline runs."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def serving(home: Path, *, desk: bool = False) -> Iterator[tuple[Settings, str, str]]:
    """`pcc serve` on an installation at `home`; gives the settings, Dagster's address, the desk's address."""
    settings = Settings.at(home, memory_limit="1GiB", quiet_seconds=1)
    environment = {**os.environ, **settings.environment(), "PYTHONUNBUFFERED": "1"}
    port, desk_port = free_port(), free_port() if desk else 0
    log = (home / "serve.log").open("w")
    command = [*PCC, "serve", "--port", str(port), "--desk-port", str(desk_port)]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    url, desk_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{desk_port}"

    def up() -> bool:
        return answers(f"{url}/server_info") and (not desk or answers(f"{desk_url}/accesso"))

    try:
        until(up, UP, lambda: f"the servers did not come up: {Path(log.name).read_text()[-2000:]}")
        yield settings, url, desk_url
    finally:
        with suppress(ProcessLookupError):  # a test may have killed it
            process.send_signal(signal.SIGINT)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        log.close()
