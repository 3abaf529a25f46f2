"""SIOPE+ payment orders (flusso ordinativi) and the treasurer's cash journal (giornale di cassa) to rows of ERP_OPI.

Both come in one folder and are told apart by their content. An order gives a row for each invoice block of each
beneficiary; where it names no invoice, a row without one, so that the order is not lost. A journal gives a row for
each movement of a payment order (mandato); collections (reversali) and pending items (sospesi) are not ours.
Which operation on an order stands, and what is paid, is told by the model `opi_payments`.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.reasons import NOT_XML
from pcc_pipeline.formats.source import Counts, Sink, Source
from pcc_pipeline.formats.xml_rows import Rows, amount, day
from pcc_pipeline.formats.xml_source import (
    RefusedFile,
    below,
    child,
    elements,
    line_of,
    local,
    looks_xml,
    opened,
    said,
    text,
)
from pcc_pipeline.tables.messages import ERP_OPI

ORDERS, JOURNAL = "flusso_ordinativi", "flusso_giornale_di_cassa"
_HEADS = {
    "identificativo_flusso": "identificativo_flusso",
    "identificativo_flusso_BT": "identificativo_flusso",
    "data_ora_creazione_flusso": "creato_il",
    "esercizio": "esercizio",
}
#: Other ways to write an operation.
_OPERATIONS = {
    "STORNO": "STORNATO",
    "ANNULLAMENTO": "ANNULLO",
    "SOSTITUITO": "SOSTITUZIONE",
    "RIPRISTINO": "RIPRISTINATO",
}

Values = dict[str, object]


def parse_opi(source: Source, sink: Sink) -> Counts:
    """Reads one flow into `sink`; returns the counts. Complete records before a defect of the XML stay."""
    rows = Rows(ERP_OPI, source, sink)
    head: Values = {}
    found = False
    notes: list[Note] = []
    try:
        if not looks_xml(source.path):
            raise RefusedFile(f"{NOT_XML}: si attende un flusso OPI o un giornale di cassa")
        with opened(source.path) as xml:
            notes = xml.notes
            for name, element in elements(xml, {"mandato", "movimento_conto_evidenza", *_HEADS}):
                if name in _HEADS:
                    # The same names occur again inside a movement's or an order's own blocks.
                    if next(element.iterancestors("{*}mandato", "{*}movimento_conto_evidenza"), None) is None:
                        head[_HEADS[name]] = said(element)
                elif name == "mandato":
                    found = True
                    for values in _order(element):
                        rows.add({**head, **_year(head, values), **values}, line_of(element))
                else:
                    found = True
                    if (text(element, "tipo_documento") or "").upper() == "MANDATO":
                        rows.add({**head, **_movement(element)}, line_of(element))
        if not found and not head:
            raise RefusedFile(f"non contiene né ordinativi ({ORDERS}) né un giornale di cassa ({JOURNAL})")
    except RefusedFile as refusal:
        rows.refuse(refusal.reason, refusal.line, value=refusal.value)
    return rows.finish(notes)


def _year(head: Values, values: Values) -> Values:
    """The order's financial year: the flow's, else that of its date."""
    written = values.get("data_mandato")
    if head.get("esercizio") or not isinstance(written, str):
        return {}
    return {"esercizio": written[:4]}


def _order(order: etree._Element) -> Iterator[Values]:
    operation = (text(order, "tipo_operazione") or "").upper()
    whole: Values = {
        "riga": "ORDINE",
        "tipo_operazione": _OPERATIONS.get(operation, operation) or None,
        "numero_mandato": _number(text(order, "numero_mandato")),
        "data_mandato": day(text(order, "data_mandato")),
    }
    beneficiaries = [element for element in order if local(element) == "informazioni_beneficiario"]
    if not beneficiaries:
        yield {**whole, "importo": amount(text(order, "importo_mandato"))}
    for beneficiary in beneficiaries:
        party = child(beneficiary, "beneficiario")
        replaced = next(below(order, "sostituzione_mandato"), None)
        one: Values = {
            **whole,
            "progressivo_beneficiario": text(beneficiary, "progressivo_beneficiario"),
            "importo_beneficiario": amount(text(beneficiary, "importo_beneficiario")),
            "beneficiario": text(party, "anagrafica_beneficiario"),
            "cf_beneficiario": text(party, "codice_fiscale_beneficiario"),
            "piva_beneficiario": text(party, "partita_iva_beneficiario"),
            "mandato_sostituito": _number(text(replaced, "numero_mandato_da_sostituire|numero_mandato")),
            "esercizio_sostituito": text(replaced, "esercizio_mandato_da_sostituire|esercizio"),
        }
        blocks = list(_blocks(beneficiary))
        if not blocks:
            yield {**one, "importo": one["importo_beneficiario"] or amount(text(order, "importo_mandato"))}
        for block in blocks:
            yield {**one, **block}


def _blocks(beneficiary: etree._Element) -> Iterator[Values]:
    for classified in below(beneficiary, "classificazione"):
        siope = child(classified, "classificazione_dati_siope_uscite")
        if siope is None:
            siope = classified
        debt = text(siope, "tipo_debito_siope_c|tipo_debito_siope_nc|tipo_debito_siope")
        common: Values = {
            "tipo_debito": None if debt is None else debt.upper().replace(" ", "_"),
            "cig": text(siope, "codice_cig_siope"),
            "motivo_esclusione_cig": text(siope, "motivo_esclusione_cig_siope"),
            "cup": text(classified, "codice_cup"),
        }
        invoices = list(below(siope, "fattura_siope"))
        if not invoices:
            yield {**common, "importo": amount(text(classified, "importo"))}
        for invoice in invoices:
            kind = text(invoice, "tipo_documento_siope_e|tipo_documento_siope_a|tipo_documento_siope")
            document: Values = {
                **common,
                "codice_ipa": text(invoice, "codice_ipa_ente_siope"),
                "tipo_documento": kind,
                "lotto_sdi": _number(text(invoice, "identificativo_lotto_sdi_siope")),
                "tipo_documento_analogico": text(invoice, "tipo_documento_analogico_siope"),
                "cf_emittente": text(invoice, "codice_fiscale_emittente_siope"),
                "anno_emissione": text(invoice, "anno_emissione_fattura_siope"),
            }
            for data in (element for element in invoice if local(element) == "dati_fattura_siope"):
                yield {
                    **document,
                    "numero_fattura": text(data, "numero_fattura_siope"),
                    "importo": amount(text(data, "importo_siope")),
                    "data_scadenza": day(text(data, "data_scadenza_pagam_siope")),
                    "motivo_scadenza": text(data, "motivo_scadenza_siope"),
                    "natura_spesa": text(data, "natura_spesa_siope"),
                }


def _movement(element: etree._Element) -> Values:
    operation = (text(element, "tipo_operazione") or "").upper()
    client = child(element, "cliente")
    made: Values = {
        "riga": "MOVIMENTO",
        "tipo_operazione": _OPERATIONS.get(operation, operation) or None,
        "numero_mandato": _number(text(element, "numero_documento")),
        "progressivo_beneficiario": _progressive(text(element, "progressivo_documento")),
        "importo": _unsigned(amount(text(element, "importo"))),
        "data_movimento": day(text(element, "data_movimento")),
        "numero_quietanza": text(element, "numero_bolletta_quietanza"),
        "beneficiario": text(client, "anagrafica_cliente"),
        "cf_beneficiario": text(client, "codice_fiscale_cliente"),
        "piva_beneficiario": text(client, "partita_iva_cliente"),
    }
    # A treasurer may write the day of payment only as the value date, or in the order's place.
    made["data_movimento"] = made["data_movimento"] or day(text(element, "data_valuta_ente"))
    return made


def _number(written: str | None) -> str | None:
    return None if written is None else written.lstrip("0") or "0"


def _progressive(written: str | None) -> str | None:
    """A movement's place in the order; 0 stands for the whole order."""
    return None if written is None or not written.strip("0") else written


def _unsigned(written: str | None) -> str | None:
    """A movement's amount: its operation has the sign, which some treasurers write a second time."""
    return None if written is None else written.removeprefix("-")
