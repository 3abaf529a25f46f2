"""From a delivered file to the tree of one FatturaPA: taken out of envelopes, its names freed of their namespaces.

The readers see plain tags. How a file is opened is told in `xml_open`, how it is parsed in `xml_parse`; what the
elements mean is not known here.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from pcc_pipeline.formats.fatturapa import large as fatturapa_large
from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.reasons import several
from pcc_pipeline.formats.xml_envelopes import ENVELOPE, content, is_envelope
from pcc_pipeline.formats.xml_open import MAX_BYTES, RefusedFile, Xml, opened, unwrapped
from pcc_pipeline.formats.xml_parse import line_of, local, refuse_doctype, tree
from pcc_pipeline.tables.notes import WRAPPED

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
#: From this size on attachments are cut out before the tree is built, see `large`.
LARGE_BYTES = 1024 * 1024

_ASCII_LIKE = re.compile(r"utf-?8|(us-)?ascii|latin-?1|iso-?8859-\d+|(windows|cp)-?125\d|cp-?(437|850)", re.I)
#: Namespaces that every file declares and no element of an invoice is in.
_FOREIGN = ("http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/XMLSchema-instance")


class OpenedDocument(NamedTuple):
    """One FatturaPA: its root with plain tags, its signature, the sizes of attachments cut out of it, and notes on how
    it was read."""

    root: etree._Element
    firma: str | None = None
    firmatario: str | None = None
    sizes: list[int | None] | None = None
    notes: tuple[Note, ...] = ()


def open_document(path: Path | str) -> OpenedDocument:
    """Reads and unwraps one file. Raises RefusedFile where it holds no FatturaPA that can be read safely."""
    with opened(path, largest=MAX_BYTES) as xml:
        return _document(xml)


def _document(xml: Xml) -> OpenedDocument:
    text = xml.text()
    sizes: list[int | None] | None = None
    wrapped = is_envelope(text)
    if len(text) >= LARGE_BYTES and not wrapped:
        refuse_doctype(text)
        cut, sizes = fatturapa_large.without_attachments(text)
        text = cut[:]
    root = tree(xml, text, huge=wrapped)
    if wrapped:
        return _from_envelope(xml, root)
    _plain(xml, root, text)
    _only_an_invoice(root)
    return OpenedDocument(root, xml.firma, xml.firmatario, sizes, tuple(xml.notes))


def _from_envelope(xml: Xml, root: etree._Element) -> OpenedDocument:
    """The invoice in an envelope: an element of it, or a file in base64."""
    inside = [element for element in root.iter("{*}*") if local(element) in ROOTS]
    if len(inside) > 1:
        raise RefusedFile(several("una fattura"), line_of(inside[1]))
    note = Note(WRAPPED, ENVELOPE, 1, None, local(root))
    if inside:
        invoice = copy.deepcopy(inside[0])
        invoice.tail = None
        _without_namespaces(invoice)
        return OpenedDocument(invoice, xml.firma, xml.firmatario, None, (*xml.notes, note))
    found = _document(unwrapped(content(root, ("File",))))
    return found._replace(
        firma=found.firma or xml.firma,
        firmatario=found.firmatario or xml.firmatario,
        notes=(*xml.notes, note, *found.notes),
    )


def _plain(xml: Xml, root: etree._Element, text: bytes) -> None:
    """Makes the names plain. The usual file has one namespace, and only the root in it: it has no work to do."""
    nsmap = root.nsmap
    own = [f"{{{uri}}}*" for uri in nsmap.values() if uri not in _FOREIGN]
    encoding = xml.encoding or root.getroottree().docinfo.encoding or "utf-8"
    if (
        None in nsmap
        or text.count(b"xmlns") != len(nsmap)
        or _ASCII_LIKE.fullmatch(encoding) is None
        or next(root.iterdescendants(*own), None) is not None
    ):
        _without_namespaces(root)


def _without_namespaces(root: etree._Element) -> None:
    for element in root.iter("{*}*"):
        element.tag = local(element)


def _only_an_invoice(root: etree._Element) -> None:
    name = local(root)
    if name in ROOTS:
        return
    if name in MESSAGES:
        reason = f"è un messaggio SDI ({name}), non una fattura: consegnarlo come sdi_messages"
        raise RefusedFile(reason, line_of(root))
    raise RefusedFile(f"non è una FatturaPA: l'elemento radice è {name[:80]}", line_of(root), name)
