"""The files that are the truth: delivered bytes and Parquet, on a local folder or any fsspec store.

Nothing is changed in place: a file appears whole under its name or not at all. What the files mean is not
known here; what was delivered when is in the register (`database.register`).

    landing/<ente>/<sha[:2]>/<sha256>            delivered bytes, by content
    staging/<ente>/<kind>/<part>.parquet         typed rows
    quarantine/<ente>/<kind>/<part>.parquet      refused rows
    notes/<ente>/<kind>/<part>.parquet           what was seen beside
    models/<ente>/<model>.parquet                what the SQL models made
    receipts/<receipt>.json                      what remains of an ente that was erased
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

import fsspec
from fsspec.implementations.local import LocalFileSystem

if TYPE_CHECKING:
    import duckdb

fsspec.register_implementation("s3", "pcc_pipeline.s3.SharedS3", clobber=True)

log = logging.getLogger("pcc.store")

CHUNK = 1 << 20
#: Files that are brought to disk at a time.
FLUSHED_AT_ONCE = 16
_TEMPORARY = ".tmp-"
RECEIPTS = "receipts"


@dataclass(frozen=True)
class Stored:
    """Bytes kept by content: their sha-256 (hex), size in bytes, and whether they were already there."""

    sha256: str
    size: int
    known: bool


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """So many bytes at most; none at the end."""
        ...


class TooLarge(ValueError):
    """A stream went on beyond the size it was allowed."""


class Store:
    """Files under one root URL. Relative names use `/` and never begin with it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.fs, root = fsspec.core.url_to_fs(url)
        self.local = isinstance(self.fs, LocalFileSystem)
        self.root = root.rstrip("/")
        self._folders: set[str] = set()

    def uri(self, rel: str = "") -> str:
        """The name by which DuckDB and pyarrow open `rel`: a plain path locally, else a URL."""
        path = self._path(rel)
        return path if self.local else self.fs.unstrip_protocol(path)

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Lets a DuckDB connection read and write `uri`s; nothing to do for a local folder."""
        if not self.local:
            connection.register_filesystem(self.fs)

    def exists(self, rel: str) -> bool:
        """Whether `rel` is there, as a file or a folder."""
        return bool(self.fs.exists(self._path(rel)))

    def size(self, rel: str) -> int:
        """Bytes of `rel`. Raises FileNotFoundError."""
        return int(self.fs.size(self._path(rel)))

    def open(self, rel: str) -> IO[bytes]:
        """`rel` open for reading, binary. Raises FileNotFoundError."""
        return self.fs.open(self._path(rel), "rb")

    @contextmanager
    def local_path(self, rel: str) -> Iterator[Path]:
        """A path on this machine with the bytes of `rel`: itself when local, else a passing copy."""
        if self.local:
            yield Path(self._path(rel))
            return
        import tempfile

        with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
            target = Path(folder) / Path(rel).name
            self.fs.get_file(self._path(rel), str(target))
            yield target

    def list(self, rel: str = "") -> list[str]:
        """Relative names of all files under the folder `rel`, sorted; empty when there is none."""
        try:
            found = self.fs.find(self._path(rel))
        except FileNotFoundError:
            return []
        start = len(self.root) + 1
        return sorted(path[start:] for path in found if _TEMPORARY not in path.rsplit("/", 1)[-1])

    def delete(self, rel: str) -> None:
        """Removes the file or folder `rel`; nothing happens when it is not there."""
        if not rel.strip("/"):
            raise ValueError("Deleting the whole store takes naming its parts")
        self._folders.clear()
        with suppress(FileNotFoundError):
            self.fs.rm(self._path(rel), recursive=True)

    @contextmanager
    def write(self, rel: str) -> Iterator[str]:
        """Gives the uri of a temporary file; what is written there becomes `rel` at once, error aside.

        With an error, or when nothing was written, `rel` stays as it was.
        """
        target = self._path(rel)
        temporary = f"{target}{_TEMPORARY}{uuid.uuid4().hex}"
        self._folder(target)
        try:
            yield temporary if self.local else self.fs.unstrip_protocol(temporary)
            self._rename(temporary, target)
        except BaseException:
            with suppress(FileNotFoundError):
                self.fs.rm_file(temporary)
            raise

    def write_bytes(self, rel: str, data: bytes) -> None:
        """Makes `data` the content of `rel`, at once."""
        with self.write(rel) as uri, self.fs.open(uri, "wb") as out:
            out.write(data)

    def landing(self, ente: str, sha256: str) -> str:
        """The relative name of delivered bytes."""
        return f"landing/{ente}/{sha256[:2]}/{sha256}"

    def put_bytes(self, ente: str, data: bytes, *, settled: bool = True) -> Stored:
        """Keeps `data` under its content; kept bytes are never written twice.

        With `settled` they are on disk before they get their name; without, the caller has many `settle` together before
        anything refers to them.
        """
        digest = hashlib.sha256(data).hexdigest()
        rel = self.landing(ente, digest)
        known = self._is_whole(rel, digest, len(data))
        if not known:
            with self._temporary(ente) as temporary:
                with self.fs.open(temporary, "wb") as out:
                    out.write(data)
                    if settled:
                        self._flush(out)
                self._folder(self._path(rel))
                self._rename(temporary, self._path(rel))
        return Stored(digest, len(data), known)

    def put_file(self, ente: str, path: Path) -> Stored:
        """Keeps the bytes of a local file under their content, streaming. Raises OSError as opening does."""
        with path.open("rb") as source:
            return self.put_stream(ente, source)

    def put_stream(self, ente: str, source: Readable, limit: int | None = None, *, settled: bool = True) -> Stored:
        """Keeps what `source` gives under its content, a chunk at a time in memory; `settled` as for `put_bytes`.

        Raises TooLarge, keeping nothing, when more than `limit` bytes come.
        """
        first = source.read(CHUNK)
        if limit is not None and len(first) > limit:
            raise TooLarge(f"more than {limit} bytes")
        if len(first) < CHUNK:
            rest = source.read(CHUNK)  # a reader may give less than asked before its end
            if not rest:
                return self.put_bytes(ente, first, settled=settled)
            first += rest
        digest = hashlib.sha256()
        size = 0
        with self._temporary(ente) as temporary:
            with self.fs.open(temporary, "wb") as out:
                chunk = first
                while chunk:
                    size += len(chunk)
                    if limit is not None and size > limit:
                        raise TooLarge(f"more than {limit} bytes")
                    digest.update(chunk)
                    out.write(chunk)
                    chunk = source.read(CHUNK)
                if settled:
                    self._flush(out)
            rel = self.landing(ente, digest.hexdigest())
            known = self._is_whole(rel, digest.hexdigest(), size)
            if known:
                self.fs.rm_file(temporary)
            else:
                self._folder(self._path(rel))
                self._rename(temporary, self._path(rel))
        return Stored(digest.hexdigest(), size, known)

    @contextmanager
    def _temporary(self, ente: str) -> Iterator[str]:
        """A path for bytes that are coming in, of which the content, and so the name, may not be known yet."""
        temporary = self._path(f"landing/{ente}/{_TEMPORARY}{uuid.uuid4().hex}")
        self._folder(temporary)
        try:
            yield temporary
        except BaseException:
            with suppress(FileNotFoundError):
                self.fs.rm_file(temporary)
            raise

    def clear(self, rel: str, seconds: float, *, below: bool = True) -> int:
        """Removes what killed processes were writing under the folder `rel` (not in folders below it, unless `below`) and
        nobody has written to for so many seconds; returns how many files."""
        depth = None if below else 1
        removed = 0
        for path, about in self.fs.find(self._path(rel), maxdepth=depth, detail=True).items():
            if _TEMPORARY in path.rsplit("/", 1)[-1] and time.time() - _written(about) >= seconds:
                with suppress(FileNotFoundError):
                    self.fs.rm_file(path)
                    removed += 1
        return removed

    def age(self, rel: str) -> float:
        """Seconds since `rel` was written; none where the store does not tell. Raises FileNotFoundError."""
        return time.time() - _written(self.fs.info(self._path(rel)))

    def _is_whole(self, rel: str, sha256: str, size: int) -> bool:
        """Whether kept bytes are those that their name says. Wrong ones (a crash, a bad disk) are logged, to be kept anew."""
        if not self.exists(rel):
            return False
        if self.fs.size(self._path(rel)) == size:
            with self.open(rel) as kept:
                if hashlib.file_digest(kept, "sha256").hexdigest() == sha256:  # type: ignore[arg-type]
                    return True
        log.error("%s: the kept bytes are not those that were delivered; replaced by the copy that came again", rel)
        return False

    def settle(self, names: Iterable[str]) -> None:
        """Has the files `names` on disk, before a database commit refers to them or their source is removed.

        Files that were there before count too: whoever wrote them may not have come this far. A store elsewhere has what it
        took once it says so.
        """
        if not self.local:
            return
        root = Path(self.root)
        files = {self._path(name) for name in names}
        # A folder may be as new as the file: its own name is in the folder above.
        parents = {Path(file).parent for file in files}
        folders = {folder for parent in parents for folder in (parent, *parent.parents) if folder.is_relative_to(root)}
        with ThreadPoolExecutor(FLUSHED_AT_ONCE) as pool:  # the disk does together what waits for it together
            list(pool.map(_on_disk, files))
            list(pool.map(_on_disk, sorted(folders, reverse=True)))

    def _flush(self, out: IO[bytes]) -> None:
        """Has the bytes written to `out` on disk before they get their name: what bears it is then whole after a crash too."""
        if self.local:
            out.flush()
            os.fsync(out.fileno())

    def _path(self, rel: str) -> str:
        parts = rel.split("/")
        if rel.startswith("/") or ".." in parts:
            raise ValueError(f"Not a name inside the store: {rel!r}")
        return f"{self.root}/{rel}" if rel else self.root

    def _folder(self, path: str) -> None:
        if not self.local:
            return  # there are none: each would be asked for
        parent = path.rsplit("/", 1)[0]
        if parent not in self._folders:
            self.fs.makedirs(parent, exist_ok=True)
            self._folders.add(parent)

    def _rename(self, source: str, target: str) -> None:
        if self.local:
            Path(source).replace(target)
        else:
            # `mv` would look for both as folders first.
            self.fs.cp_file(source, target)
            self.fs.rm_file(source)

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"url": self.url}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["url"])  # type: ignore[misc]


def _on_disk(path: str | Path) -> None:
    """Has a file, or the names in a folder, on disk."""
    place = os.open(path, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _written(about: dict[str, Any]) -> float:
    """When a file was written, seconds since 1970, by what its store says of it; now where it does not say."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        if (moment := about.get(name)) is not None:
            return float(moment.timestamp() if hasattr(moment, "timestamp") else moment)
    return time.time()
