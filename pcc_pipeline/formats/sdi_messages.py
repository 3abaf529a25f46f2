"""SDI's messages (MT, RC, MC, NS, NE, EC, SE, DT, AT) to rows of SDI_MESSAGES, one message a file.

The kind is told by the root element, the names of which changed between invoices to administrations and to others.
Which invoice a message is about, and what becomes of it, is told by the models `messages` and `sdi_invoice_states`.
"""

from __future__ import annotations

import re

from lxml import etree

from pcc_pipeline.formats.fatturapa.open import ROOTS
from pcc_pipeline.formats.source import Counts, Sink, Source
from pcc_pipeline.formats.xml_rows import Rows, day_in_rome
from pcc_pipeline.formats.xml_source import Refusal, below, elements, line_of, local, looks_xml, opened, text
from pcc_pipeline.tables.messages import SDI_MESSAGES

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
    try:
        root = _root(source)
        name = local(root)
        if name in ROOTS:
            raise Refusal("It is an invoice, not a message of SDI: deliver it as sdi_invoices", line_of(root))
        kind = TYPES.get(name)
        if kind is None:
            raise Refusal(f"It is no message of SDI: the root element is {name[:80]}", line_of(root), name)
        rows.add({"file": source.file, "tipo": kind, **_values(root)}, line_of(root))
        named = _NAMED.search(source.file)
        if named and named[1].upper() != kind:
            # What the message says holds; the name is only told.
            rows.refuse(
                f"The name says {named[1].upper()}, the message is {kind}: it was read as {kind}",
                line_of(root),
                "file",
                source.file,
                rows=0,
            )
    except Refusal as refusal:
        rows.refuse(refusal.reason, refusal.line, value=refusal.value)
    rows.flush()
    return rows.counts


def _root(source: Source) -> etree._Element:
    if not looks_xml(source.path):
        raise Refusal("It is no XML: a message of SDI is expected, plain or signed")
    if source.path.stat().st_size > MAX_BYTES:
        raise Refusal(f"The file is larger than any message of SDI ({MAX_BYTES} bytes)")
    with opened(source.path) as stream:
        # The whole message is wanted: its root ends last, and nothing inside is freed before.
        for _, element in elements(stream, _EVERYTHING):
            if element.getparent() is None:
                return element
    raise Refusal("The file is empty")


class _Everything(frozenset[str]):
    """Every name: the whole tree is kept."""

    def __contains__(self, _name: object) -> bool:
        return True


_EVERYTHING = _Everything()


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
