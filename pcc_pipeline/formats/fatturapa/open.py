"""From a delivered file to the tree of one FatturaPA: containers, encodings, what is unsafe.

Here a file is unwrapped (.p7m, PEM, base64), DOCTYPEs are refused, encodings settled and names freed of their
namespaces, so that the readers see plain tags. What the elements mean is not known here.
"""

from __future__ import annotations

import binascii
import codecs
import mmap
import os
import re
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from pcc_pipeline.formats.fatturapa import large as fatturapa_large
from pcc_pipeline.formats.fatturapa import p7m

ROOTS = frozenset(("FatturaElettronica", "FatturaElettronicaSemplificata"))
#: SDI's own messages, with which an invoice is often delivered by mistake.
MESSAGES = frozenset(
    (
        "AttestazioneTrasmissioneFattura",
        "FileMetadati",
        "MetadatiInvioFile",
        "NotificaDecorrenzaTermini",
        "NotificaEsito",
        "NotificaEsitoCommittente",
        "NotificaMancataConsegna",
        "NotificaScarto",
        "RicevutaConsegna",
        "RicevutaImpossibilitaRecapito",
        "RicevutaScarto",
        "ScartoEsitoCommittente",
    )
)
#: SDI takes files of up to 150 MB; what is larger is no invoice.
MAX_BYTES = 256 * 1024 * 1024
#: From this size on attachments are cut out before the tree is built, see `fatturapa_large`.
LARGE_BYTES = 1024 * 1024

_ASCII_LIKE = re.compile(r"utf-?8|(us-)?ascii|latin-?1|iso-?8859-\d+|(windows|cp)-?125\d|cp-?(437|850)", re.I)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']""")
# Possessive and atomic: no text, however made, costs more than one pass.
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]*+=?\s*+=?\s*+")
_PROLOG = re.compile(rb"(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.S)
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
#: Namespaces that every file declares and no element of an invoice is in.
_FOREIGN = ("http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/XMLSchema-instance")
_PROLOG_BYTES = 2048
_DOCTYPE = "The XML declares a DOCTYPE (DTD, entities), which no FatturaPA has: unsafe, ask for a clean file"


class RefusedFile(Exception):
    """The whole file is refused: why, and at which line of the XML where one can be named."""

    def __init__(self, reason: str, line: int | None = None, value: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.line, self.value = reason, line, value


class OpenedDocument(NamedTuple):
    """One FatturaPA: its root with plain tags, its signature, and the sizes of attachments cut out of it."""

    root: etree._Element
    firma: str | None = None
    firmatario: str | None = None
    sizes: list[int | None] | None = None


def parser(encoding: str | None = None) -> etree.XMLParser:
    """A parser that reads nothing but the bytes it is given: no DTD, no entity, no network."""
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
    )


_PARSER = parser()
_UTF8 = parser("utf-8")


def line_of(element: etree._Element) -> int | None:
    """Line of the XML at which an element opens, from 1."""
    line: int | None = element.sourceline  # type: ignore[assignment]
    return line


def open_document(path: Path | str) -> OpenedDocument:
    """Reads and unwraps one file. Raises Refusal where it holds no FatturaPA that can be read safely."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - Path.open costs a third of the read
            size = os.fstat(stream.fileno()).st_size
            if size > MAX_BYTES:
                raise RefusedFile(f"The file has {size} bytes, more than any FatturaPA may have ({MAX_BYTES})")
            if size < LARGE_BYTES:
                return _open(stream.read())
            if not stream.peek(4)[:4].removeprefix(codecs.BOM_UTF8).startswith(b"<"):
                return _open(stream.read())
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
                return _document(view)
    except OSError as error:
        raise RefusedFile(f"The file cannot be read: {error.strerror}") from error


def _open(data: bytes) -> OpenedDocument:
    if data[:1] == b"<":
        return _document(data)
    firma: str | None = None
    signers: list[str] = []
    for _ in range(4):  # signed twice, and in base64, is met; deeper is no invoice
        head = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
        if head[:1] == b"<" or any(data.startswith(bom) for bom, _ in _BOMS):
            document = _document(data)
            return OpenedDocument(document.root, firma, "; ".join(signers) or None, document.sizes)
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
    raise RefusedFile("The file is wrapped more than four times: no FatturaPA is")


def from_base64(data: bytes) -> bytes:
    """The bytes behind base64 text: bare, with line breaks, or between PEM's BEGIN and END lines."""
    if not data or data.isspace():
        raise RefusedFile("The file is empty")
    text = data.removeprefix(codecs.BOM_UTF8)
    if text[:64].lstrip().startswith(b"-----BEGIN"):
        lines = text.strip().splitlines()
        text = b"".join(line for line in lines if not line.startswith(b"-----") and b":" not in line)
    try:
        if not _BASE64.fullmatch(text):
            raise binascii.Error
        return binascii.a2b_base64(text)
    except binascii.Error as error:
        shown = data[:60].decode("ascii", "replace")
        raise RefusedFile("It holds no XML: neither plain, nor signed (.p7m), nor in base64", 1, shown) from error


def _document(data: bytes | mmap.mmap) -> OpenedDocument:
    encoding = None
    if data[:2] != b"<?":
        encoding = next((name for bom, name in _BOMS if data[:4].startswith(bom)), None)
    if encoding is not None:
        try:
            data = data[:].decode(encoding).removeprefix("\ufeff").encode()
        except UnicodeDecodeError as error:
            reason = f"The text is not {encoding.upper()}, which its first bytes announce: {error.reason}"
            raise RefusedFile(reason) from error
    # A first look spares the parser most of them; what it misses is refused by docinfo below.
    if data.find(b"<!DOCTYPE", 0, _PROLOG_BYTES) >= 0:
        found = _PROLOG.match(data, 3 if data[:3] == codecs.BOM_UTF8 else 0)
        if found:
            raise RefusedFile(_DOCTYPE, data[: found.end()].count(b"\n") + 1)
    sizes: list[int | None] | None = None
    if len(data) >= LARGE_BYTES:
        data, sizes = fatturapa_large.without_attachments(data)
    text = data[:]
    try:
        root = _parse(text, encoding)
    except etree.XMLSyntaxError as error:
        raise RefusedFile(f"The XML is not well formed: {error.msg}", error.lineno) from error
    except (ValueError, LookupError) as error:
        raise RefusedFile(f"The XML cannot be read: {error}") from error
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None:
        raise RefusedFile(_DOCTYPE, 1)
    # The usual file has one namespace, and only the root in it. Whatever differs has its names made plain.
    nsmap = root.nsmap
    own = [f"{{{uri}}}*" for uri in nsmap.values() if uri not in _FOREIGN]
    if (
        None in nsmap
        or text.count(b"xmlns") != len(nsmap)
        or _ASCII_LIKE.fullmatch(info.encoding or "utf-8") is None
        or next(root.iterdescendants(*own), None) is not None
    ):
        for element in root.iter("{*}*"):
            element.tag = element.tag.rpartition("}")[2]
    name = root.tag.rpartition("}")[2]
    if name not in ROOTS:
        if name in MESSAGES:
            reason = f"It is a message of SDI ({name}), not an invoice: deliver it as sdi_messages"
            raise RefusedFile(reason, line_of(root))
        raise RefusedFile(f"It is no FatturaPA: the root element is {name[:80]}", line_of(root), name)
    return OpenedDocument(root, sizes=sizes)


def _parse(data: bytes, encoding: str | None) -> etree._Element:
    if encoding is not None:
        return etree.fromstring(data, _UTF8)
    try:
        return etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        # libxml2 knows few encodings by itself; what Python knows is read all the same.
        declared = _DECLARED.match(data)
        if declared is None or "encoding" not in (error.msg or "").lower():
            raise
        name = declared[1].decode()
        if name.lower().replace("_", "-") in ("utf-8", "utf8"):
            raise
        return etree.fromstring(data.decode(name).encode(), _UTF8)
