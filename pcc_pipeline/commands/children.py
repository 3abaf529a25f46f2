"""The processes that a service keeps up: started again where they end, and ended with it, however it ends.

Each child leads a process group of its own, so that what it starts ends with it. A child asks every second whether its
service still holds the lock of its home: a service that was killed frees it, and then the whole group ends.
"""

from __future__ import annotations

import fcntl
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

#: Seconds: between looks, that a child has to end by itself, after which a start counts as a good one.
LOOK, GRACE, LIVED = 0.2, 15.0, 20.0
#: Starts in a row that ended at once, after which the service gives up: its configuration is wrong, not its luck.
STARTS = 5


class AlreadyServed(Exception):
    """Another service works on the same home."""


@contextmanager
def sole_service(lock: Path) -> Iterator[None]:
    """Holds the lock of a home while a service runs. Raises `AlreadyServed`, with the other's process number."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServed(os.read(descriptor, 20).decode(errors="replace").strip()) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def _is_held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _end_with(lock: Path) -> None:
    """Ends this process's group once nobody holds the lock. At once: whoever killed the service did not ask either."""
    while _is_held(lock):
        time.sleep(1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


@dataclass
class _Child:
    """One module that is kept running, with what became of it."""

    arguments: Sequence[str]
    process: subprocess.Popen[bytes]
    started: float
    short: int = 0
    again_at: float = 0.0


def keep(modules: Sequence[Sequence[str]], lock: Path, environment: Mapping[str, str], say: Callable[[str], None]) -> int:
    """Runs Python modules (name, arguments) side by side until SIGINT or SIGTERM; then all their groups end.

    One that ends is started again, after a wait that grows with each early end. Returns 0, or 1 when one ended `STARTS`
    times in a row as soon as it was started.
    """
    groups: list[int] = []

    def start(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", __name__, str(lock), *arguments]
        process = subprocess.Popen(command, env=dict(environment), start_new_session=True)
        groups.append(process.pid)
        return process

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    # A shell that starts it in the background has it ignore SIGINT.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    children: list[_Child] = []
    try:
        children += [_Child(arguments, start(arguments), time.monotonic()) for arguments in modules]
        while True:
            time.sleep(LOOK)
            for child in children:
                code, now = child.process.poll(), time.monotonic()
                if code is None:
                    continue
                if not child.again_at:
                    child.short = 0 if now - child.started > LIVED else child.short + 1
                    if child.short >= STARTS:
                        say(f"{child.arguments[0]} ended {STARTS} times as soon as it was started: given up")
                        return 1
                    wait = 2.0**child.short - 1
                    child.again_at = now + wait
                    say(f"{child.arguments[0]} ended with code {code}; started again in {wait:.0f} s")
                elif now >= child.again_at:
                    child.process, child.started, child.again_at = start(child.arguments), now, 0.0
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(groups, [child.process for child in children])


def _end(groups: Sequence[int], processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Asks the processes to end, waits, then ends whatever is left of all groups."""
    for process in processes:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
    until = time.monotonic() + GRACE
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, until - time.monotonic()))
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for process in processes:
        process.wait()


def main(arguments: Sequence[str]) -> None:
    """Runs a module as `python -m` does, under the watch of a lock: lock, module, its arguments."""
    lock, module, *rest = arguments
    threading.Thread(target=_end_with, args=(Path(lock),), daemon=True).start()
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
