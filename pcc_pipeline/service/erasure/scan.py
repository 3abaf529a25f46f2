"""Looks everywhere whether anything of an ente is left: rows, file names, file contents, the database's own files.

Compressed files are opened: Parquet of the provider and of no ente in particular, archives and workbooks. What is
found is told by place, never by content.
"""

from __future__ import annotations

import mmap
import zipfile
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pcc_pipeline.arrival.archive import DAMAGE
from pcc_pipeline.database import dagster_storage
from pcc_pipeline.formats.limits import ARCHIVE
from pcc_pipeline.formats.tabular.encoding import ZIP
from pcc_pipeline.installation import Installation
from pcc_pipeline.service.erasure import databases
from pcc_pipeline.service.erasure.files import bears, files
from pcc_pipeline.service.erasure.traces import Traces

#: In the server's own files a shorter code would be found by chance, in its catalogues say.
SHORTEST_IN_DATABASE = 5
#: Bytes of an archive's member looked at together, and how many of them are looked at again with the next ones.
PIECE, OVERLAP = 1 << 20, 1 << 12


def traces_left(installation: Installation, traces: Traces) -> list[str]:
    """Every place where the ente is still named; empty when it is gone."""
    left = []
    with databases.databases(installation.settings) as known:
        for engine, schema, whose in known:
            left += databases.found(engine, schema, traces)
            if whose == "dagster":
                kept = dagster_storage.definitions(engine, schema)
                left += [f"{schema}.snapshots" for text in kept if traces.bytes_pattern.search(text)]
    for path in files(installation):
        shown = path.relative_to(path.anchor).parent.name
        if traces.pattern.search(path.name):
            left.append(f"a file's name under {shown}")
        if _holds(path, traces):
            left.append(f"a file under {shown} ({path.suffix or 'no suffix'})")
    for name in installation.store.list():
        if bears(name, traces):
            left.append(f"store: a file under {name.split('/', 1)[0]}")
        elif name.split("/")[1:2] == ["_provider"] or not name.startswith(("landing/", "staging/", "quarantine/", "models/")):
            with installation.store.local_path(name) as path:
                if not name.startswith("receipts/") and _holds(path, traces):
                    left.append(f"store: {name.split('/', 1)[0]}, a file of the provider")
    if installation.settings.database_url is None:
        left += _server_files(installation.settings.home / "postgres", traces)
    return left


def _holds(path: Path, traces: Traces) -> bool:
    if path.suffix == ".parquet":
        return _parquet(path, traces)
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if traces.bytes_pattern.search(data):
            return True
        packed = data[: len(ZIP)] == ZIP
    return packed and _packed(path, traces)


def _packed(path: Path, traces: Traces) -> bool:
    """Whether a member or its name holds a trace. What cannot be unpacked, or swells beyond all bounds, holds none."""
    try:
        with zipfile.ZipFile(path) as archive:
            if any(traces.pattern.search(name) for name in archive.namelist()):
                return True
            return any(_member_holds(archive, entry, traces) for entry in archive.infolist())
    except DAMAGE:
        return False


def _member_holds(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, traces: Traces) -> bool:
    """Looks through a member a piece at a time; pieces overlap, so that no word is cut in two."""
    if entry.file_size > max(ARCHIVE.free, entry.compress_size * ARCHIVE.ratio):
        return False  # made to exhaust the machine: landing refuses it as well
    before = b""
    try:
        with archive.open(entry) as source:
            while piece := source.read(PIECE):
                if traces.bytes_pattern.search(before + piece):
                    return True
                before = piece[-OVERLAP:]
    except DAMAGE:
        return False  # the other members may still be whole
    return False


def _parquet(path: Path, traces: Traces) -> bool:
    for batch in pq.ParquetFile(path).iter_batches(100_000):
        for column in batch.columns:
            if str(column.type) == "string":
                for text in pc.unique(column).to_pylist():
                    if text and traces.pattern.search(text):
                        return True
    return False


def _server_files(folder: Path, traces: Traces) -> list[str]:
    words = [word for word in traces.words if word != traces.ente or len(word) >= SHORTEST_IN_DATABASE]
    if not words:
        return []
    if traces.ente not in words:
        traces = Traces(words[0], words[1:])
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file() and path.stat().st_size and _holds(path, traces):
                found.append(f"database server: a file under {path.relative_to(folder).parts[0]}")
        except (FileNotFoundError, ValueError, PermissionError):
            continue
    return found
