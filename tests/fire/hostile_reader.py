"""A format whose reader does harm, in place of `pcc_pipeline.formats`: what it does stands in the file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from pcc_pipeline.formats import Counts, Sink, Source
from pcc_pipeline.formats import parse as harmless


def parse(kind: str, sources: Sequence[Source], sink: Sink, **more: Any) -> dict[str, Counts]:
    """Does the harm that a file asks for; reads the others as they are."""
    for source in sources:
        said = source.path.read_bytes()[:20]
        if said.startswith(b"ABORT"):
            os.abort()
        if said.startswith(b"LOOP"):
            subprocess.Popen(["sleep", "300"])
            while True:
                time.sleep(0.01)
        if said.startswith(b"EAT"):
            eaten = []
            while True:
                eaten.append(bytearray(64 << 20))
        if said.startswith(b"LEAVE"):
            sys.stdout.write("noise among the answers")
            sys.exit(3)
        if said.startswith(b"RAISE"):
            raise ValueError("a fault of the reader")
        if said.startswith(b"DISK"):
            raise OSError(28, "No space left on device")
        if said.startswith(b"LIE"):
            os.write(1, b"Z" * 100)
            os._exit(0)
    return harmless(kind, sources, sink, **more)
