"""SDI's messages (MT, RC, MC, NS, NE, EC, SE, DT, AT) to rows of SDI_MESSAGES, one message a file.

The kind is told by the root element, the names of which changed between invoices to administrations and to others.
Which invoice a message is about, and what becomes of it, is told by the models `messages` and `sdi_invoice_states`.
"""

from __future__ import annotations

import copy
import re

from lxml import etree

from pcc_pipeline.formats import reasons
from pcc_pipeline.formats.fatturapa.open import ROOTS
from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.source import Counts, Sink, Source
from pcc_pipeline.formats.xml_envelopes import ENVELOPE, content, is_envelope
from pcc_pipeline.formats.xml_open import Xml, unwrapped
from pcc_pipeline.formats.xml_parse import tree
from pcc_pipeline.formats.xml_rows import Rows, day_in_rome
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


def parse_sdi_messages(source: Source, sink: Sink) -> Counts:
    """Reads one message into `sink`; returns the counts (one row accepted or refused)."""
    rows = Rows(SDI_MESSAGES, source, sink)
    notes: list[Note] = []
    try:
        root = _root(source, notes)
        name = local(root)
        if name in ROOTS:
            raise RefusedFile("è una fattura, non un messaggio SDI: consegnarla come sdi_invoices", line_of(root))
        kind = TYPES.get(name)
        if kind is None:
            raise RefusedFile(f"non è un messaggio SDI: l'elemento radice è {name[:80]}", line_of(root), name)
        rows.add({"file": source.file, "tipo": kind, **_values(root)}, line_of(root))
        named = _NAMED.search(source.file)
        if named and named[1].upper() != kind:
            # What the message says holds; the name is only told.
            rows.refuse(
                f"il nome dice {named[1].upper()}, il messaggio è {kind}: letto come {kind}",
                line_of(root),
                "file",
                source.file,
                rows=0,
            )
    except RefusedFile as refusal:
        rows.refuse(refusal.reason, refusal.line, value=refusal.value)
    return rows.finish(notes)


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
