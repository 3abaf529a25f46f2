"""Reading .zip deliveries: members one by one, with bounds against archives made to exhaust the machine.

Nothing is ever unpacked to a path that a member names: a member gives only its last name and its bytes.
Where the bytes go is `landing`'s matter.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pcc_pipeline.formats.limits import ARCHIVE, Zipped
from pcc_pipeline.formats.reasons import NO_PASSWORD
from pcc_pipeline.formats.zipped import DAMAGE, Outsized, refuse_long_directory, refuse_outsized

__all__ = ["DAMAGE", "Member", "Unreadable", "opened", "read"]


class Unreadable(ValueError):
    """An archive that cannot be read; its text says why, for who delivered it."""


@dataclass(frozen=True)
class Member:
    """One file inside an archive: its last name, its size in bytes unpacked, and its entry."""

    name: str
    size: int
    entry: zipfile.ZipInfo


@contextmanager
def opened(path: Path, limits: Zipped | None = None) -> Iterator[tuple[zipfile.ZipFile, list[Member]]]:
    """An archive and its members, in their order; folders, hidden files and unfinished (.part) ones left out.

    Raises Unreadable when it is not an archive, needs a password or breaks `limits` (ARCHIVE unless told).
    """
    bounds = limits or ARCHIVE
    try:
        refuse_long_directory(path, bounds)
        archive = zipfile.ZipFile(path)
    except Outsized as error:
        raise Unreadable(str(error)) from None
    except DAMAGE as error:
        raise Unreadable("l'archivio è danneggiato o non è un file .zip") from error
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        _bounded(entries, path.stat().st_size, bounds)
        yield (
            archive,
            [Member(name, entry.file_size, entry) for entry in entries if (name := _name(entry)) is not None],
        )


def read(archive: zipfile.ZipFile, member: Member) -> IO[bytes]:
    """The member open for reading; its checksum is verified at the end. Raises one of DAMAGE."""
    return archive.open(member.entry)


def _bounded(entries: list[zipfile.ZipInfo], packed: int, limits: Zipped) -> None:
    if not entries:
        raise Unreadable("l'archivio è vuoto")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise Unreadable(f"l'archivio è protetto da password: {NO_PASSWORD}")
    try:
        refuse_outsized(entries, packed, limits)
    except Outsized as error:
        raise Unreadable(str(error)) from None


def _name(entry: zipfile.ZipInfo) -> str | None:
    parts = [part for part in entry.filename.replace("\\", "/").split("/") if part]
    if not parts or "__MACOSX" in parts[:-1] or parts[-1].startswith(".") or parts[-1].endswith(".part"):
        return None
    return parts[-1][-255:]
