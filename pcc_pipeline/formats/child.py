"""The process that reads foreign bytes: `python -m pcc_pipeline.formats.child`, started by `pcc_pipeline.arrival.reading`.

It takes one order after the other on its standard input (pickled: its parent's word) and answers on its standard output
in frames: a letter, a length, content. Rows, defects and notes are Arrow streams, the rest JSON: the parent runs nothing
that comes from here.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import resource
import shutil
import signal
import struct
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from pcc_pipeline.formats.source import Source
from pcc_pipeline.formats.tabular.layouts.model import Layout

#: Letter and length of a frame.
HEAD = struct.Struct(">cQ")
READY, ROWS, DEFECTS, NOTES, DONE, FAILED = b"H", b"R", b"D", b"N", b"C", b"F"


@dataclass(frozen=True)
class Order:
    """What to read: a module with a function `parse`, and what that is given; `seconds` of processor time at most."""

    module: str
    kind: str
    sources: Sequence[Source]
    workers: int
    layout: Layout | None
    seconds: float


class _Frames:
    """A Sink that writes frames."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def rows(self, batch: pa.RecordBatch) -> None:
        """Gives accepted rows."""
        self._batch(ROWS, batch)

    def defects(self, batch: pa.RecordBatch) -> None:
        """Gives defects."""
        self._batch(DEFECTS, batch)

    def notes(self, batch: pa.RecordBatch) -> None:
        """Gives notes."""
        self._batch(NOTES, batch)

    def _batch(self, letter: bytes, batch: pa.RecordBatch) -> None:
        target = pa.BufferOutputStream()
        with pa.ipc.new_stream(target, batch.schema) as writer:
            writer.write_batch(batch)
        self.give(letter, target.getvalue())

    def give(self, letter: bytes, content: object) -> None:
        """Writes a frame; what is no buffer is written as JSON."""
        data = content if isinstance(content, pa.Buffer) else json.dumps(content).encode()
        self._out.write(HEAD.pack(letter, len(data)))
        self._out.write(memoryview(data))
        self._out.flush()


def _limit(memory: int) -> None:
    """Bounds this process and those it starts; the system ends it first of all when memory is short."""
    for name, value in (("RLIMIT_DATA", memory), ("RLIMIT_CORE", 0)):
        with suppress(AttributeError, OSError, ValueError):  # not every system has each
            resource.setrlimit(getattr(resource, name), (value, value))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _end_with(parent: int, folder: str) -> None:
    """Ends the whole group once the parent is gone, the folder of its temporary files first."""
    while os.getppid() == parent:
        time.sleep(1)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _obey(order: Order, frames: _Frames) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = used.ru_utime + used.ru_stime
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    # The last net, should the parent not be there to look at the clock.
    resource.setrlimit(resource.RLIMIT_CPU, (int(spent + order.seconds * (os.cpu_count() or 1)) + 60, hard))
    try:
        parse = importlib.import_module(order.module).parse
        counts = parse(order.kind, order.sources, frames, workers=order.workers, layout=order.layout)
    except Exception as error:
        frames.give(FAILED, _told(error))
        return
    pa.default_memory_pool().release_unused()
    frames.give(DONE, {"counts": {name: asdict(count) for name, count in counts.items()}, "memory": _resident()})


def _told(error: Exception) -> dict[str, object]:
    memory = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == 12)
    return {
        "name": type(error).__name__,
        "text": str(error)[:1000],
        "errno": error.errno if isinstance(error, OSError) else None,
        "machine": isinstance(error, OSError) and not memory,
        "memory": memory,
        "killed": isinstance(error, BrokenProcessPool),
        "trace": traceback.format_exc()[-8000:],
    }


def _resident() -> int:
    """Bytes of memory in use; 0 where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def main(memory: int, parent: int, folder: str) -> None:
    """Reads until its orders end; what readers print goes to the error output. `folder` is its own and goes with it."""
    out = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)
    _limit(memory)
    threading.Thread(target=_end_with, args=(parent, folder), daemon=True).start()
    for name in ("formats", "formats.tabular.parse", "formats.fatturapa.parse", "formats.opi", "formats.sdi_messages",
                 "formats.pcc.feeds", "formats.pcc.answer"):  # fmt: skip
        importlib.import_module(f"pcc_pipeline.{name}")
    frames = _Frames(out)
    frames.give(READY, {"pid": os.getpid()})
    orders = sys.stdin.buffer
    while len(head := orders.read(HEAD.size)) == HEAD.size:
        _obey(pickle.loads(orders.read(HEAD.unpack(head)[1])), frames)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
