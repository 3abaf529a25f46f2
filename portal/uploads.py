"""What is looked at before an uploaded file goes to the inbox: size, quota, kind by content.

Its name and whether its content is what the name says are looked at by `pcc_pipeline.arrival.welcome`. Reading the rows is
the pipeline's work; `preview` reads them here once, so that the sender sees errors at once.
"""

from __future__ import annotations

import errno
import logging
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from pcc_pipeline.arrival import spans
from pcc_pipeline.arrival.landing import PROVIDER_KINDS
from pcc_pipeline.arrival.reading import Busy, Stopped, parse
from pcc_pipeline.arrival.welcome import Unwelcome
from pcc_pipeline.codes import ente_code
from pcc_pipeline.formats import Source
from pcc_pipeline.formats.limits import READING
from pcc_pipeline.formats.reasons import SET_ASIDE
from pcc_pipeline.formats.tabular.layouts.model import Layout
from pcc_pipeline.settings import Settings
from pcc_pipeline.tables import FEEDS

log = logging.getLogger(__name__)

#: Largest file, and what an ente may leave in the inbox unread.
LARGEST = 512 * 2**20
QUOTA = 4 * 2**30
FULL = "Troppi file in attesa di lettura: riprovare più tardi"
#: Read at once, so that the sender sees errors; a larger file is read by the pipeline alone.
READ_AT_ONCE = 32 * 2**20
#: What a larger table is recognised by.
FIRST_PART = 4 * 2**20
#: What reading at once may take, and how many seconds it waits for other readers.
READING_AT_ONCE = replace(READING, memory=2 << 30, seconds=45.0)
PATIENCE = 60.0
#: Defects shown at once.
SHOWN = 50

#: What a sender may say of a file: only news and corrections, or complete for a span.
NEWS, WHOLE = "novita", "completo"

_TEXTS = {".csv", ".txt", ".tsv"}


class Harmful(Unwelcome):
    """A file that harmed the process that read it: nobody tries it again."""


@dataclass
class Preview:
    """What a first reading found: rows that can be read, rows refused, the first defects (line, field, value, reason)."""

    rows: int = 0
    refused: int = 0
    defects: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Candidate:
    """A kind that a file's content fits: rows that can be read as such, and rows refused."""

    kind: str
    rows: int
    refused: int


def folder_of(settings: Settings, ente: str) -> Path:
    """Where an ente's uploads wait or are unfinished. Raises NoEnteCode."""
    return settings.home / "uploads" / ente_code(ente)


def as_said(name: str, completeness: str, first: str, last: str) -> str:
    """The name for the inbox that bears what its sender says of a file: news only, or complete between two days (either
    may be empty). Raises Unwelcome for days that are none."""
    if completeness != WHOLE:
        return name
    try:
        return spans.marked(name, spans.parse_span(f"{first}..{last}"))
    except ValueError:
        raise Unwelcome("Le date «dal» e «al» non sono un periodo") from None


def for_kind(path: Path, kind: str) -> Path:
    """The file under the name for a kind: one that has no spans says none. Returns where it is."""
    if kind in spans.DAY_OF:
        return path
    plain, _ = spans.told(next(iter(spans.DAY_OF)), path.name)
    return path.rename(path.with_name(plain)) if plain != path.name else path


def room(settings: Settings, ente: str) -> int:
    """Bytes that an ente may still send before the files it left unread fill its QUOTA: those in the inbox, and uploads
    that wait or are unfinished. A file that goes away meanwhile counts nothing."""
    used = 0
    for folder in (settings.inbox / ente_code(ente), folder_of(settings, ente)):
        for path in folder.rglob("*"):
            with suppress(FileNotFoundError):
                used += path.stat().st_size if path.is_file() else 0
    return QUOTA - used


def receive(stream: IO[bytes], target: Path, room: int) -> int:
    """Writes an upload to `target`; returns its size in bytes. Raises Unwelcome when it is empty, too large, or above
    the ente's `room` (see there), in bytes: then nothing is left behind."""
    limit = min(LARGEST, room)
    size = 0
    try:
        with target.open("wb") as file:
            while chunk := stream.read(1 << 20):
                size += len(chunk)
                if size > limit:
                    raise Unwelcome("Il file supera 512 MB" if limit == LARGEST else FULL)
                file.write(chunk)
        if not size:
            raise Unwelcome("Il file è vuoto")
    except BaseException:  # also of a disk that is full
        target.unlink(missing_ok=True)
        raise
    return size


def no_room(error: OSError) -> str:
    """What people read where the machine has no room or may not be written; raises any other error."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        raise error
    log.error("No room for uploads: %s", error)
    return "Sul server non c'è spazio: riprovare più tardi, o avvisare chi lo gestisce"


def kinds() -> tuple[str, ...]:
    """Kinds that an ente may deliver."""
    return tuple(kind for kind in FEEDS if kind not in PROVIDER_KINDS)


def candidates(path: Path, layout: Layout | None = None) -> list[Candidate]:
    """Kinds that the content fits, best first, by how many rows each reads; none for an archive. Of a large table only
    the first part is read. `layout` is that of the ente's accounting system. Raises Harmful as `preview` does."""
    with tempfile.TemporaryDirectory(prefix="pcc-first-") as folder:
        first = _first_part(path, Path(folder))
        found = []
        for kind in kinds():
            try:
                seen = preview(first, kind, layout)
            except Harmful:
                raise
            except Unwelcome:
                continue
            found += [Candidate(kind, seen.rows, seen.refused)] if seen.rows else []
    return sorted(found, key=lambda candidate: (candidate.rows, -candidate.refused), reverse=True)


def _first_part(path: Path, folder: Path) -> Path:
    """The file itself where it is read at once, or is no text; else the whole lines of its beginning, as a file."""
    if path.stat().st_size <= READ_AT_ONCE or path.suffix.lower() not in _TEXTS:
        return path
    with path.open("rb") as file:
        head = file.read(FIRST_PART)
    part = folder / path.name
    part.write_bytes(head[: head.rfind(b"\n") + 1] or head)
    return part


def preview(path: Path, kind: str, layout: Layout | None = None) -> Preview:
    """Reads a file as the pipeline will, and keeps nothing. A file above READ_AT_ONCE is not read: an empty preview.

    It is read in another process, as there. Raises Unwelcome where the reader itself fails on the file, Harmful where
    that process died of it or took more than READING_AT_ONCE.
    """
    found = Preview()
    if path.stat().st_size > READ_AT_ONCE or path.suffix.lower() == ".zip":
        return found

    class _Seen:
        def rows(self, batch: pa.RecordBatch) -> None:
            found.rows += batch.num_rows

        def defects(self, batch: pa.RecordBatch) -> None:
            wanted = batch.slice(0, max(0, SHOWN - len(found.defects)))
            found.defects += wanted.select(["line", "field", "value", "reason"]).to_pylist()

        def notes(self, batch: pa.RecordBatch) -> None:
            """Notes cost no row: not shown before delivery."""

    try:
        source = Source("preview", kind, "preview", path.name, path)
        counts = parse(kind, [source], _Seen(), layout=layout, limits=READING_AT_ONCE, patience=PATIENCE)
    except Stopped as error:
        raise Harmful(f"Il file non si può leggere: {error}".removesuffix(f": {SET_ASIDE}")) from None
    except Busy:
        raise Unwelcome("Il servizio sta leggendo altri file: riprovare tra qualche minuto") from None
    except Exception:  # a fault of the reader: the sender is told of the file, the log of the fault
        log.exception("Reading %s as %s failed", path.name, kind)
        raise Unwelcome("Il file non si riesce a leggere: verificare che sia del tipo indicato") from None
    found.refused = sum(count.refused for count in counts.values())
    return found


def clear(folder: Path) -> None:
    """Removes a folder of uploads that are done."""
    shutil.rmtree(folder, ignore_errors=True)
