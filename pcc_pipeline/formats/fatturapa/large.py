"""Large FatturaPA files: attachments are measured and cut out before the tree is built.

Base64 of attachments is nearly all of a large file. Held in the tree and again as text it would cost
several times its size; here it passes in slices and only its length is kept. Nothing else is read here.
"""

from __future__ import annotations

import mmap
from xml.parsers import expat

_SLICE = 1 << 16
#: Deeper than any FatturaPA (its schema has eight levels); libxml2 refuses what stays deeper than 256.
_DEEPEST = 256


def decoded_size(characters: int, padding: int) -> int | None:
    """Bytes behind so many base64 characters (blanks not counted); null where no base64 has that length."""
    if characters % 4 == 1:
        return None
    return (characters - padding) * 3 // 4


def text_size(text: str | None) -> int | None:
    """Decoded size of base64 text; null where there is none."""
    if not text:
        return None
    return decoded_size(len(text) - _blanks(text), text.count("="))


def _blanks(text: str) -> int:
    return text.count("\n") + text.count(" ") + text.count("\r") + text.count("\t")


class _Cutter:
    """Notes where each Attachment's content begins and ends, and how much base64 it holds."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.buffer_text = True
        self.parser.buffer_size = _SLICE
        self.spans: list[tuple[int, int]] = []
        self.sizes: list[int | None] = []
        self._depth = 0
        self._open: tuple[int, int] | None = None
        self._characters = self._padding = 0

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Stop
        if self._open is None and name.rpartition(":")[2] == "Attachment":
            self._open = (self.parser.CurrentByteIndex, self._depth)
            self._characters = self._padding = 0
            self.parser.CharacterDataHandler = self._text

    def _end(self, _name: str) -> None:
        if self._open is not None and self._open[1] == self._depth:
            self.spans.append((self._open[0], self.parser.CurrentByteIndex))
            size = decoded_size(self._characters, self._padding) if self._characters else None
            self.sizes.append(size)
            self._open = None
            self.parser.CharacterDataHandler = None
        self._depth -= 1

    def _text(self, text: str) -> None:
        self._characters += len(text) - _blanks(text)
        self._padding += text.count("=")

    def _doctype(self, *_: object) -> None:
        raise _Stop


class _Stop(Exception):
    """The file is left to the parser of the tree, which refuses it with its own words."""


def without_attachments(data: bytes | mmap.mmap) -> tuple[bytes | mmap.mmap, list[int | None] | None]:
    """The same XML with empty attachments (its lines kept), and their decoded sizes in document order.

    What cannot be read this way is returned as it is, with no sizes, for the tree's parser to judge.
    """
    cutter = _Cutter()
    view = memoryview(data)
    try:
        for start in range(0, len(view), _SLICE):
            cutter.parser.Parse(view[start : start + _SLICE], False)
        cutter.parser.Parse(b"", True)
    except (expat.ExpatError, _Stop, LookupError, ValueError):
        return data, None
    finally:
        view.release()
    if not cutter.spans:
        return data, None
    pieces: list[bytes] = []
    position = 0
    for start, end in cutter.spans:
        content = data.find(b">", start) + 1
        if data[content - 2 : content] == b"/>" or content > end:
            continue
        pieces += (data[position:content], b"\n" * _newlines(data, content, end))
        position = end
    pieces.append(data[position:])
    return b"".join(pieces), cutter.sizes


def _newlines(data: bytes | mmap.mmap, start: int, end: int) -> int:
    return sum(data[at : min(at + _SLICE, end)].count(b"\n") for at in range(start, end, _SLICE))
