"""Raw rows kept aside until their whole file has been seen: in memory while few, then in a temporary file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from pcc_pipeline.formats.rows import Raw

_IN_MEMORY = 64 << 20
_LINE = "line"


def _packed(raw: Raw) -> pa.RecordBatch:
    """The raw rows (without flaws, already reported) as one batch; a field's name says whose cells it has."""
    fields: dict[str, pa.Array] = {_LINE: raw.lines}
    for part, arrays in (
        ("texts", raw.texts),
        ("native", raw.native),
        ("wrong", raw.wrong),
        ("settled", raw.settled),
        ("others", {str(place): cells for place, cells in enumerate(raw.others)}),
    ):
        fields |= {json.dumps([part, name]): array for name, array in arrays.items()}
    return pa.RecordBatch.from_pydict(fields)


def _unpacked(batch: pa.RecordBatch) -> Raw:
    raw = Raw(batch.column(0), {})
    for name, array in zip(batch.schema.names[1:], batch.columns[1:], strict=True):
        part, column = json.loads(name)
        if part == "others":
            raw.others.append(array)
        else:
            getattr(raw, part)[column] = array
    return raw


class Spool:
    """A queue of raw rows, emptied once. `folder` takes one file for each batch beyond the first 64 MB."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[pa.RecordBatch | Path] = []
        self._bytes = 0

    def put(self, raw: Raw) -> None:
        """Keeps the rows aside."""
        batch = _packed(raw)
        if self._bytes + batch.nbytes <= _IN_MEMORY:
            self._bytes += batch.nbytes
            self._held.append(batch)
            return
        path = self._folder / f"{len(self._held)}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
        self._held.append(path)

    def take(self) -> Iterator[Raw]:
        """The rows in the order they came; what was taken is gone."""
        self._held.reverse()
        while self._held:
            held = self._held.pop()
            if isinstance(held, Path):
                with pa.memory_map(str(held)) as file:
                    held_batch = pa.ipc.open_file(file).get_batch(0)
                held.unlink()  # the mapping outlives the name
                yield _unpacked(held_batch)
            else:
                yield _unpacked(held)
