"""The bytes of a text file as UTF-8 bytes: which encoding it is in, and whether it is text at all.

Only bytes and lines are known here; fields and records are read in `csv_reader`.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 4 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OTHER = "the bytes are not in {0}, as the layout has the file {1}: {2}"
#: Pairs that UTF-8 text has and Italian Windows-1252 text has not: the file would be in both encodings.
_UTF8_PAIR = re.compile(rb"[\xc2\xc3][\x80-\xbf]|\xe2[\x80\x82][\x80-\xbf]")
_NOT_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_SAVE_AS = "save the file as UTF-8"
_WHOLE = "(the whole file is refused)"


@dataclass(frozen=True)
class DecodedText:
    """A text file as UTF-8: where its bytes lie and how many of the first to skip; or why it cannot be read
    (`problem`), and the line where that shows."""

    path: Path
    skip: int = 0
    problem: str | None = None
    line: int | None = None


def as_utf8(path: Path, scratch: Path, encoding: str | None = None) -> DecodedText:
    """The file itself when it is UTF-8 (with or without BOM), else its transcription from UTF-16 (with BOM) or
    Windows-1252 in the folder `scratch`; `encoding` is tried instead of Windows-1252. Empty and binary files, and
    bytes that the encoding has not, are a problem."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_UTF16):
        return _from(path, scratch / "utf8.csv", "utf-16")
    bom = start.startswith(codecs.BOM_UTF8)
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, empty, foreign = 1, True, False
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if b"\0" in chunk:
                return DecodedText(path, problem="not a text file: it holds NUL bytes")
            empty = empty and not chunk.strip(b" \t\r\n" + codecs.BOM_UTF8)
            if not foreign:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    foreign = True
            lines += chunk.count(b"\n")
    if not foreign:
        try:
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            foreign = True
    if empty:
        return DecodedText(path, problem="empty file")
    if not foreign:
        return DecodedText(path, len(codecs.BOM_UTF8) if bom else 0)
    if bom:
        return DecodedText(path, problem=f"begins as UTF-8 but holds other bytes: {_SAVE_AS}")
    if encoding and codecs.lookup(encoding).name not in ("utf-8", "cp1252"):
        return _from(path, scratch / "utf8.csv", encoding)
    return _from_1252(path, scratch / "utf8.csv")


def _from(path: Path, target: Path, encoding: str) -> DecodedText:
    """The transcription from an encoding that is known beforehand."""
    empty = True
    try:
        with path.open(encoding=encoding, newline="") as file, target.open("w", encoding="utf-8", newline="") as out:
            while chunk := file.read(_CHUNK):
                if "\0" in chunk:
                    return DecodedText(path, problem="not a text file: it holds NUL characters")
                empty = empty and not chunk.strip()
                out.write(chunk)
    except UnicodeError:
        return DecodedText(path, problem=_OTHER.format(encoding, _WHOLE, _SAVE_AS))
    return DecodedText(target, problem="empty file" if empty else None)


def _line(before: int, chunk: bytes, position: int) -> int:
    return before + chunk.count(b"\n", 0, position)


def _from_1252(path: Path, target: Path) -> DecodedText:
    lines, kept = 1, b""
    with path.open("rb") as file, target.open("wb") as out:
        while chunk := kept + file.read(_CHUNK):
            if found := _NOT_1252.search(chunk):
                reason = f"byte {found[0][0]:#04x} is neither UTF-8 nor Windows-1252 {_WHOLE}: {_SAVE_AS}"
                return DecodedText(path, problem=reason, line=_line(lines, chunk, found.start()))
            if found := _UTF8_PAIR.search(chunk):
                reason = f"UTF-8 and Windows-1252 mixed in one file {_WHOLE}: {_SAVE_AS}"
                return DecodedText(path, problem=reason, line=_line(lines, chunk, found.start()))
            # a pair must not be cut in two: the last two bytes are looked at again, unless the file ends
            kept = b"" if len(chunk) < _CHUNK else chunk[-2:]
            chunk = chunk[: len(chunk) - len(kept)]
            out.write(chunk.decode("cp1252").encode())
            lines += chunk.count(b"\n")
    return DecodedText(target)
