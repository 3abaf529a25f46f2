"""PCC's own answers in XML (`statoContabileFattura`, namespace http://www.tesoro.it/fatture) to rows of PCC_INVOICES.

The same columns as the CSV; the movements that an answer carries come with their document (column `movimenti`) and
become movements in `stg_pcc_operations`. Element names follow dettaglioDocumentoTipo, dettaglioFatturaTipo and
dettaglioMovimentoTipo of the service's schema; a SOAP envelope around them is passed by.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from lxml import etree

from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.source import Counts, Sink, Source
from pcc_pipeline.formats.xml_rows import Rows, amount, day
from pcc_pipeline.formats.xml_source import RefusedFile, below, child, elements, line_of, opened, said, text
from pcc_pipeline.rules import debt_states, rule_rows
from pcc_pipeline.tables.feeds import PCC_INVOICES, PCC_OPERATIONS, PCC_STATES

#: Codes of statoDocumentoTipo. LA (lavorata) is paid when all of it is; IL is being worked on by PCC itself.
_STATES = {
    "IL": "PRESENTATO",
    "PR": "PRESENTATO",
    "RI": "RICEVUTO",
    "LA": "CONTABILIZZATO",
    "RE": "RIFIUTATO",
}
_SUSPENDED = debt_states(into="sospeso")
_DEBTS = {code.upper(): code for code in PCC_OPERATIONS.column("stato_debito").allowed}
_PAID = ("PAG", "PAGATO")
_CREDIT_NOTES = {row["code"] for row in rule_rows("document_types") if row["sign"] == "-1"}
_LEFT_OUT = "il movimento è tralasciato, il documento letto"
_MONEY = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]{1,2})?")
_WANTED = frozenset(
    (
        "datiDocumento",
        "datiFornitore",
        "datiAmministrazione",
        "datiDistintaTrasmissione",
        "listaComunicazioneScadenza",
        "errore",
        "listaErrore",
        "listaErroreTrasmissione",
        "descrizioneErrore",
    )
)


def parse_pcc_answer(source: Source, sink: Sink) -> Counts:
    """Reads one answer (one or many documents) into `sink`; returns the counts."""
    rows = Rows(PCC_INVOICES, source, sink)
    around: dict[str, object] = {}
    errors: list[str] = []
    documents = 0
    notes: list[Note] = []
    try:
        with opened(source.path) as xml:
            notes = xml.notes
            for name, element in elements(xml, _WANTED):
                if name == "datiDocumento":
                    documents += 1
                    _document(rows, element, around)
                    around = {}
                elif name.startswith(("errore", "listaErrore", "descrizioneErrore")):
                    errors += [
                        word.strip()
                        for word in element.itertext("{*}descrizioneErrore", "{*}descrizione")
                        if isinstance(word, str) and word.strip()
                    ]
                else:
                    around |= _around(name, element)
        if not documents:
            told = "; ".join(dict.fromkeys(errors))
            raise RefusedFile(f"la risposta di PCC non contiene documenti{': ' + told[:300] if told else ''}")
    except RefusedFile as refusal:
        rows.refuse(refusal.reason, refusal.line, value=refusal.value)
    return rows.finish(notes)


def _around(name: str, element: etree._Element) -> dict[str, object]:
    """What stands beside the document, before it: parties, lot, due dates communicated (CS)."""
    if name == "datiFornitore":
        return {
            "cf_fornitore": text(element, "codiceFiscale|CodiceFiscale"),
            "id_fiscale_iva": _vat(element),
            "denominazione_fornitore": text(element, "denominazione|Denominazione"),
        }
    if name == "datiAmministrazione":
        return {
            "cf_amministrazione": text(element, "codiceFiscale"),
            "codice_ufficio": text(element, "codiceUnivocoUfficioIPA") or text(element, "codiceUfficioPCC"),
        }
    if name == "datiDistintaTrasmissione":
        return {"lotto_sdi": _whole(next((said(inner) for inner in below(element, "lottoSDI")), None))}
    dates = [written for inner in below(element, "dataScadenza") if (written := day(said(inner)))]
    return {"data_scadenza": max(dates, default=None)}


def _vat(element: etree._Element) -> str | None:
    """A VAT number, written whole or as country and code."""
    found = child(element, "IdFiscaleIVA", "idFiscaleIVA", "idFiscaleIva")
    if found is None:
        return None
    parts = [text(found, "idPaese|IdPaese"), text(found, "idCodice|IdCodice")]
    return said(found) or "".join(part for part in parts if part) or None


def _document(rows: Rows, element: etree._Element, around: dict[str, object]) -> None:
    split = child(element, "ripartizioneAttuale")
    line = line_of(element)
    state = text(element, "statoDocumento")
    if state == "BO":
        rows.refuse("bozza (statoDocumento BO): PCC non la conta ancora", line, "stato_documento", state)
        return
    total, paid = amount(text(element, "importoTotale")), amount(text(split, "importoPagato"))
    known = state if state in PCC_STATES else _STATES.get(state or "", state)
    if state == "LA" and _all_paid(element, paid):
        known = "PAGATO"
    lot = _whole(text(element, "identificazioneSDI", "lottoSDI"))
    kind = text(element, "tipoDocumento")
    values: dict[str, object] = {
        **around,
        "progressivo_registrazione": text(element, "progressivoRegistrazione"),
        "lotto_sdi": lot or around.get("lotto_sdi"),
        "id_fiscale_iva": _vat(element) or around.get("id_fiscale_iva"),
        "tipo_documento": kind,
        "numero_documento": text(element, "numeroDocumento") or text(element, "identificazioneSDI", "numeroFattura"),
        "data_emissione": day(text(element, "dataEmissione")),
        "data_ricezione": day(text(element, "dataRicezione")),
        "numero_protocollo": text(element, "numeroProtocollo"),
        "importo_totale": _signed(total, kind),
        "importo_imponibile": _signed(amount(text(element, "importoImponibile")), kind),
        "totale_imposta": _signed(amount(text(element, "totaleImposta")), kind),
        "split_payment": text(element, "splitPayment"),
        "stato_documento": known,
        "importo_liquidato": amount(text(split, "importoLiquidato")),
        "importo_sospeso": amount(text(split, "importoSospeso")),
        "importo_non_liquidabile": amount(text(split, "importoNonLiquidabile|importoNonLiquidato")),
        "importo_pagato": paid,
        "importo_pagato_non_commerciale": amount(text(split, "importoPagatoNonCommerciale")),
    }
    movements, cause = _movements(rows, element)
    values["causale_sospensione"] = text(split, "causaleSospensione") or cause
    rows.add({**values, "movimenti": movements or None}, line)


def _movements(rows: Rows, element: etree._Element) -> tuple[list[dict[str, object]], str | None]:
    """The document's movements, and the cause of the last suspension among them."""
    found: list[dict[str, object]] = []
    cause: str | None = None
    for moved in below(element, "dettaglioMovimento"):
        written, when, worth = (
            text(moved, "statoDebito"),
            day(text(moved, "dataMovimento")),
            amount(text(moved, "importo")),
        )
        debt = (written or "").replace(" ", "").upper()
        action = "CP" if debt in _PAID else "CO"
        wrong = None
        if action == "CO" and debt not in _DEBTS:
            wrong = ("stato_debito", written, f"non è un movimento tra i conti di PCC: {_LEFT_OUT}")
        elif worth is not None and not _MONEY.fullmatch(worth):
            wrong = ("importo", worth, f"non è un importo: {_LEFT_OUT}")
        elif when is None or _date(when) is None:
            wrong = ("data_operazione", when, f"non è una data: {_LEFT_OUT}")
        if wrong:
            rows.refuse(wrong[2], line_of(moved), f"movimenti.{wrong[0]}", wrong[1], rows=0)
            continue
        if _DEBTS.get(debt) in _SUSPENDED:
            cause = text(moved, "causale")
        found.append(
            {
                "data_operazione": _date(when or ""),
                "azione": action,
                "importo": None if worth is None else Decimal(worth).quantize(Decimal("0.01")),
                "stato_debito": None if action == "CP" else _DEBTS[debt],
                "causale": text(moved, "causale"),
            }
        )
    return found, cause


def _date(written: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(written)
    except ValueError:
        return None


def _all_paid(element: etree._Element, paid: str | None) -> bool:
    """Whether what was paid is the commercial amount."""
    parts = [_unsigned(amount(text(element, name))) for name in ("importoTotale", "totaleImposta")]
    total, vat = (Decimal(part) if part and _MONEY.fullmatch(part) else Decimal(0) for part in parts)
    if (text(element, "splitPayment") or "").upper() == "SI":
        total -= vat
    return bool(paid and _MONEY.fullmatch(paid) and total and abs(Decimal(paid)) >= total)


def _signed(written: str | None, kind: str | None) -> str | None:
    """The amount: without a sign for a credit note, whose type says it (docs/formats.md#pcc-invoices)."""
    return _unsigned(written) if kind in _CREDIT_NOTES else written


def _unsigned(written: str | None) -> str | None:
    return None if written is None else written.removeprefix("-")


def _whole(written: str | None) -> str | None:
    """An identifier that the schema calls a decimal."""
    return None if written is None else re.sub(r"\.0*$", "", written)
