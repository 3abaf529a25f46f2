"""Erases an ente's files: its folders of the store, its inbox, and whatever under PCC_HOME bears or holds its name.

The store's files of other enti are never opened. Files of the provider that hold several enti's rows are rewritten
(`provider`, `rewrite`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from pcc_pipeline.arrival.landing import PROVIDER, PROVIDER_KINDS
from pcc_pipeline.installation import Installation
from pcc_pipeline.service.erasure import rewrite
from pcc_pipeline.service.erasure.journal import Journal
from pcc_pipeline.service.erasure.traces import Traces
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

#: Under PCC_HOME but not looked at here: the database's own files, keys, journals.
APART = ("postgres", "keys", "erasures")
_TEXT = (".csv", ".log", ".txt", ".err", ".out", ".jsonl", ".html", "")
_TABLES = (".csv", ".xlsx", ".txt")


def erase_store(store: Store, journal: Journal) -> None:
    """Removes every file of the store that lies in a folder named after the ente, or is named after it."""
    names = [name for name in store.list() if bears(name, journal.traces)]
    journal.at_least("store", files=len(names), bytes=sum(store.size(name) for name in names))
    for name in names:
        store.delete(name)
    for top in {name.split("/", 1)[0] for name in store.list()} | {
        "landing",
        "staging",
        "quarantine",
        "models",
        "checks",
        "closed",
    }:
        store.delete(f"{top}/{journal.traces.ente}")  # folders left empty


def bears(name: str, traces: Traces) -> bool:
    """Whether a part of the path is the ente's code, or holds its code or an identifier of it as a word."""
    return any(part == traces.ente or traces.pattern.search(part) for part in name.split("/"))


def erase_home(installation: Installation, journal: Journal) -> None:
    """The same under PCC_HOME and in the inbox; what holds its name inside is rewritten, or removed if it is no text."""
    settings = installation.settings
    fates = [_removed(path, "backups") for path in _backups(settings)]
    fates += [fate for path in files(installation) if (fate := _fate(path, settings, journal.traces)) is not None]
    for place in {fate.place for fate in fates}:
        mine = [fate for fate in fates if fate.place == place]
        journal.at_least(place, **{name: sum(fate.amounts.get(name, 0) for fate in mine) for name in mine[0].amounts})
    for fate in fates:
        if fate.rewritten is None:
            fate.path.unlink(missing_ok=True)
        else:
            _write(fate.path, fate.rewritten.data, journal)
    for root in roots(installation.settings):
        for path in sorted(root.rglob("*"), reverse=True) if root.is_dir() else ():
            apart = any(part in path.parents for part in _apart(installation))
            if path.is_dir() and not apart and _named(path, installation.settings, journal.traces):
                shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True)
class _Fate:
    """What becomes of a file: rewritten, or removed; where it is counted, and how much."""

    path: Path
    place: str
    amounts: dict[str, int]
    rewritten: rewrite.Rewritten | None = None


def _removed(path: Path, place: str) -> _Fate:
    return _Fate(path, place, {"files": 1, "bytes": path.stat().st_size})


def _fate(path: Path, settings: Settings, traces: Traces) -> _Fate | None:
    """What becomes of a file outside the store and the database; None for one that does not concern the ente."""
    if settings.home / "spill" in path.parents:
        return _removed(path, "spill")
    if _named(path, settings, traces):
        return _removed(path, _place(path, settings))
    if not (holds(path, traces) or _shared(path)):
        return None
    done = _without(path, traces)
    if done is None:  # a database file, a workbook, an archive: it cannot stay
        return _removed(path, _place(path, settings))
    return _Fate(path, "shared files", {"rows": done.removed}, done) if done.removed else None


def roots(settings: Settings) -> list[Path]:
    """The folders that are the installation's: PCC_HOME, and the inbox where it is elsewhere."""
    inside = settings.home in settings.inbox.parents
    return [settings.home] if inside else [settings.home, settings.inbox]


def _apart(installation: Installation) -> list[Path]:
    kept = [installation.settings.home / name for name in APART]
    return [*kept, Path(installation.store.root)] if installation.store.local else kept


def files(installation: Installation) -> Iterator[Path]:
    """The files of the installation outside the store and the database."""
    apart = _apart(installation)
    for root in roots(installation.settings):
        for path in sorted(root.rglob("*")) if root.is_dir() else ():
            if path.is_file() and not path.is_symlink() and not any(part in path.parents for part in apart):
                yield path


def holds(path: Path, traces: Traces) -> bool:
    """Whether the file's bytes name the ente."""
    return path.stat().st_size > 0 and traces.bytes_pattern.search(path.read_bytes()) is not None


def _named(path: Path, settings: Settings, traces: Traces) -> bool:
    for root in roots(settings):
        if root in path.parents:
            return bears(path.relative_to(root).as_posix(), traces)
    return False


def _shared(path: Path) -> bool:
    """A delivered table of the provider's, which may hold judgements of tickets and no name."""
    return path.parent.name in PROVIDER_KINDS and path.parent.parent.name == PROVIDER and path.suffix.lower() in _TABLES


def _backups(settings: Settings) -> list[Path]:
    """Backups cannot be rewritten: all that were made go, and the next is without the ente."""
    return [path for path in sorted((settings.home / "backups").rglob("*")) if path.is_file()]


def _place(path: Path, settings: Settings) -> str:
    return "inbox" if settings.inbox in path.parents or "inbox" in path.parts else "home"


def _without(path: Path, traces: Traces) -> rewrite.Rewritten | None:
    """The file's bytes without the ente; None where they are no text."""
    data = path.read_bytes()
    if _shared(path):
        return rewrite.table_without(data, traces)
    if path.suffix in (".yaml", ".yml"):
        return _yaml_without(data, traces)
    return rewrite.lines_without(data, traces) if path.suffix.lower() in _TEXT else None


def _write(path: Path, data: bytes, journal: Journal) -> None:
    # Of one name for each journal and file: a call that goes on after a crash writes over what was left.
    temporary = path.with_name(f".{journal.path.stem}-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]}.part")
    temporary.write_bytes(data)
    temporary.chmod(path.stat().st_mode)
    temporary.replace(path)


def _yaml_without(data: bytes, traces: Traces) -> rewrite.Rewritten:
    """Settings that map an ente to something lose that entry; else the lines that name it go."""
    known = yaml.safe_load(data)
    if isinstance(known, dict) and traces.ente in known:
        del known[traces.ente]
        text = yaml.safe_dump(known, sort_keys=False, allow_unicode=True).encode() if known else b""
        if not traces.bytes_pattern.search(text):
            return rewrite.Rewritten(text, 1, len(known))
    return rewrite.lines_without(data, traces)
