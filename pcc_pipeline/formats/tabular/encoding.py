"""The bytes of a text file as UTF-8 bytes: which encoding it is in, how it is kept, and whether it is text at all.

Only bytes and lines are known here; fields and records are read in `csv_reader`.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pcc_pipeline.formats.reasons import EMPTY_FILE, damaged

#: What a compressed file may become: as much as any file that is taken in; past `_FREE` so many times its own size.
LARGEST_EXPANDED, _FREE, _RATIO = 8 << 30, 64 << 20, 300
GZIP = b"\x1f\x8b\x08"
#: How workbooks begin: zipped ones, and those of old.
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
COMPRESSED = "file compresso (gzip): letto ciò che contiene"
PADDED = "caratteri NUL o Ctrl-Z dopo la fine del testo: tolti"
UNMARKED = "file in {0} senza il suo BOM: letto così"
RETURNS = "le righe finiscono con il solo CR: lette così"

_CHUNK = 4 << 20
_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LOOK = 4096
_PADDING = b"\0\x1a"
_NOT_WIDE = "i byte non sono in {0}, come annunciano i primi {1}: {2}"
_OTHER = "i byte non sono in {0}, come vuole il layout {1}: {2}"
#: Pairs that UTF-8 text has and Italian Windows-1252 text has not: the file would be in both encodings.
_UTF8_PAIR = re.compile(rb"[\xc2\xc3][\x80-\xbf]|\xe2[\x80\x82][\x80-\xbf]")
_NOT_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
NOT_TEXT = "non è un file di testo: contiene caratteri NUL"
_SAVE_AS = "salvare il file in UTF-8"
_WHOLE = "(l'intero file è rifiutato)"


@dataclass(frozen=True)
class DecodedText:
    """A text file as UTF-8: where its bytes lie and how many of the first to skip; or why it cannot be read
    (`problem`), and the line where that shows. `notes` say what was mended."""

    path: Path
    skip: int = 0
    problem: str | None = None
    line: int | None = None
    notes: tuple[str, ...] = ()


def expanded(path: Path, target: Path) -> str | None:
    """Writes what a gzip file holds to `target`; null, or why it cannot."""
    size, most = 0, min(LARGEST_EXPANDED, max(_FREE, _RATIO * path.stat().st_size))
    try:
        with gzip.open(path) as file, target.open("wb") as out:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    return f"file compresso (gzip) di oltre {most} byte: consegnarlo in più parti, o non compresso"
                out.write(chunk)
    except (OSError, EOFError, zlib.error):
        return damaged("file compresso (gzip)")
    return None


def as_utf8(path: Path, scratch: Path, encoding: str | None = None) -> DecodedText:
    """The file itself when it is UTF-8 (with or without BOM), else its transcription in the folder `scratch`: from
    UTF-16 or UTF-32, told by their mark or by where NULs stand, or from Windows-1252; `encoding` is tried instead of
    that. Padding after the end goes, and lines that end with a carriage return alone get another end. Empty and binary
    files, and bytes that the encoding has not, are a problem."""
    with path.open("rb") as file:
        start = file.read(_LOOK)
    wide = next((name for mark, name in _WIDE.items() if start.startswith(mark)), None)
    notes: list[str] = []
    if wide is None and (wide := _unmarked(start)):
        notes.append(UNMARKED.format(wide.upper()))
    if wide is not None:
        text = _from(path, scratch / "utf8.csv", wide, _NOT_WIDE)
    else:
        end = _end(path)
        if end < path.stat().st_size and end:
            notes.append(PADDED)
            path = _cut(path, end, scratch / "cut.csv")
        text = _narrow(path, scratch, encoding)
    if text.problem is None and _returns_alone(text.path):
        notes.append(RETURNS)
        text = replace(text, path=_with_line_feeds(text.path, scratch / "lines.csv"))
    return replace(text, notes=tuple(notes))


def _unmarked(start: bytes) -> str | None:
    """UTF-16 without its mark: nearly every second byte is NUL, and no other (as in any text of the West)."""
    pairs = len(start) // 2
    low, high = start[1::2].count(0), start[0::2].count(0)
    if pairs >= 2 and low > 0.7 * pairs and high < 0.1 * pairs:
        return "utf-16-le"
    return "utf-16-be" if pairs >= 2 and high > 0.7 * pairs and low < 0.1 * pairs else None


def _end(path: Path) -> int:
    """Where the text ends but for padding."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        while end:
            begin = max(0, end - _CHUNK)
            file.seek(begin)
            kept = len(file.read(end - begin).rstrip(_PADDING))
            if kept:
                return begin + kept
            end = begin
    return 0


def _chunks(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _cut(path: Path, end: int, target: Path) -> Path:
    with target.open("wb") as out:
        for chunk in _chunks(path):
            out.write(chunk[: max(0, end - out.tell())])
    return target


def _returns_alone(path: Path) -> bool:
    """Whether no line ends with a line feed, and some with a carriage return."""
    found = False
    for chunk in _chunks(path):
        if b"\n" in chunk:
            return False
        found = found or b"\r" in chunk
    return found


def _with_line_feeds(path: Path, target: Path) -> Path:
    with target.open("wb") as out:
        for chunk in _chunks(path):
            out.write(chunk.replace(b"\r", b"\n"))
    return target


def _narrow(path: Path, scratch: Path, encoding: str | None) -> DecodedText:
    """A text of one byte a sign, or of UTF-8."""
    with path.open("rb") as file:
        bom = file.read(3) == codecs.BOM_UTF8
    decoder = codecs.getincrementaldecoder("utf-8")()
    empty, foreign = True, False
    for chunk in _chunks(path):
        if b"\0" in chunk.rstrip(_PADDING if empty else b""):
            return DecodedText(path, problem=NOT_TEXT)
        empty = empty and not chunk.strip(b" \t\r\n" + codecs.BOM_UTF8 + _PADDING)
        if not foreign:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                foreign = True
    if not foreign:
        try:
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            foreign = True
    if empty:
        return DecodedText(path, problem=EMPTY_FILE)
    if not foreign:
        return DecodedText(path, len(codecs.BOM_UTF8) if bom else 0)
    if bom:
        return DecodedText(path, problem=f"comincia come UTF-8 ma contiene altri byte: {_SAVE_AS}")
    if encoding and codecs.lookup(encoding).name not in ("utf-8", "cp1252"):
        return _from(path, scratch / "utf8.csv", encoding)
    return _from_1252(path, scratch / "utf8.csv")


def _from(path: Path, target: Path, encoding: str, reason: str = _OTHER) -> DecodedText:
    """The transcription from an encoding that is known; `reason` is why it is refused where it is in another."""
    empty, padded = True, False
    try:
        with path.open(encoding=encoding, newline="") as file, target.open("w", encoding="utf-8", newline="") as out:
            while chunk := file.read(_CHUNK):
                text = chunk.rstrip("\0\x1a")
                if "\0" in text or (padded and text):
                    return DecodedText(path, problem=NOT_TEXT)
                padded, chunk = padded or text != chunk, text
                empty = empty and not chunk.strip()
                out.write(chunk)
    except UnicodeError:
        return DecodedText(path, problem=reason.format(encoding.upper(), _WHOLE, _SAVE_AS))
    return DecodedText(target, problem=EMPTY_FILE if empty else None)


def _line(before: int, chunk: bytes, position: int) -> int:
    return before + chunk.count(b"\n", 0, position)


def _from_1252(path: Path, target: Path) -> DecodedText:
    lines, kept = 1, b""
    with path.open("rb") as file, target.open("wb") as out:
        while chunk := kept + file.read(_CHUNK):
            if found := _NOT_1252.search(chunk):
                reason = f"il byte {found[0][0]:#04x} non è né UTF-8 né Windows-1252 {_WHOLE}: {_SAVE_AS}"
                return DecodedText(path, problem=reason, line=_line(lines, chunk, found.start()))
            if found := _UTF8_PAIR.search(chunk):
                reason = f"UTF-8 e Windows-1252 mescolati nello stesso file {_WHOLE}: {_SAVE_AS}"
                return DecodedText(path, problem=reason, line=_line(lines, chunk, found.start()))
            # a pair must not be cut in two: the last two bytes are looked at again, unless the file ends
            kept = b"" if len(chunk) < _CHUNK else chunk[-2:]
            chunk = chunk[: len(chunk) - len(kept)]
            out.write(chunk.decode("cp1252").encode())
            lines += chunk.count(b"\n")
    return DecodedText(target)
