"""Zip files measured before they are opened, and unpacked without trusting what their directory says."""

from __future__ import annotations

import lzma
import mmap
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from pcc_pipeline.formats.limits import Zipped
from pcc_pipeline.formats.reasons import too_large

#: What reading a damaged or foreign archive may raise.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, ValueError, RuntimeError, OSError,
)  # fmt: skip

_ENTRY, _END = b"PK\x01\x02", b"PK\x05\x06"
_LONGEST_END = 22 + 0xFFFF
_LOCAL = 30
_CHUNK = 1 << 20


class Outsized(ValueError):
    """A zip file beyond its limits; its text says which, for who delivered it."""


class Damaged(ValueError):
    """A member that is not what the directory says of it."""


def refuse_long_directory(path: Path, limits: Zipped, name: str = "l'archivio") -> None:
    """Raises Outsized for a directory that it would cost too much to read; says nothing of what is no zip file."""
    size = path.stat().st_size
    if size <= limits.directory and size < 46 * limits.members:
        return  # even if it were nothing but a directory
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        end = data.rfind(_END, max(0, size - _LONGEST_END))
        if end < 0:
            return
        # Where the directory begins is the archive's word; that it ends here is not.
        first, entries = data.find(_ENTRY), 0
        declared = int.from_bytes(data[end + 12 : end + 16], "little")
        begin = end - declared if declared < 0xFFFFFFFF and declared <= end else max(first, 0)
        while (begin := data.find(_ENTRY, begin, end)) >= 0 and entries <= limits.members:
            begin, entries = begin + 46, entries + 1
    if entries > limits.members:
        raise Outsized(f"{name} contiene troppi file, più dei {limits.members} ammessi")
    if declared != 0xFFFFFFFF and declared > limits.directory:
        raise Outsized(f"l'indice dell'archivio occupa {too_large(declared, limits.directory)}")


def refuse_outsized(entries: Iterable[zipfile.ZipInfo], packed: int, limits: Zipped, name: str = "l'archivio") -> None:
    """Raises Outsized where the directory tells of more than `limits`; `packed` is the file's size in bytes."""
    sizes = [entry.file_size for entry in entries]
    if len(sizes) > limits.members:
        raise Outsized(f"{name} contiene {len(sizes)} file, più dei {limits.members} ammessi")
    total = sum(sizes)
    if total > limits.bytes:
        raise Outsized(f"{name} occuperebbe, una volta estratto il contenuto, {too_large(total, limits.bytes)}")
    if total > limits.free and total > packed * limits.ratio:
        raise Outsized(f"{name} crescerebbe, estraendone il contenuto, oltre {limits.ratio} volte: non estratto")


def unpacked(file: IO[bytes], entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member's bytes in pieces, unpacked as far as its directory declares. Raises Damaged where there are others than
    declared: other readers go on to the end of what is packed, whatever the directory says."""
    file.seek(entry.header_offset)
    head = file.read(_LOCAL)
    if len(head) < _LOCAL or not head.startswith(b"PK\x03\x04"):
        raise Damaged(entry.filename)
    file.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    if entry.compress_type == zipfile.ZIP_STORED:
        if entry.compress_size != entry.file_size:
            raise Damaged(entry.filename)
        yield from _pieces(file, entry.compress_size)
        return
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise Damaged(entry.filename)
    left, inflate = entry.file_size, zlib.decompressobj(-15)
    for piece in _pieces(file, entry.compress_size):
        while piece and not inflate.eof:
            try:
                found = inflate.decompress(piece, _CHUNK)
            except zlib.error as error:
                raise Damaged(entry.filename) from error
            piece, left = inflate.unconsumed_tail, left - len(found)
            if left < 0:
                raise Damaged(entry.filename)
            if found:
                yield found
    if left or not inflate.eof:
        raise Damaged(entry.filename)


def _pieces(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size and (piece := file.read(min(size, _CHUNK))):
        size -= len(piece)
        yield piece
