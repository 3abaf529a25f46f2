"""What is looked at before a stranger's file is kept: its name, and that its content is what the name says.

After OWASP's guidance on file uploads: the name is not trusted, the content decides what a file is, archives are measured
before they are opened, nothing is ever executed or served back as a page.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from pcc_pipeline.arrival import archive
from pcc_pipeline.formats.tabular.encoding import ZIP

#: What an ente delivers; and what else may be attached to a ticket.
DELIVERED = frozenset({".csv", ".txt", ".tsv", ".xlsx", ".xls", ".ods", ".xml", ".p7m", ".zip"})
ATTACHED = DELIVERED | {".pdf", ".png", ".jpg", ".jpeg", ".docx", ".odt"}

_UNSAFE = re.compile(r"[^\w.()+ -]+", re.UNICODE)
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!")
_ZIPPED = {".xlsx", ".ods", ".zip", ".docx", ".odt"}
_PLAIN = {".csv", ".txt", ".tsv", ".xml"}
_BEGINS = {".pdf": b"%PDF", ".png": b"\x89PNG\r\n", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff"}


class Unwelcome(ValueError):
    """A file that is not taken; its text says why in Italian, and what would do."""


def safe_name(name: str, suffixes: Collection[str] = DELIVERED) -> str:
    """A name without folders, control characters or leading dots, 150 bytes at most. Raises Unwelcome: for another ending,
    and for a NUL, which nobody means."""
    if "\0" in name:
        raise Unwelcome("Il nome del file non è valido")
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    # Disks count bytes: 255 of them, of which numbers of copies and unfinished names want some.
    short = _UNSAFE.sub("_", base).strip(" .").encode(errors="ignore")[-150:].decode(errors="ignore")
    cleaned = short.lstrip(" .")
    if not cleaned:
        raise Unwelcome("Il file non ha un nome")
    if Path(cleaned).suffix.lower() not in suffixes:
        raise Unwelcome(f"{cleaned}: si accettano file {', '.join(sorted(suffixes))}")
    return cleaned.removesuffix(".part")


def check_content(path: Path) -> None:
    """Raises Unwelcome where the content is not what the name says, or an archive cannot be opened safely."""
    with path.open("rb") as file:
        head = file.read(8192)
    suffix = path.suffix.lower()
    zipped = head.startswith(ZIP)
    if head.startswith(_PROGRAMS):
        raise Unwelcome("Il file è un programma")
    wrong = (suffix in _ZIPPED and not zipped) or not head.startswith(_BEGINS.get(suffix, b""))
    if suffix in _PLAIN and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        wrong = zipped or b"\0" in head.replace(b"\xff\xfe", b"")[:200]
    if wrong:
        raise Unwelcome(f"Il contenuto non è quello di un file {suffix}")
    if suffix in (".zip", ".docx", ".odt"):
        try:
            with archive.opened(path):
                pass
        except archive.Unreadable as error:
            raise Unwelcome(f"Archivio non accettato: {error}") from None
