"""Files attached to tickets: looked at like deliveries, then kept in the store among the ente's own bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from pcc_pipeline.arrival.welcome import ATTACHED, Unwelcome, check_content, safe_name
from pcc_pipeline.store import Store
from pcc_pipeline.support.tickets import Attachment

#: Bytes of one message's attachments together, and how many there may be.
TOGETHER, MOST = 20 << 20, 10


def keep(store: Store, ente: str, files: Iterable[tuple[str, IO[bytes]]]) -> list[Attachment]:
    """Keeps the files of a message (name and content), all or none; returns what stands for them. Raises Unwelcome."""
    given, room = list(files), TOGETHER
    if len(given) > MOST:
        raise Unwelcome(f"Gli allegati sono più di {MOST}")
    kept = []
    with tempfile.TemporaryDirectory(prefix="pcc-attached-") as folder:
        looked_at = []
        for number, (name, content) in enumerate(given):
            path = Path(folder) / str(number) / safe_name(name, ATTACHED)
            data = content.read(room + 1)
            if not data:
                raise Unwelcome(f"{path.name}: il file è vuoto")
            if len(data) > room:
                raise Unwelcome(f"Gli allegati superano insieme {TOGETHER >> 20} MB")
            room -= len(data)
            path.parent.mkdir()
            path.write_bytes(data)
            check_content(path)
            looked_at.append(path)
        for path in looked_at:
            stored = store.put_file(ente, path)
            kept.append(Attachment(path.name, stored.sha256, stored.size))
    return kept


def content(store: Store, ente: str, sha256: str) -> bytes:
    """The bytes of an attachment. Raises FileNotFoundError."""
    with store.open(store.landing(ente, sha256)) as file:
        return file.read()
