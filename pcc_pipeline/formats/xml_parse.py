"""Parsing XML safely: no DTD, no entities, no network; and which errors of the parser are none of the document's.

A namespace that is no URI is an error to the parser that changes nothing in what it read; bytes after the end of the
document are none of it. Everything else refuses. How the bytes are found in a file is told in `xml_open`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from lxml import etree

from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.xml_open import RefusedFile, Xml
from pcc_pipeline.tables.notes import XML_TRAILING

DOCTYPE = "The XML declares a DOCTYPE (DTD, entities), which no such file has: unsafe, ask for a clean file"
TRAILING = "bytes after the end of the document: not read"
SECOND = "A second document follows the end of the first: deliver each in a file of its own"

_DOCTYPE_BYTES = 4096
_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.S)
#: A document that follows another: it begins at once, or has a declaration of its own.
_ANOTHER = re.compile(rb"\s*<[A-Za-z_]|<\?xml\s")
_URI = etree.ErrorTypes.WAR_NS_URI
_END = etree.ErrorTypes.ERR_DOCUMENT_END
#: libxml2 logs no more errors than this: beyond, prefixes without a namespace are looked for in the tree.
_LOGGED = 100


def parser(encoding: str | None = None, *, recover: bool = False, huge: bool = False) -> etree.XMLParser:
    """A parser that reads nothing but the bytes it is given."""
    return etree.XMLParser(
        encoding=encoding,
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=huge,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
    )


_USUAL = {name: parser(name) for name in (None, "utf-8")}


def line_of(element: etree._Element) -> int | None:
    """Line of the file at which an element opens, from 1."""
    line: int | None = element.sourceline  # type: ignore[assignment]
    return line


def local(element: etree._Element) -> str:
    """An element's name without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def refuse_doctype(text: bytes) -> None:
    """Raises RefusedFile where the text declares a DOCTYPE. A first look that spares the parser most of them."""
    if text.find(b"<!DOCTYPE", 0, _DOCTYPE_BYTES) >= 0 and (found := _PROLOG.match(text)):
        raise RefusedFile(DOCTYPE, text[: found.end()].count(b"\n") + 1)


def tree(xml: Xml, text: bytes, *, huge: bool = False) -> etree._Element:
    """The root of the document, whose bytes are `text`. Raises RefusedFile."""
    refuse_doctype(text)
    try:
        root = _parse(xml, text, huge)
    except etree.XMLSyntaxError as error:
        raise RefusedFile(f"The XML is not well formed: {error.msg}", error.lineno) from error
    except (ValueError, LookupError) as error:
        raise RefusedFile(f"The XML cannot be read: {error}") from error
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None:
        raise RefusedFile(DOCTYPE, 1)
    return root


def _parse(xml: Xml, text: bytes, huge: bool) -> etree._Element:
    encoding = xml.encoding
    used = parser(encoding, huge=True) if huge else _USUAL[encoding]
    try:
        return etree.fromstring(text, used)
    except etree.XMLSyntaxError as error:
        if _harmless(used.error_log):  # the error's own log is that of all parsers
            return _mended(xml, text, huge)
        # libxml2 knows few encodings by itself; what Python knows is read all the same.
        if encoding is not None or "encoding" not in (error.msg or "").lower():
            raise
        name = xml.declared
        if name is None or name.lower().replace("_", "-") in ("utf-8", "utf8"):
            raise
        xml.encoding = "utf-8"
        return _parse(xml, text.decode(name).encode(), huge)


def _mended(xml: Xml, text: bytes, huge: bool) -> etree._Element:
    again = parser(xml.encoding, recover=True, huge=huge)
    root = etree.fromstring(text, again)
    if root is None or not _harmless(again.error_log):
        raise RefusedFile("The XML is not well formed", 1)
    _no_bare_prefix(again.error_log, root.iter("*"))
    _look_after(xml, again.error_log, root)
    return root


def _harmless(log: etree._ListErrorLog) -> bool:
    """Whether every error of the log is of the two kinds that leave the document as it is."""
    errors = [entry for entry in log if entry.level_name != "WARNING"]
    return bool(errors) and all(entry.type in (_URI, _END) for entry in errors)


def _no_bare_prefix(log: etree._ListErrorLog, found: Iterator[etree._Element]) -> None:
    if len(log) >= _LOGGED and any(":" in local(element) for element in found):
        raise RefusedFile("The XML is not well formed: a prefix is not declared", 1)


def _look_after(xml: Xml, log: etree._ListErrorLog, root: etree._Element) -> None:
    """Notes what follows the document. Raises RefusedFile where that is another one."""
    line = next((entry.line for entry in log if entry.type == _END), None)
    if line is None:
        return
    rest = xml.after((f"{root.prefix}:" if root.prefix else "").encode() + local(root).encode())
    if not rest or _ANOTHER.match(rest) or b"<?xml" in rest:
        raise RefusedFile(SECOND, line)
    xml.notes.append(Note(XML_TRAILING, TRAILING, line, None, f"{len(rest)} bytes"))


def elements(xml: Xml, wanted: Collection[str]) -> Iterator[tuple[str, etree._Element]]:
    """The elements of those local names, each complete, as the file is read; what the caller has seen is freed.

    A wanted element inside another wanted one comes first and stays for the outer one. Raises RefusedFile at the
    first thing that cannot be read, with its line.
    """
    refuse_doctype(xml.data[xml.begin : xml.begin + _DOCTYPE_BYTES])
    events = etree.iterparse(
        xml,
        events=("start", "end"),
        encoding=xml.encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    wanted_open = 0
    root: etree._Element | None = None
    whole = bare = False
    try:
        for event, element in events:
            if root is None:
                root = element
                info = element.getroottree().docinfo
                if info.internalDTD is not None or info.externalDTD is not None:
                    raise RefusedFile(DOCTYPE, 1)
            name = local(element)
            bare = bare or ":" in name
            if event == "start":
                wanted_open += name in wanted
                continue
            whole = element is root
            if name in wanted:
                wanted_open -= 1
                yield name, element
            if not wanted_open:
                element.clear(keep_tail=False)
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]
    except etree.XMLSyntaxError as error:
        if root is None or not whole or bare or not _harmless(events.error_log):
            raise RefusedFile(f"The XML is not well formed: {error.msg}", error.lineno) from error
        _look_after(xml, events.error_log, root)
    except (ValueError, LookupError) as error:
        raise RefusedFile(f"The XML cannot be read: {error}") from error
