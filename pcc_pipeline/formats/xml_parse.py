"""Parsing XML safely: no DTD, no entities, no network; and which errors of the parser are none of the document's.

A namespace that is no URI is an error to the parser that changes nothing in what it read; bytes after the end of the
document are none of it. Everything else refuses. How the bytes are found in a file is told in `xml_open`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from lxml import etree

from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.reasons import ASK, ONE_EACH
from pcc_pipeline.formats.xml_open import RefusedFile, Xml
from pcc_pipeline.tables.notes import XML_TRAILING

DOCTYPE = f"l'XML dichiara un DOCTYPE (DTD, entità), che un file simile non ha: non è sicuro, {ASK}"
TRAILING = "byte dopo la fine del documento: non letti"
SECOND = f"un secondo documento segue la fine del primo: {ONE_EACH}"

_DOCTYPE_BYTES = 4096
_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.S)
#: A document that follows another: it begins at once, or has a declaration of its own.
_ANOTHER = re.compile(rb"\s*<[A-Za-z_]|<\?xml\s")
_URI = etree.ErrorTypes.WAR_NS_URI
_END = etree.ErrorTypes.ERR_DOCUMENT_END
#: What the parser's commonest errors say, in Italian; another is told by its number.
_SAID = {
    etree.ErrorTypes.ERR_DOCUMENT_EMPTY: "non comincia con un elemento",
    _END: "altro testo dopo la fine del documento",
    etree.ErrorTypes.ERR_INVALID_CHAR: "carattere che l'XML non ammette",
    etree.ErrorTypes.ERR_UNDECLARED_ENTITY: "entità non definita",
    etree.ErrorTypes.ERR_UNSUPPORTED_ENCODING: "codifica sconosciuta",
    etree.ErrorTypes.ERR_LT_IN_ATTRIBUTE: "segno < in un attributo",
    etree.ErrorTypes.ERR_ATTRIBUTE_NOT_STARTED: "attributo senza virgolette",
    etree.ErrorTypes.ERR_ATTRIBUTE_NOT_FINISHED: "virgolette di un attributo non chiuse",
    etree.ErrorTypes.ERR_ATTRIBUTE_REDEFINED: "attributo ripetuto",
    etree.ErrorTypes.ERR_COMMENT_NOT_FINISHED: "commento non chiuso",
    etree.ErrorTypes.ERR_RESERVED_XML_NAME: "dichiarazione XML non all'inizio del documento",
    etree.ErrorTypes.ERR_NAME_REQUIRED: "segno < o & che non introduce un nome",
    etree.ErrorTypes.ERR_ENTITYREF_SEMICOL_MISSING: "segno & senza il punto e virgola dell'entità",
    etree.ErrorTypes.ERR_GT_REQUIRED: "tag non chiuso",
    etree.ErrorTypes.ERR_TAG_NAME_MISMATCH: "il tag di chiusura non è quello dell'elemento aperto",
    etree.ErrorTypes.ERR_TAG_NOT_FINISHED: "il file finisce prima della fine del documento",
    etree.ErrorTypes.ERR_INVALID_ENCODING: "byte che la codifica dichiarata non ha",
    etree.ErrorTypes.ERR_RESOURCE_LIMIT: "elementi troppo annidati, o testi troppo lunghi",
    _URI: "spazio dei nomi non valido, e un prefisso non dichiarato",
    etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE: "prefisso non dichiarato",
}
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


def _malformed(code: int | None) -> str:
    """Why the parser stopped; `code` is its error, null where it gave none."""
    told = None if code is None else _SAID.get(code, f"errore {code} del lettore")
    return "XML malformato" + (f": {told}" if told else "")


def _stopped(error: etree.XMLSyntaxError) -> RefusedFile:
    """The refusal for an error of the parser."""
    return RefusedFile(_malformed(error.code), error.lineno)  # type: ignore[attr-defined]


def _unreadable(xml: Xml, error: Exception) -> str:
    """Why the bytes give no text."""
    encoding = xml.declared or "UTF-8"
    if isinstance(error, UnicodeError):
        return f"l'XML non è nella codifica che dichiara ({encoding})"
    if isinstance(error, LookupError):
        return f"l'XML dichiara una codifica sconosciuta ({encoding})"
    return f"l'XML non si legge ({type(error).__name__})"


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
        raise _stopped(error) from error
    except (ValueError, LookupError) as error:
        raise RefusedFile(_unreadable(xml, error)) from error
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
        raise RefusedFile(_malformed(None), 1)
    _no_bare_prefix(again.error_log, root.iter("*"))
    _look_after(xml, again.error_log, root)
    return root


def _harmless(log: etree._ListErrorLog) -> bool:
    """Whether every error of the log is of the two kinds that leave the document as it is."""
    errors = [entry for entry in log if entry.level_name != "WARNING"]
    return bool(errors) and all(entry.type in (_URI, _END) for entry in errors)


def _no_bare_prefix(log: etree._ListErrorLog, found: Iterator[etree._Element]) -> None:
    if len(log) >= _LOGGED and any(":" in local(element) for element in found):
        raise RefusedFile(_malformed(etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE), 1)


def _look_after(xml: Xml, log: etree._ListErrorLog, root: etree._Element) -> None:
    """Notes what follows the document. Raises RefusedFile where that is another one."""
    line = next((entry.line for entry in log if entry.type == _END), None)
    if line is None:
        return
    rest = xml.after((f"{root.prefix}:" if root.prefix else "").encode() + local(root).encode())
    if not rest or _ANOTHER.match(rest) or b"<?xml" in rest:
        raise RefusedFile(SECOND, line)
    xml.notes.append(Note(XML_TRAILING, TRAILING, line, None, f"{len(rest)} byte"))


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
            raise _stopped(error) from error
        _look_after(xml, events.error_log, root)
    except (ValueError, LookupError) as error:
        raise RefusedFile(_unreadable(xml, error)) from error
