"""From an inbox to the store and the register: each file's bytes kept once, registered once, not yet read.

Order makes it safe against a crash at any point and against two processes on one inbox: the bytes are kept
first (by content, so twice is once), then registered in one transaction an ente, and only then may the
inbox file go. What the files say is not looked at here: see `staging`. What has no place (an unknown kind, a
folder that is no ente's) is kept and registered all the same, as refused, so that its owner can see it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from pcc_pipeline.arrival import archive, spans
from pcc_pipeline.arrival.draining import TOO_LARGE, InboxFile, bring_back, take_away
from pcc_pipeline.codes import ENTE, PROVIDER
from pcc_pipeline.database.register import NOT_KEPT, Arrived, Delivery, Seen
from pcc_pipeline.formats import reasons
from pcc_pipeline.installation import Installation
from pcc_pipeline.store import Store, TooLarge
from pcc_pipeline.tables import FEEDS

log = logging.getLogger("pcc.landing")

#: Kinds that a provider-wide folder may hold; all but the first may also come from an ente.
PROVIDER_KINDS = ("enti", "tickets", "ratings", "probes")

#: Kinds that an ente's own folder may not hold, and where they belong.
PROVIDER_ONLY = ("enti",)
MISPLACED = "{kind} è l'anagrafica del fornitore del servizio: va in " + PROVIDER + "/{kind}, qui non si legge"


def unknown_kind(known: Iterable[str]) -> str:
    """The reason for a kind that is not read in that place, where these are."""
    return f"tipo di consegna sconosciuto; qui si leggono: {', '.join(known)}"


#: The kind of what lies in no folder of a kind.
UNKNOWN = "unknown"
#: Names from the inbox to a file, at most, for it to be looked at.
DEEPEST = 8


@dataclass(frozen=True)
class Refusal:
    """Something in an inbox that was not landed, or landed only to be kept, and why."""

    path: str
    reason: str
    ente: str | None = None
    kind: str | None = None


@dataclass
class LandingReport:
    """What one scan found.

    `new` deliveries (a refused archive among them, with its reason), `duplicates` (ente, kind, file name)
    known before, `refused` with reasons, `notes` on what was left alone.
    """

    new: list[Delivery] = field(default_factory=list)
    duplicates: list[tuple[str, str, str]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """A folder of an ente's files of one kind; with a `reason`, files that are kept but not read."""

    kind: str
    folder: Path
    reason: str | None = None
    only: tuple[str, ...] | None = None  # these files of the folder alone
    depth: int = 3  # names from the inbox to its files, both counted

    def shown(self, path: Path) -> str:
        """The file's name as registered: with its folders where these are what is wrong."""
        return _text(path.name if self.reason is None else "/".join(path.parts[-self.depth :]))


def land(installation: Installation, inbox: Path | None = None, ente: str | None = None, drain: bool = False) -> LandingReport:
    """Lands what lies in `inbox` (default: the installation's), of all enti or of one; returns what was found.

    With `drain` a file is removed once registered; without, it is remembered and not read again unless it
    changes. A file that changes while it is read is left for the next scan; one larger than the settings allow is
    registered as refused and moved aside, its bytes untouched.
    """
    report = LandingReport()
    root = inbox or installation.settings.inbox
    for name, folders in _folders(root, ente, report):
        if drain:
            for folder in {place.folder for place in folders}:
                bring_back(folder)
        _land_ente(installation, name, folders, drain, report)
    return report


def waiting(inbox: Path, seen: dict[str, tuple[int, int]] | None = None) -> dict[str, list[tuple[Path, int, int]]]:
    """Files that `land` would look at, by ente: (path, size in bytes, mtime in nanoseconds); opens none.

    `seen` (`Register.arrivals`) leaves out what an undrained inbox still holds.
    """
    found: dict[str, list[tuple[Path, int, int]]] = {}
    for name, folders in _folders(inbox, None, None):
        files = []
        for place in folders:
            for entry in _files(place, None):
                stat = _stat(entry)
                if stat is not None and (seen or {}).get(_text(entry.path)) != (
                    stat.st_size,
                    stat.st_mtime_ns,
                ):
                    files.append((Path(entry.path), stat.st_size, stat.st_mtime_ns))
        if files:
            found[name] = files
    return found


def _folders(inbox: Path, only: str | None, report: LandingReport | None) -> Iterator[tuple[str, list[_Place]]]:
    """Each ente's places, sorted; what lies elsewhere in the inbox is the provider's, to be refused."""
    misplaced: list[_Place] = []
    found: dict[str, list[_Place]] = {}
    for entry in _entries(inbox):
        path = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False):
            misplaced.append(_Place(UNKNOWN, inbox, "non è in una cartella <ente>/<tipo>", (entry.name,), 1))
        elif ENTE.fullmatch(entry.name) or entry.name == PROVIDER:
            if only is None or entry.name == only:
                found[entry.name] = list(_kinds(entry))
        else:
            reason = "la cartella non è il codice di un ente: da 2 a 32 caratteri tra a-z, 0-9 e _"
            misplaced.append(_Place(UNKNOWN, path, reason, _names(path), 2))
            inner = [Path(kind.path) for kind in _entries(path) if kind.is_dir(follow_symlinks=False)]
            misplaced += [_Place(UNKNOWN, folder, reason, _names(folder)) for folder in inner]
    if misplaced and only in (None, PROVIDER):
        found[PROVIDER] = [*found.get(PROVIDER, []), *misplaced]
    yield from sorted(found.items())


def _names(folder: Path) -> tuple[str, ...]:
    return tuple(entry.name for entry in _entries(folder) if entry.is_file(follow_symlinks=False))


def _kinds(ente: os.DirEntry[str]) -> Iterator[_Place]:
    known = PROVIDER_KINDS if ente.name == PROVIDER else tuple(FEEDS)
    for entry in _entries(Path(ente.path)):
        if not entry.is_dir(follow_symlinks=False):
            yield _Place(UNKNOWN, Path(ente.path), "non è in una cartella con il nome del suo tipo", (entry.name,), 2)
            continue
        kind, reason = entry.name, None
        if kind not in known:
            kind, reason = _text(kind)[:100], unknown_kind(known)
        elif ente.name != PROVIDER and kind in PROVIDER_ONLY:
            reason = MISPLACED.format(kind=kind)
        yield _Place(kind, Path(entry.path), reason)
        yield from _below(Path(entry.path), kind, 4)


def _below(folder: Path, kind: str, depth: int) -> Iterator[_Place]:
    """What lies in folders inside a kind's folder: kept with its reason, since nobody can tell what it was meant for."""
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False) and depth <= DEEPEST:
            yield _Place(kind, Path(entry.path), "è in una sottocartella: i file si consegnano in <ente>/<tipo>", None, depth)
            yield from _below(Path(entry.path), kind, depth + 1)


def _files(place: _Place, report: LandingReport | None) -> Iterator[os.DirEntry[str]]:
    for entry in _entries(place.folder):
        if place.only is not None and entry.name not in place.only:
            continue
        if entry.is_file(follow_symlinks=False):
            yield entry
        elif not entry.is_dir(follow_symlinks=False) or place.depth >= DEEPEST:
            reason = "è un collegamento, o una cartella troppo interna: non un file"
            _refuse(report, entry.path, reason, place.folder.parent.name, place.kind)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds, sorted; hidden and unfinished (.part) names left out."""
    try:
        with os.scandir(folder) as entries:
            seen = [entry for entry in entries if entry.name[0] != "." and not entry.name.endswith(".part")]
    except FileNotFoundError:
        return []
    except OSError as error:  # one folder's fault stops nobody else
        log.warning("%s: left alone, it cannot be read (%s)", folder, error.strerror)
        return []
    return sorted(seen, key=lambda entry: entry.name)


def _land_ente(
    installation: Installation,
    ente: str,
    places: list[_Place],
    drain: bool,
    report: LandingReport,
) -> None:
    files = [(place, entry) for place in places for entry in _files(place, report)]
    if not files:
        return
    store = installation.store
    seen = {} if drain else installation.register.arrivals(ente)
    arrived: list[Arrived] = []
    done: list[InboxFile] = []
    for place, entry in files:
        stat = _stat(entry)
        if stat is None or seen.get(_text(entry.path)) == (stat.st_size, stat.st_mtime_ns):
            continue  # another process took it, or it was read before
        try:
            landed = _land_file(store, ente, place, Path(entry.path), installation.settings.max_file_bytes)
        except _Unread as error:
            if not isinstance(error.why, FileNotFoundError):
                _refuse(report, entry.path, reasons.unreadable(error.why), ente, place.kind)
            continue
        if landed is None:
            report.notes.append(f"{_text(entry.path)}: ancora in scrittura, lasciato alla prossima lettura")
            continue
        file, items = landed
        arrived += items
        done.append(file)
        report.refused += [Refusal(_text(entry.path), i.reason, ente, place.kind) for i in items if i.reason]
    if not done:
        return
    store.settle(store.landing(ente, item.sha256) for item in arrived if not item.sha256.startswith(NOT_KEPT))
    new, known = installation.register.add(
        ente, arrived, () if drain else [Seen(Path(_text(str(file.path))), *file.identity[1:]) for file in done]
    )
    report.new += new
    report.duplicates += [(ente, item.kind, item.file) for item in known]
    if drain:
        take_away(done)


class _Unread(Exception):
    """A file of the inbox that cannot be read: its own fault, not the store's."""

    def __init__(self, why: Exception) -> None:
        super().__init__(str(why))
        self.why = why if isinstance(why, OSError) else OSError(str(why))


class _Source:
    """A stream whose errors are `_Unread`: what else goes wrong while it is kept is the store's, and stops the run."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except archive.DAMAGE as error:
            raise _Unread(error) from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise _Unread(error) from error
    with stream:
        yield stream


def _land_file(store: Store, ente: str, place: _Place, path: Path, limit: int) -> tuple[InboxFile, list[Arrived]] | None:
    """Keeps a file's bytes, or its members'; None when it changed meanwhile. Raises _Unread for what the file is to blame
    for, OSError for what the store is."""
    with _opened(path) as source:
        before = os.fstat(source.fileno())
        too_large = before.st_size > limit
        if too_large:
            arrived = [_too_large(place, path, before, limit)]
        elif path.suffix.lower() == ".zip" and place.reason is None:
            arrived = _land_archive(store, ente, place.kind, path, source, limit)
        else:
            kept = store.put_stream(ente, _Source(source), settled=False)
            arrived = [Arrived(place.kind, kept.sha256, place.shown(path), kept.size, reason=place.reason)]
        arrived = [_as_said(item, path) for item in arrived]
        after = os.fstat(source.fileno())
    identity = (before.st_ino, before.st_size, before.st_mtime_ns)
    if identity != (after.st_ino, after.st_size, after.st_mtime_ns):
        return None
    return InboxFile(path, place.kind, identity, too_large), arrived


def _as_said(item: Arrived, path: Path) -> Arrived:
    """What arrived, with what the name of its file says of it: its own name is the rest."""
    if item.reason is not None:
        return item
    name, said = spans.told(item.kind, _text(path.name))
    if said.whole is None:
        return item
    item = replace(item, whole=said.whole, span_from=said.span_from, span_to=said.span_to)
    return replace(item, archive=name) if item.archive else replace(item, file=name)


def _too_large(place: _Place, path: Path, stat: os.stat_result, limit: int) -> Arrived:
    """The registration of a file that is not taken in: its mark stands for name, size and time, not for content."""
    mark = hashlib.sha256(f"{path.name}|{stat.st_size}|{stat.st_mtime_ns}".encode(errors="replace")).hexdigest()
    reason = (
        f"{reasons.too_large(stat.st_size, limit)} (PCC_MAX_FILE_BYTES): non letto, "
        f"lasciato dov'era (in {TOO_LARGE}, se la cartella viene svuotata)"
    )
    return Arrived(place.kind, NOT_KEPT + mark[len(NOT_KEPT) :], place.shown(path), stat.st_size, reason=reason)


def _land_archive(store: Store, ente: str, kind: str, path: Path, whole: IO[bytes], limit: int) -> list[Arrived]:
    """The members as deliveries of their own; what cannot be read makes the archive itself a refused one."""
    arrived: list[Arrived] = []
    failures: list[str] = []
    try:
        with archive.opened(path) as (opened, members):
            for member in members:
                if member.name.lower().endswith(".zip"):
                    failures.append(f"{member.name}: un archivio dentro un archivio non si legge")
                    continue
                if member.size > limit:
                    failures.append(f"{member.name}: {reasons.too_large(member.size, limit)}")
                    continue
                try:
                    with _member(opened, member) as source:
                        kept = store.put_stream(ente, _Source(source), limit=member.size, settled=False)
                except (TooLarge, _Unread):
                    failures.append(f"{member.name}: danneggiato, o più grande di quanto l'archivio dichiara")
                    continue
                name = _text(member.name)
                arrived.append(Arrived(kind, kept.sha256, name, kept.size, archive=_text(path.name)))
    except archive.Unreadable as error:
        failures.append(str(error))
    if failures:
        kept = store.put_stream(ente, _Source(whole), settled=False)
        more = f" (e altri {len(failures) - 5})" if len(failures) > 5 else ""
        reason = "; ".join(failures[:5]) + more
        arrived.append(Arrived(kind, kept.sha256, _text(path.name), kept.size, reason=_text(reason)))
    return arrived


@contextmanager
def _member(opened: zipfile.ZipFile, member: archive.Member) -> Iterator[IO[bytes]]:
    try:
        stream = archive.read(opened, member)
    except archive.DAMAGE as error:
        raise _Unread(error) from error
    with stream:
        yield stream


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except OSError:
        return None


def _refuse(report: LandingReport | None, path: str, reason: str, ente: str | None = None, kind: str | None = None) -> None:
    if report is not None:
        report.refused.append(Refusal(_text(path), reason, ente, kind))


def _text(name: str) -> str:
    """A file name as text that any database takes: names that are not UTF-8 are read as Windows-1252."""
    try:
        name.encode()
    except UnicodeEncodeError:
        name = os.fsencode(name).decode("cp1252", "replace")
    return name.replace("\0", "")
