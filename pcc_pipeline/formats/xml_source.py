"""XML read safely and in one pass, whatever it is about: containers, DOCTYPEs, complete elements as they end.

Files may be signed (.p7m), in base64 or plain; nothing outside the bytes given is ever read. What the elements
mean is told by the modules that call (`opi`, `sdi_messages`, `pcc_answer`).
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from pcc_pipeline.formats.fatturapa import p7m
from pcc_pipeline.formats.fatturapa.open import MAX_BYTES, RefusedFile, from_base64, line_of

DOCTYPE = "The XML declares a DOCTYPE (DTD, entities), which no such file has: unsafe, ask for a clean file"
_XML_STARTS = (b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0\0<", b"<\0")
_PROLOG = re.compile(rb"(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.S)
_SPACE = b" \t\r\n"


def looks_xml(path: Path) -> bool:
    """Whether a file opens as XML does, plain, signed or in base64 (decided by its first bytes alone)."""
    with path.open("rb") as stream:
        start = stream.read(512)
    if p7m.looks_signed(start) or start.lstrip(_SPACE).startswith((b"-----BEGIN", b"PD94", b"MII")):
        return True
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
    return text.startswith(b"<") or start.startswith((b"\xff\xfe<\0", b"\xfe\xff\0<"))


def opened(path: Path) -> BinaryIO:
    """The XML inside a file, as a stream: the file itself where it is plain. Raises Refusal."""
    try:
        stream = path.open("rb")
        size = path.stat().st_size
        start = stream.read(64)
    except OSError as error:
        raise RefusedFile(f"The file cannot be read: {error.strerror}") from error
    if not start.strip():
        stream.close()
        raise RefusedFile("The file is empty")
    if start.lstrip(_SPACE).startswith(_XML_STARTS):
        leading = len(start) - len(start.lstrip(_SPACE))
        stream.seek(leading)  # a declaration must be the first thing
        return stream
    with stream:
        if size > MAX_BYTES:
            raise RefusedFile(f"The file has {size} bytes, more than a signed one may have ({MAX_BYTES})")
        data = start + stream.read()
    for _ in range(4):
        if data[:64].lstrip(_SPACE).startswith(_XML_STARTS):
            return io.BytesIO(data.lstrip(_SPACE))
        try:
            data = p7m.unwrap(data).content if p7m.looks_signed(data) else from_base64(data)
        except p7m.NotSigned as error:
            raise RefusedFile(str(error)) from error
    raise RefusedFile("The file is wrapped more than four times")


def elements(stream: BinaryIO, wanted: Collection[str]) -> Iterator[tuple[str, etree._Element]]:
    """The elements of those local names, each complete, as the file is read; what the caller has seen is freed.

    A wanted element inside another wanted one comes first and stays for the outer one. Raises Refusal at the
    first thing that cannot be read, with its line.
    """
    begin = stream.tell()
    if _PROLOG.match(stream.read(4096).removeprefix(b"\xef\xbb\xbf")):
        raise RefusedFile(DOCTYPE, 1)
    stream.seek(begin)
    depth = 0
    first = True
    try:
        for event, element in etree.iterparse(
            stream,
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            attribute_defaults=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        ):
            if first:
                info = element.getroottree().docinfo
                if info.internalDTD is not None or info.externalDTD is not None:
                    raise RefusedFile(DOCTYPE, 1)
                first = False
            name = local(element)
            if event == "start":
                depth += name in wanted
                continue
            if name in wanted:
                depth -= 1
                yield name, element
            if not depth:
                element.clear(keep_tail=False)
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]
    except etree.XMLSyntaxError as error:
        raise RefusedFile(f"The XML is not well formed: {error.msg}", error.lineno) from error
    except (ValueError, LookupError) as error:
        raise RefusedFile(f"The XML cannot be read: {error}") from error


def local(element: etree._Element) -> str:
    """An element's name without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def said(element: etree._Element | None) -> str | None:
    """An element's trimmed text; None where it is absent or empty."""
    if element is None or element.text is None:
        return None
    return element.text.strip() or None


def child(element: etree._Element | None, *names: str) -> etree._Element | None:
    """The first child of one of these local names."""
    if element is None:
        return None
    return next((inner for inner in element if local(inner) in names), None)


def text(element: etree._Element | None, *path: str) -> str | None:
    """The trimmed text at a path of local names below an element; `a|b` means either name."""
    for names in path:
        element = child(element, *names.split("|"))
    return said(element)


def below(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Every element of that local name below an element, in order."""
    return (inner for inner in element.iter("{*}" + name) if inner is not element)


__all__ = [
    "DOCTYPE",
    "Refusal",
    "below",
    "child",
    "elements",
    "line_of",
    "local",
    "looks_xml",
    "opened",
    "said",
    "text",
]
