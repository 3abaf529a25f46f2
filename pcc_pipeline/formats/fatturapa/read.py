"""From the tree of one FatturaPA to untyped rows: one a body, and the records inside it.

This is the loop that runs for every element of every invoice, so it only collects text: typing is done by
column over many invoices in `fatturapa_type`, and what is wrong is explained in `fatturapa_explain`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from pcc_pipeline.formats.fatturapa.large import text_size
from pcc_pipeline.formats.fatturapa.open import OpenedDocument

Texts = tuple[str | int | None, ...]

#: Columns of `Raw.rows`, in order.
ROW = (
    "source",
    "line",
    "firma",
    "firmatario",
    "formato",
    "progressivo_invio",
    "codice_destinatario",
    "id_fiscale_iva",
    "cf_fornitore",
    "denominazione_fornitore",
    "regime_fiscale",
    "id_fiscale_iva_committente",
    "cf_committente",
    "denominazione_committente",
    "tipo_documento",
    "divisa",
    "numero",
    "data_emissione",
    "importo_totale",
    "arrotondamento",
    "bollo",
    "causale",
    "cig",
    "cup",
)
#: Records of a body, members in the order of the feed's description (then, of the VAT summary, Importo).
RECORDS = ("riepilogo_iva", "pagamenti", "riferimenti", "ritenute", "casse", "allegati")

REFERENCES = {
    "DatiOrdineAcquisto": "ordine",
    "DatiContratto": "contratto",
    "DatiConvenzione": "convenzione",
    "DatiRicezione": "ricezione",
    "DatiFattureCollegate": "fatture_collegate",
}
_NESTED = frozenset(("DatiBollo", "DatiRitenuta", "DatiCassaPrevidenziale"))


@dataclass
class RawInvoice:
    """Untyped rows of many files. `ends` holds, for each kind of record, where each row's records end."""

    rows: list[Texts] = field(default_factory=list)
    records: dict[str, list[Texts]] = field(default_factory=lambda: {name: [] for name in RECORDS})
    ends: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in RECORDS})
    #: Rows in which an element occurs twice where the schema has it once: to be looked at.
    odd: list[int] = field(default_factory=list)

    def add(self, document: OpenedDocument, source: int) -> int:
        """Adds every body of a document, told by the index of its source; returns how many."""
        header = None
        headers = 0
        bodies = []
        for child in document.root:
            if child.tag == "FatturaElettronicaBody":
                bodies.append(child)
            elif child.tag == "FatturaElettronicaHeader":
                header = child
                headers += 1
        if not bodies:
            return 0
        head, repeated = _header(header, document.root)
        signed = (document.firma, document.firmatario)
        sizes = None if document.sizes is None else iter(document.sizes)
        for line, body in enumerate(bodies, 1):
            texts, again = self._body(body, sizes)
            if again or repeated or headers > 1:
                self.odd.append(len(self.rows))
            self.rows.append((source, line, *signed, *head, *texts))
            for name, records in self.records.items():
                self.ends[name].append(len(records))
        return len(bodies)

    def _body(self, body: etree._Element, sizes: Iterator[int | None] | None) -> tuple[Texts, bool]:
        document: dict[str, str | None] = {}
        causale: list[str] = []
        cigs: set[str] = set()
        cups: set[str] = set()
        bollo = None
        odd = False
        for block in body:
            tag = block.tag
            if tag == "DatiGenerali":
                for part in block:
                    name = part.tag
                    if name == "DatiGeneraliDocumento":
                        odd |= bool(document)
                        document |= {x.tag: x.text for x in part}
                        if len(document) != len(part) or not _NESTED.isdisjoint(document):
                            odd |= self._general(part, causale)
                            bollo = part.findtext("DatiBollo/ImportoBollo")
                        elif said := document.get("Causale"):
                            causale.append(said)
                    elif name in REFERENCES:
                        odd |= self._reference(part, cigs, cups)
                    elif name == "DatiFatturaRettificata":
                        get = {x.tag: x.text for x in part}.get
                        self.records["riferimenti"].append(
                            ("fatture_collegate", get("NumeroFR"), get("DataFR"), None, None, None)
                        )
            elif tag == "DatiBeniServizi":
                odd |= self._vat_summary(block)
            elif tag == "DatiPagamento":
                odd |= self._payments(block)
            elif tag == "Allegati":
                self.records["allegati"].append(_attachment(block, sizes))
        get = document.get
        return (
            get("TipoDocumento"),
            get("Divisa"),
            get("Numero"),
            get("Data"),
            get("ImportoTotaleDocumento"),
            get("Arrotondamento"),
            bollo,
            " ".join(causale),
            cigs.pop() if len(cigs) == 1 else None,
            cups.pop() if len(cups) == 1 else None,
        ), odd

    def _reference(self, part: etree._Element, cigs: set[str], cups: set[str]) -> bool:
        """Adds what a body refers to, and its codes; says whether what may not repeat does (as in the next ones)."""
        inner = {x.tag: x.text for x in part}
        get = inner.get
        cig, cup = get("CodiceCIG"), get("CodiceCUP")
        if cig and (cig := cig.strip()):
            cigs.add(cig)
        if cup and (cup := cup.strip()):
            cups.add(cup)
        self.records["riferimenti"].append(
            (REFERENCES[part.tag], get("IdDocumento"), get("Data"), cig, cup, get("CodiceCommessaConvenzione"))
        )
        return len(inner) != len(part) and len(inner) - 1 + len(part.findall("RiferimentoNumeroLinea")) != len(part)

    def _vat_summary(self, block: etree._Element) -> bool:
        odd = False
        for part in block.iterchildren("DatiRiepilogo", "Importo"):
            if part.tag == "Importo":  # FSM10: the block is one supply, and repeats
                self.records["riepilogo_iva"].append(_simplified(block))
                break
            inner = {x.tag: x.text for x in part}
            get = inner.get
            odd |= len(inner) != len(part)
            self.records["riepilogo_iva"].append(
                (
                    get("AliquotaIVA"),
                    get("Natura"),
                    get("ImponibileImporto"),
                    get("Imposta"),
                    get("EsigibilitaIVA"),
                    None,
                )
            )
        return odd

    def _payments(self, block: etree._Element) -> bool:
        odd = False
        condizioni = None
        for part in block:
            if part.tag == "CondizioniPagamento":
                condizioni = part.text
            elif part.tag == "DettaglioPagamento":
                inner = {x.tag: x.text for x in part}
                get = inner.get
                odd |= len(inner) != len(part)
                self.records["pagamenti"].append(
                    (
                        condizioni,
                        get("ModalitaPagamento"),
                        get("DataScadenzaPagamento"),
                        get("DataRiferimentoTerminiPagamento"),
                        get("GiorniTerminiPagamento"),
                        get("ImportoPagamento"),
                        get("IBAN"),
                        get("Beneficiario"),
                    )
                )
        return odd

    def _general(self, part: etree._Element, causale: list[str]) -> bool:
        """Collects what repeats or nests in DatiGeneraliDocumento; says whether what may not repeat does."""
        seen: set[str] = set()
        odd = False
        for leaf in part:
            key = leaf.tag
            if key == "Causale":
                if leaf.text:
                    causale.append(leaf.text)
                continue
            get = {x.tag: x.text for x in leaf}.get
            if key == "DatiRitenuta":
                self.records["ritenute"].append(
                    (
                        get("TipoRitenuta"),
                        get("ImportoRitenuta"),
                        get("AliquotaRitenuta"),
                        get("CausalePagamento"),
                    )
                )
            elif key == "DatiCassaPrevidenziale":
                self.records["casse"].append(
                    (
                        get("TipoCassa"),
                        get("AlCassa"),
                        get("ImportoContributoCassa"),
                        get("ImponibileCassa"),
                        get("AliquotaIVA"),
                        get("Natura"),
                    )
                )
            elif key != "ScontoMaggiorazione":
                odd |= key in seen
                seen.add(key)
                continue
            odd |= len({x.tag for x in leaf}) != len(leaf)
        return odd


def _header(header: etree._Element | None, root: etree._Element) -> tuple[Texts, bool]:
    sent: dict[str, str | None] = {}
    supplier: dict[str, str | None] = {}
    customer: dict[str, str | None] = {}
    odd = False
    for block in header if header is not None else ():
        tag = block.tag
        if tag == "CedentePrestatore":
            odd |= _party(block, supplier)
        elif tag == "DatiTrasmissione":
            sent = {x.tag: x.text for x in block}
            odd |= len(sent) != len(block)
        elif tag == "CessionarioCommittente":
            odd |= _party(block, customer)
    get = supplier.get
    its = customer.get
    return (
        # `versione` holds the same code as FormatoTrasmissione (schema 1.2), and is all that some files have.
        (sent.get("FormatoTrasmissione") or "").strip() or root.get("versione"),
        sent.get("ProgressivoInvio"),
        sent.get("CodiceDestinatario"),
        _vat(supplier),
        get("CodiceFiscale"),
        _name(supplier),
        get("RegimeFiscale"),
        _vat(customer),
        its("CodiceFiscale"),
        _name(customer),
    ), odd


def _party(block: etree._Element, into: dict[str, str | None]) -> bool:
    """Collects who a party is, in the ordinary or simplified layout; says whether something occurs twice."""
    odd = False
    for leaf in block:
        tag = leaf.tag
        if tag in ("IdFiscaleIVA", "Anagrafica"):
            for part in leaf:
                odd |= part.tag in into
                into[part.tag] = part.text
        elif tag in ("DatiAnagrafici", "IdentificativiFiscali", "AltriDatiIdentificativi"):
            odd |= _party(leaf, into)
            if tag == "DatiAnagrafici":  # all else of the ordinary layout is addresses
                break
        elif tag in ("CodiceFiscale", "Denominazione", "Nome", "Cognome", "RegimeFiscale"):
            odd |= tag in into
            into[tag] = leaf.text
    return odd


def _vat(party: dict[str, str | None]) -> str | None:
    country, code = (party.get("IdPaese") or "").strip(), (party.get("IdCodice") or "").strip()
    return country + code if country and code else None


def _name(party: dict[str, str | None]) -> str | None:
    name = party.get("Denominazione")
    if name and (name := name.strip()):
        return name
    return " ".join(n for n in ((party.get("Nome") or "").strip(), (party.get("Cognome") or "").strip()) if n)


def _simplified(block: etree._Element) -> Texts:
    supply = {x.tag: x.text for x in block}
    inner = block.find("DatiIVA")
    vat = {} if inner is None else {x.tag: x.text for x in inner}
    return (vat.get("Aliquota"), supply.get("Natura"), None, vat.get("Imposta"), None, supply.get("Importo"))


def _attachment(block: etree._Element, sizes: Iterator[int | None] | None) -> Texts:
    get: dict[str, str | None] = {}
    size: int | None = None
    for leaf in block:
        if leaf.tag != "Attachment":
            get[leaf.tag] = leaf.text
        elif sizes is None:
            size = text_size(leaf.text)
        else:
            size = next(sizes, None)
    return (
        get.get("NomeAttachment"),
        get.get("FormatoAttachment"),
        get.get("AlgoritmoCompressione"),
        get.get("DescrizioneAttachment"),
        size,
    )
