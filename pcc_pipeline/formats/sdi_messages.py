"""SDI's messages (MT, RC, MC, NS, NE, EC, SE, DT, AT) to rows of SDI_MESSAGES, one message a file.

The kind is told by the root element, the names of which changed between invoices to administrations and to others.
Which invoice a message is about, and what becomes of it, is told by the models `messages` and `sdi_invoice_states`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isqrt

from lxml import etree

from pcc_pipeline.formats import reasons
from pcc_pipeline.formats.fatturapa.open import ROOTS
from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.source import Counts, Sink, Source
from pcc_pipeline.formats.xml_envelopes import ENVELOPE, content, is_envelope
from pcc_pipeline.formats.xml_open import Xml, unwrapped
from pcc_pipeline.formats.xml_parse import tree
from pcc_pipeline.formats.xml_rows import Rows, day_in_rome, plain_rows
from pcc_pipeline.formats.xml_source import RefusedFile, below, line_of, local, looks_xml, opened, text
from pcc_pipeline.tables.messages import SDI_MESSAGES
from pcc_pipeline.tables.notes import WRAPPED

#: Root element -> message. Source: FatturaPA MessaggiTypes v1.1 and the later messages to private customers.
TYPES = {
    "MetadatiInvioFile": "MT",
    "FileMetadati": "MT",
    "RicevutaConsegna": "RC",
    "NotificaMancataConsegna": "MC",
    "RicevutaImpossibilitaRecapito": "MC",
    "NotificaScarto": "NS",
    "RicevutaScarto": "NS",
    "NotificaEsito": "NE",
    "NotificaEsitoCommittente": "EC",
    "ScartoEsitoCommittente": "SE",
    "NotificaDecorrenzaTermini": "DT",
    "AttestazioneTrasmissioneFattura": "AT",
}
_NAMED = re.compile(r"_(MT|RC|MC|NS|NE|EC|SE|DT|AT)_[0-9A-Za-z]+\.(?:xml|xml\.p7m|p7m)$", re.I)
#: A message is a page of text; what is larger is none.
MAX_BYTES = 16 << 20
#: So many messages are typed together at most.
TOGETHER = 2_000


@dataclass
class _Read:
    """What one file gave: the values of its message (None: it is none), where it begins, and what is wrong with it."""

    source: Source
    values: dict[str, object] | None = None
    line: int | None = None
    refusals: list[RefusedFile] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def parse_sdi_messages(sources: Sequence[Source], sink: Sink) -> dict[str, Counts]:
    """Reads messages, one a file, into `sink`; returns the counts of each delivery (one row accepted or refused).

    Messages of one ente are typed together; those of which there is something to say, each by itself.
    """
    counts: dict[str, Counts] = {}
    for some in _groups(sources):
        read = [_read(source) for source in some]
        plain = [one for one in read if one.values is not None and not one.refusals and not one.notes]
        counts |= _give_together(plain, sink)
        counts |= {one.source.delivery: _give(one, sink) for one in read if one.source.delivery not in counts}
    return counts


def _groups(sources: Sequence[Source]) -> Iterator[list[Source]]:
    """The sources in groups of one ente, bounded by their number and their bytes."""
    group: list[Source] = []
    size = 0
    for source in sources:
        more = source.path.stat().st_size
        if group and (source.ente != group[0].ente or len(group) >= TOGETHER or size + more > MAX_BYTES):
            yield group
            group, size = [], 0
        group.append(source)
        size += more
    if group:
        yield group


def _read(source: Source) -> _Read:
    found = _Read(source)
    try:
        root = _root(source, found.notes)
        name = local(root)
        if name in ROOTS:
            raise RefusedFile("è una fattura, non un messaggio SDI: consegnarla come sdi_invoices", line_of(root))
        kind = TYPES.get(name)
        if kind is None:
            raise RefusedFile(f"non è un messaggio SDI: l'elemento radice è {name[:80]}", line_of(root), name)
    except RefusedFile as refusal:
        found.refusals.append(refusal)
        return found
    found.values, found.line = {"file": source.file, "tipo": kind, **_values(root)}, line_of(root)
    named = _NAMED.search(source.file)
    if named and named[1].upper() != kind:
        # What the message says holds; the name is only told.
        told = f"il nome dice {named[1].upper()}, il messaggio è {kind}: letto come {kind}"
        found.refusals.append(RefusedFile(told, found.line, source.file))
    return found


def _give(read: _Read, sink: Sink) -> Counts:
    rows = Rows(SDI_MESSAGES, read.source, sink)
    if read.values is not None:
        rows.add(read.values, read.line)
    for refusal in read.refusals:
        about_name = read.values is not None
        rows.refuse(refusal.reason, refusal.line, "file" if about_name else None, refusal.value, rows=0 if about_name else 1)
    return rows.finish(read.notes)


def _give_together(read: Sequence[_Read], sink: Sink) -> dict[str, Counts]:
    """Gives rows of many files at once where nothing else is to be said of them; else of fewer at a time."""
    if len(read) == 1:
        return {read[0].source.delivery: _give(read[0], sink)}
    if not read:
        return {}
    rows = plain_rows(SDI_MESSAGES, [one.source for one in read], [one.values or {} for one in read])
    if rows is not None:
        sink.rows(rows)
        return {one.source.delivery: Counts(1) for one in read}
    size = isqrt(len(read))
    pieces = (read[start : start + size] for start in range(0, len(read), size))
    return {name: count for piece in pieces for name, count in _give_together(piece, sink).items()}


def _root(source: Source, notes: list[Note]) -> etree._Element:
    if not looks_xml(source.path):
        raise RefusedFile(f"{reasons.NOT_XML}: si attende un messaggio SDI")
    if (size := source.path.stat().st_size) > MAX_BYTES:
        raise RefusedFile(reasons.too_large(size, MAX_BYTES))
    with opened(source.path) as xml:
        return _message(xml, notes)


def _message(xml: Xml, notes: list[Note], *, wrapped: bool = False) -> etree._Element:
    """The message itself: in an envelope, the metadata that came with an invoice, else the file it holds."""
    text = xml.text()
    if not text:
        raise RefusedFile(reasons.EMPTY_FILE)
    root = tree(xml, text)
    notes += xml.notes
    if wrapped or not is_envelope(text):
        return root
    inside = [element for element in root.iter("{*}*") if local(element) in TYPES]
    if len(inside) > 1:
        raise RefusedFile(reasons.several("un messaggio"), line_of(inside[1]))
    notes.append(Note(WRAPPED, ENVELOPE, 1, None, local(root)))
    if inside:
        return copy.deepcopy(inside[0])
    return _message(unwrapped(content(root, ("Metadati", "File"))), notes, wrapped=True)


def _values(root: etree._Element) -> dict[str, object]:
    # A NotificaEsito holds the customer's outcome, with a second IdentificativoSdI of its own.
    outcome = next(below(root, "EsitoCommittente"), root)
    reference = next(below(root, "RiferimentoFattura"), None)
    archive = next(below(root, "RiferimentoArchivio"), None)
    errors = [
        " ".join(part for part in (text(error, "Codice"), text(error, "Descrizione")) if part)
        for error in below(root, "Errore")
    ]
    received = text(root, "DataOraRicezione")
    return {
        "identificativo_sdi": text(root, "IdentificativoSdI"),
        "nome_file": text(root, "NomeFile"),
        "archivio_sdi": text(archive, "IdentificativoSdI"),
        "data_ricezione": day_in_rome(received),
        "data_ora": received,
        "data_consegna": day_in_rome(text(root, "DataOraConsegna")),
        "codice_destinatario": text(root, "CodiceDestinatario") or text(root, "Destinatario", "Codice"),
        "formato": text(root, "Formato"),
        "esito": text(outcome, "Esito"),
        "numero_fattura": text(reference, "NumeroFattura"),
        "anno_fattura": text(reference, "AnnoFattura"),
        "posizione": text(reference, "PosizioneFattura"),
        "descrizione": text(outcome, "Descrizione") or text(root, "Descrizione"),
        "scarto": text(root, "Scarto"),
        "errori": "; ".join(errors) or None,
        "message_id": text(root, "MessageId"),
        "message_id_committente": text(outcome, "MessageIdCommittente") or text(root, "MessageIdCommittente"),
    }
