"""Reading foreign bytes in a process of their own, within limits of memory and time: what harms it harms nobody else.

A process is started once and reads file after file. One that dies, or is ended for its limits, takes with it only what
it was reading; the next file gets a new one.
"""

from __future__ import annotations

import atexit
import errno
import json
import logging
import os
import pickle
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from pcc_pipeline.formats import Counts, Sink, Source
from pcc_pipeline.formats.child import DEFECTS, DONE, FAILED, HEAD, NOTES, READY, ROWS, Order
from pcc_pipeline.formats.limits import READING, ReadingLimits
from pcc_pipeline.formats.reasons import KILLED, OUT_OF_MEMORY, OUT_OF_TIME
from pcc_pipeline.formats.tabular.layouts.model import Layout

#: The module whose `parse` reads.
PARSER = "pcc_pipeline.formats"
#: Seconds that a new process may take to be ready: never the file's fault.
_START = 300.0
#: No batch is longer, in bytes.
_LONGEST = 1 << 31
#: What changes how a process reads: another value needs another process.
_ENVIRONMENT = ("PCC_HOME", "PCC_LAYOUTS")

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The file killed its process, or took more memory or time than allowed. Its text says which, in the words of reasons."""


class ReaderFailed(Exception):
    """The reader raised an error, which by its contract it never does: `name` is the error's."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name


class Busy(Exception):
    """All processes read for others."""


def parse(
    kind: str,
    sources: Sequence[Source],
    sink: Sink,
    *,
    workers: int = 1,
    layout: Layout | None = None,
    memory: int = 0,
    limits: ReadingLimits | None = None,
    patience: float | None = None,
) -> dict[str, Counts]:
    """`formats.parse` in another process; returns the counts by delivery.

    `memory` is what the process may use, in bytes (no less than the limits' own), `patience` how many seconds to wait for
    others' files. Raises Stopped, ReaderFailed, Busy, and OSError for a fault of the machine; the sink may have been given
    rows before.
    """
    bounds = limits or READING
    seconds = bounds.seconds + bounds.seconds_a_file * len(sources)
    seconds += sum(source.path.stat().st_size for source in sources) / bounds.bytes_a_second
    order = Order(PARSER, kind, sources, workers, layout, seconds)
    process = _pool.take(max(memory, bounds.memory), patience)
    try:
        counts = process.read(order, sink, seconds)
    finally:
        _pool.give_back(process, bounds)
    return counts


class _Process:
    """A started process: usable until something went wrong."""

    def __init__(self, memory: int, environment: tuple[str | None, ...]) -> None:
        self.key = (memory, environment)
        self.memory, self.used, self.files = memory, 0, 0
        self.sound = False
        self._waited = 0.0
        self._folder = Path(tempfile.mkdtemp(prefix="pcc-reading-"))
        with (self._folder / "errors").open("wb") as errors:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "pcc_pipeline.formats.child", str(memory), str(os.getpid()), str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environment(),
                start_new_session=True,
            )
        try:
            letter, _ = self._frame(_START)
        except Stopped:
            letter = b""
        if letter != READY:
            log.error("The reading process does not start: %s", self._errors())
            self.end()
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self.sound = True

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join(place or str(Path.cwd()) for place in sys.path)
        # Arrow's own pool sets a gigabyte aside; what is counted must be what is used.
        own = {"PYTHONPATH": path, "TMPDIR": str(self._folder), "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "4"}
        return {**os.environ, **own}

    def read(self, order: Order, sink: Sink, seconds: float) -> dict[str, Counts]:
        """What `parse` returns. After any error the process is not sound."""
        self.sound, self._waited = False, 0.0
        self.files += len(order.sources)
        given: dict[bytes, Any] = {ROWS: sink.rows, DEFECTS: sink.defects, NOTES: sink.notes}
        packed = pickle.dumps(order)
        try:
            assert self._child.stdin is not None
            self._child.stdin.write(HEAD.pack(b"O", len(packed)) + packed)
            self._child.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        while True:
            letter, content = self._frame(seconds)
            if letter in given:
                with pa.ipc.open_stream(content) as stream:
                    for batch in stream:
                        given[letter](batch)
            elif letter == DONE:
                told = json.loads(content)
                self.used, self.sound = told["memory"], True
                return {name: Counts(**count) for name, count in told["counts"].items()}
            elif letter == FAILED:
                raise self._failed(json.loads(content))
            else:
                raise Stopped(KILLED.format("risposta illeggibile"))

    def _failed(self, told: dict[str, Any]) -> Exception:
        if told["machine"]:
            return OSError(told["errno"], told["text"])
        if told["memory"]:
            return Stopped(OUT_OF_MEMORY)
        if told["killed"]:
            return Stopped(KILLED.format("un suo processo"))
        log.error("A reader failed: %s", told["trace"])
        self.sound = True
        return ReaderFailed(told["name"], told["text"])

    def _frame(self, seconds: float) -> tuple[bytes, bytes]:
        letter, length = HEAD.unpack(self._bytes(HEAD.size, seconds))
        if length > _LONGEST:
            raise Stopped(KILLED.format("risposta illeggibile"))
        return letter, self._bytes(length, seconds)

    def _bytes(self, wanted: int, seconds: float) -> bytes:
        """So many bytes of its answer. Time counts while it is waited for, not while the sink works."""
        out = self._child.stdout
        assert out is not None
        place, found = out.fileno(), bytearray()
        poll = select.poll()
        poll.register(place, select.POLLIN)
        while len(found) < wanted:
            start = time.monotonic()
            ready = poll.poll(max(0.0, seconds - self._waited) * 1000)
            self._waited += time.monotonic() - start
            if not ready:
                raise Stopped(OUT_OF_TIME)
            if not (piece := os.read(place, min(wanted - len(found), 1 << 20))):
                raise self._died()
            found += piece
        return bytes(found)

    def _died(self) -> Stopped:
        try:
            code = self._child.wait(10)
        except subprocess.TimeoutExpired:
            code = 0
        errors = self._errors()
        log.error("The reading process ended (%s): %s", code, errors)
        if code == -signal.SIGXCPU:
            return Stopped(OUT_OF_TIME)
        if code == -signal.SIGKILL or "memory allocation" in errors or "MemoryError" in errors or "bad_alloc" in errors:
            return Stopped(OUT_OF_MEMORY)  # the kernel's own way to end what takes too much
        return Stopped(KILLED.format(signal.Signals(-code).name if code < 0 else f"codice {code}"))

    def _errors(self) -> str:
        with suppress(OSError):
            return (self._folder / "errors").read_bytes()[-2000:].decode(errors="replace").strip()
        return ""

    def end(self) -> None:
        """Ends it and what it started; its temporary files go."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        streams: tuple[BinaryIO | Any, ...] = (self._child.stdin, self._child.stdout)
        for stream in streams:
            with suppress(OSError):
                stream.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class _Pool:
    """The processes of this one that wait for files, and how many may be at work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(READING.at_once)
        self._idle: list[_Process] = []

    def take(self, memory: int, patience: float | None) -> _Process:
        """A process to read with. Raises Busy, and OSError where none starts."""
        if not self._room.acquire(timeout=patience):
            raise Busy
        try:
            key = (memory, tuple(os.environ.get(name) for name in _ENVIRONMENT))
            with self._lock:
                found = next((process for process in self._idle if process.key == key), None)
                if found is not None:
                    self._idle.remove(found)
            return found or _Process(*key)
        except BaseException:
            self._room.release()
            raise

    def give_back(self, process: _Process, limits: ReadingLimits) -> None:
        """Keeps it for the next file, or ends it: after an error, many files, or where it has kept much memory."""
        try:
            ended = [process]
            with self._lock:
                if process.sound and process.files < limits.files and process.used < process.memory // 4:
                    self._idle.append(process)
                    ended = [self._idle.pop(0)] if len(self._idle) > READING.at_once else []
            for one in ended:
                one.end()
        finally:
            self._room.release()

    def close(self) -> None:
        """Ends all that wait."""
        with self._lock:
            ended, self._idle = self._idle, []
        for process in ended:
            process.end()

    def forget(self) -> None:
        """In a fork: the processes are the parent's."""
        self.__init__()  # type: ignore[misc]


_pool = _Pool()
atexit.register(_pool.close)
os.register_at_fork(after_in_child=_pool.forget)
