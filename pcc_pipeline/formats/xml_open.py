"""From a delivered file to the XML inside it: the one opening of all readers of XML.

Here a file is unwrapped (.p7m, PEM, base64), what stands before and after the document is cut off, its encoding is
settled and XML 1.1 brought back to 1.0. What is parsed, and how strictly, is told in `xml_parse`; what the elements
mean, by the modules that call.
"""

from __future__ import annotations

import binascii
import codecs
import mmap
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pcc_pipeline.formats import p7m, reasons
from pcc_pipeline.formats.notes import Note
from pcc_pipeline.tables.notes import XML_1_1, XML_ENCODING

#: SDI takes files of up to 150 MB; what is larger is no invoice, and no other file that has to be held whole.
MAX_BYTES = 256 * 1024 * 1024
#: From this size on a plain file is mapped, not read.
_MAPPED = 1024 * 1024
#: Signed twice, and in base64, is met; deeper is no such file.
_WRAPPINGS = 4

_BLANKS = b" \t\r\n"
_PADDING = b"\0\x1a" + _BLANKS
_SLICE = 1 << 16
_HEAD = 512
#: What may stand before the document: blanks, NULs, byte order marks, also one that was taken for text and written again.
_BEFORE = re.compile(rb"(?:[ \t\r\n\0]|\xef\xbb\xbf|\xc3\xaf\xc2\xbb\xc2\xbf)*+(?=<)")
_DECLARATION = re.compile(rb"<\?xml\s[^>]*?\?>")
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']""")
_WIDE = re.compile(r"utf-?(16|32)(-?[bl]e)?|ucs-?[24]|unicode|iso-10646-ucs-[24]", re.I)
_LATIN1 = re.compile(r"iso-?8859-1|latin-?1", re.I)
_C1 = re.compile(rb"[\x80-\x9f]")
_ELEVEN = re.compile(rb"""<\?xml\s+version\s*=\s*["']1\.1["']""")
#: What XML 1.1 has and 1.0 has not: references to control characters, prefixes taken back, two more line ends.
_CONTROL = re.compile(rb"&#(?:0*(?:[1-8]|1[124-9]|2[0-9]|3[01])|x0*(?:[1-8bcBC]|[eEfF]|1[0-9a-fA-F]));")
_TAKEN_BACK = re.compile(rb"""\sxmlns:[\w.-]+\s*=\s*(?:""|'')""")
_LINE_ENDS = re.compile(rb"\xc2\x85|\xe2\x80\xa8")
# Possessive and atomic: no text, however made, costs more than one pass.
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]*+=?\s*+=?\s*+")
#: Line breaks of base64 text that a program wrote out instead of making them.
_WRITTEN_OUT = re.compile(rb"\\[rn]|&#(?:13|10|x0?[dDaA]);")
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<\0\0\0", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<\0", "utf-16-be"),
)
_LOW_FIRST = re.compile(rb"(?:[ \t\r\n]\0)++<\0")
_HIGH_FIRST = re.compile(rb"(?:\0[ \t\r\n])++\0<\0")

CONTROLS = "il file è XML 1.1: tolto ciò che la 1.0 non ammette (caratteri di controllo, prefissi annullati)"
NOT_WIDE = "il file dichiara {0} ed è in UTF-8: letto come UTF-8"


class RefusedFile(Exception):
    """The whole file is refused: why, and at which line of the XML where one can be named."""

    def __init__(self, reason: str, line: int | None = None, value: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.line, self.value = reason, line, value


@dataclass
class Xml:
    """The bytes of one XML document, from its first mark to its last.

    `encoding` is what they are in where their declaration does not say it; `lines` are the line breaks that stood
    before them in the file; `notes` what was seen on the way, which readers add to. A signed file's signature
    is in `firma`, `firmatario`.
    """

    data: bytes | mmap.mmap
    begin: int = 0
    end: int = 0
    lines: int = 0
    encoding: str | None = None
    notes: list[Note] = field(default_factory=list)
    firma: str | None = None
    firmatario: str | None = None
    _position: int = -1

    @property
    def declared(self) -> str | None:
        """The encoding that the declaration names."""
        found = _DECLARED.match(self.data, self.begin)
        return found[1].decode() if found else None

    def _head(self) -> tuple[bytes, int]:
        """The declaration with the line breaks that stood before it, so that lines are the file's; where the rest begins."""
        if not self.lines:
            return b"", self.begin
        found = _DECLARATION.match(self.data, self.begin)
        rest = found.end() if found else self.begin
        return self.data[self.begin : rest] + b"\n" * self.lines, rest

    def text(self) -> bytes:
        """All of it, each element on the line that it has in the file."""
        head, rest = self._head()
        if not head and rest == 0 and self.end == len(self.data):
            return self.data[:]
        return head + self.data[rest : self.end]

    def read(self, size: int) -> bytes:
        """The next bytes of the same, for a parser that reads a stream."""
        if self._position < 0:
            head, self._position = self._head()
            if head:
                return head
        size = min(size if size > 0 else _SLICE, self.end - self._position)
        piece = self.data[self._position : self._position + size]
        self._position += size
        return piece

    def after(self, closing: bytes) -> bytes:
        """What follows the first closing tag of that name."""
        found = re.compile(rb"</" + re.escape(closing) + rb"\s*>").search(self.data, self.begin, self.end)
        return self.data[found.end() : self.end] if found else b""


@contextmanager
def opened(path: Path | str, *, largest: int | None = None) -> Iterator[Xml]:
    """The XML inside a file, for as long as it is read; `largest` is how many bytes a plain one may have. Raises
    RefusedFile."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - Path.open costs a third of the read
            size = os.fstat(stream.fileno()).st_size
            if largest is not None and size > largest:
                raise RefusedFile(reasons.too_large(size, largest))
            if size >= _MAPPED and looks_plain(stream.peek(_HEAD)[:_HEAD]):
                with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
                    yield unwrapped(view)
                return
            if size > MAX_BYTES:
                raise RefusedFile(reasons.too_large(size, MAX_BYTES))
            data = stream.read()
    except OSError as error:
        raise RefusedFile(reasons.unreadable(error)) from error
    yield unwrapped(data)


def looks_plain(start: bytes) -> bool:
    """Whether these first bytes are those of XML that nothing wraps."""
    return bool(_BEFORE.match(start)) or _wide(start) is not None


def looks_wrapped(start: bytes) -> bool:
    """Whether these first bytes are those of a signed file, or of base64 text that holds XML or a signed file."""
    if p7m.looks_signed(start) or start.lstrip(_BLANKS).startswith(b"-----BEGIN"):
        return True
    text = _WRITTEN_OUT.sub(b"", start.removeprefix(codecs.BOM_UTF8)).strip(b"\"' \t\r\n")[:64]
    if not text or not _BASE64.fullmatch(text):
        return False
    bare = b"".join(text.split())
    inner = binascii.a2b_base64(bare[: len(bare) // 4 * 4])
    return looks_plain(inner) or p7m.looks_signed(inner)


def unwrapped(data: bytes | mmap.mmap) -> Xml:
    """The XML in these bytes, its containers opened. Raises RefusedFile."""
    firma: str | None = None
    signers: list[str] = []
    for _ in range(_WRAPPINGS):
        if data[:1] == b"<" or looks_plain(data[:_HEAD]) or _BEFORE.match(data):
            xml = _document(data)
            xml.firma, xml.firmatario = firma, "; ".join(signers) or None
            return xml
        data = data[:]
        if p7m.looks_signed(data):
            try:
                signed = p7m.unwrap(data)
            except p7m.NotSigned as error:
                raise RefusedFile(str(error)) from error
            data = signed.content
            firma = signed.status if firma is None or signed.status != p7m.VALID else firma
            signers.extend(s for s in (signed.signer,) if s)
        else:
            data = from_base64(data)
    raise RefusedFile(f"il file è firmato o codificato più di {_WRAPPINGS} volte")


def from_base64(data: bytes) -> bytes:
    """The bytes behind base64 text: bare, with line breaks (also written out as \\n), without its padding, or between
    PEM's BEGIN and END lines. Raises RefusedFile."""
    if not data or not data.strip(_PADDING):
        raise RefusedFile(reasons.EMPTY_FILE)
    text = data.removeprefix(codecs.BOM_UTF8)
    if text[:64].lstrip().startswith(b"-----BEGIN"):
        lines = text.strip().splitlines()
        text = b"".join(line for line in lines if not line.startswith(b"-----") and b":" not in line)
    if b"\\" in text or b"&" in text:
        text = _WRITTEN_OUT.sub(b"", text)
    text = text.strip(_PADDING + b"\"'")
    try:
        if not _BASE64.fullmatch(text):
            raise binascii.Error
        bare = b"".join(text.split()).rstrip(b"=")
        return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4))
    except binascii.Error as error:
        shown = data[:60].decode("ascii", "replace")
        raise RefusedFile(reasons.NOT_XML, 1, shown) from error


def _document(data: bytes | mmap.mmap) -> Xml:
    """The document in these bytes, without what stands around it."""
    wide = None if data[:2] == b"<?" else _wide(data[:_HEAD])
    xml = Xml(data) if wide is None else Xml(_from_wide(data[:], wide), encoding="utf-8")
    found = _BEFORE.match(xml.data)
    before = xml.data[: found.end()] if found else b""
    if before and before != codecs.BOM_UTF8:  # one mark alone is the parser's matter
        xml.begin, xml.lines = len(before), before.count(b"\n")
        if codecs.BOM_UTF8 in before:
            xml.encoding = "utf-8"
    xml.end = _end(xml.data)
    if xml.encoding is None:
        _settle(xml)
    if _ELEVEN.match(xml.data, xml.begin):
        _to_1_0(xml)
    return xml


def _wide(start: bytes) -> str | None:
    """The encoding of two or four bytes a character in which XML begins so; null when it is none."""
    told = next((name for bom, name in _BOMS if start.startswith(bom)), None)
    if told is None and _LOW_FIRST.match(start):
        return "utf-16-le"
    return "utf-16-be" if told is None and _HIGH_FIRST.match(start) else told


def _from_wide(data: bytes, encoding: str) -> bytes:
    last = data.rfind(b">") + 1
    width = 4 if encoding.startswith("utf-32") else 2
    last += -last % width
    if not data[last:].strip(_PADDING):
        data = data[:last]
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeError as error:
        reason = f"il testo non è in {encoding.upper()}, come annunciano i primi byte: {reasons.ASK}"
        raise RefusedFile(reason) from error


def _end(data: bytes | mmap.mmap) -> int:
    """Where the document ends but for padding."""
    end = len(data)
    while end:
        piece = data[max(0, end - _SLICE) : end]
        kept = len(piece.rstrip(_PADDING))
        if kept:
            return end - len(piece) + kept
        end -= len(piece)
    return 0


def _settle(xml: Xml) -> None:
    """Corrects an encoding that the declaration cannot mean: two bytes a character where there is one; Latin-1 with
    the signs that only Windows-1252 has."""
    name = xml.declared
    if name is None:
        return
    if _WIDE.fullmatch(name):
        try:
            xml.data[:].decode("utf-8")
        except UnicodeDecodeError as error:
            reason = f"il file dichiara {name} ma ha un byte per carattere, e non è neppure UTF-8: {reasons.ASK}"
            raise RefusedFile(reason, 1, name) from error
        xml.encoding = "utf-8"
        xml.notes.append(Note(XML_ENCODING, NOT_WIDE.format(name), 1, None, name))
    elif _LATIN1.fullmatch(name) and _C1.search(xml.data, xml.begin, xml.end):
        try:
            text = xml.data[xml.begin : xml.end].decode("cp1252")
        except UnicodeDecodeError:
            return
        xml.data, xml.encoding = text.encode(), "utf-8"
        xml.begin, xml.end = 0, len(xml.data)


def _to_1_0(xml: Xml) -> None:
    """Brings XML 1.1 back to 1.0, which is what the parser reads."""
    text = xml.data[xml.begin : xml.end]
    text, controls = _CONTROL.subn(b"", text)
    text, prefixes = _TAKEN_BACK.subn(b"", text)
    if (xml.encoding or xml.declared or "utf-8").lower().replace("-", "") == "utf8":
        text = _LINE_ENDS.sub(b" ", text)
    xml.data, xml.begin, xml.end = text, 0, len(text)
    if controls or prefixes:
        xml.notes.append(Note(XML_1_1, CONTROLS, 1, None, None, controls + prefixes))
