"""Empty tables that an ente fills in: the columns of a kind as the importer takes them, and a sheet that explains them.

Names, types, duties and allowed words are the feeds' own descriptions (`pcc_pipeline.tables.FEEDS`); their Italian and an
example of each are here.
"""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import xlsxwriter

from pcc_pipeline.italian import day, number
from pcc_pipeline.tables import FEEDS
from pcc_pipeline.tables.describe import Column
from pcc_pipeline.tables.feeds import LINEAGE
from portal import uploads
from portal.words import ENGLISH, translator

#: Kinds that are tables; the others are XML.
TABLES = tuple(kind for kind in uploads.kinds() if kind not in ("sdi_invoices", "sdi_messages", "erp_opi"))

_DOWN = 10_000  # rows that get a format and a list to choose from
_DAY = date(2025, 12, 31)
_AMOUNT = Decimal("1220.00")
_VAT, _PERSON = "12345678903", "RSSMRA80A01H501U"

#: Meaning in Italian, and an example, by column.
_COLUMNS: dict[str, tuple[str, Any]] = {
    "id_documento": ("Chiave del documento nel gestionale", "2025-000123"),
    "tipo_documento": ("Tipo di documento: codice FatturaPA, oppure FATTURA, NOTA_CREDITO, PARCELLA", "TD01"),
    "cf_fornitore": ("Codice fiscale del fornitore", _VAT),
    "piva_fornitore": ("Partita IVA italiana del fornitore", _VAT),
    "denominazione_fornitore": ("Denominazione del fornitore", "Ditta Esempio Srl"),
    "numero": ("Numero della fattura, come l'ha scritto il fornitore", "123/A"),
    "data_emissione": ("Data di emissione", _DAY),
    "data_ricezione": ("Data di ricezione", _DAY),
    "protocollo": ("Numero di protocollo dell'ente", "PG-2025-4567"),
    "lotto_sdi": ("Identificativo SDI del lotto", "9876543210"),
    "lotto": ("Identificativo SDI del lotto, dove la riga indica così il documento", "9876543210"),
    "tipo_debito": ("Pagamento: C debito commerciale, NC non commerciale", "C"),
    "id_pcc": ("Progressivo di registrazione di PCC, se il gestionale lo conserva", "100000000595"),
    "importo_totale": ("Totale del documento, IVA compresa, positivo", _AMOUNT),
    "imponibile": ("Imponibile", Decimal("1000.00")),
    "iva": ("IVA", Decimal("220.00")),
    "split_payment": ("L'IVA è versata dall'ente all'erario (scissione dei pagamenti): SI o NO", "SI"),
    "data_scadenza": ("Data di scadenza", _DAY),
    "codice_ufficio": ("Codice univoco dell'ufficio che ha ricevuto il documento", "UFABCD"),
    "cig": ("Codice identificativo di gara", "Z123456789"),
    "cup": ("Codice unico di progetto", "B12C34000560007"),
    "natura_spesa": ("Natura della spesa: CO corrente, CA in conto capitale", "CO"),
    "capitolo": ("Capitolo di bilancio", "1030201"),
    "impegno": ("Impegno di spesa", "2025/456"),
    "stato": ("Stato del documento nel gestionale", "REGISTRATA"),
    "causale": ("Causale della sospensione o del movimento", None),
    "data_sospensione": ("Inizio della sospensione", _DAY),
    "importo_sospeso": ("Importo sospeso", Decimal("0.00")),
    "importo_non_liquidabile": ("Importo che non sarà pagato", Decimal("0.00")),
    "commerciale": ("Debito commerciale: SI o NO; vuoto vale SI", "SI"),
    "numero_mandato": ("Numero del mandato", "789"),
    "data_mandato": ("Data del mandato", _DAY),
    "data_pagamento": ("Data di pagamento (quietanza)", _DAY),
    "importo": ("Importo", _AMOUNT),
    "cf_beneficiario": ("Codice fiscale o partita IVA di chi è stato pagato", _VAT),
    "storno": ("La riga storna un pagamento: SI o NO; vuoto vale NO", "NO"),
    "progressivo_registrazione": ("Progressivo di registrazione del documento su PCC", "100000000595"),
    "cf_amministrazione": ("Codice fiscale dell'ente", "80012345678"),
    "id_fiscale_iva": ("Partita IVA del fornitore con il codice del paese", f"IT{_VAT}"),
    "numero_documento": ("Numero della fattura", "123/A"),
    "numero_protocollo": ("Numero di protocollo dell'ente", "PG-2025-4567"),
    "importo_imponibile": ("Imponibile", Decimal("1000.00")),
    "totale_imposta": ("IVA", Decimal("220.00")),
    "stato_documento": ("Stato del documento su PCC", "RICEVUTO"),
    "importo_liquidato": ("Conto liquidato", Decimal("0.00")),
    "importo_pagato": ("Conto pagato", Decimal("0.00")),
    "importo_pagato_non_commerciale": ("Conto pagato non commerciale", Decimal("0.00")),
    "causale_sospensione": ("Causale della sospensione su PCC", "CONT"),
    "partial": ("La riga viene dall'esportazione per modello 003: SI o NO; vuoto vale NO", "NO"),
    "data_operazione": ("Data del movimento", _DAY),
    "azione": ("Azione: RC ricezione, RF rifiuto, CO contabilizzazione, CS scadenza, CP pagamento", "CO"),
    "stato_debito": ("Movimento tra i conti di PCC", "LIQ"),
    "id_fiscale_iva_beneficiario": ("Chi è stato pagato", f"IT{_VAT}"),
    "model": ("Modello: 003 operazioni, 002 documenti mai passati per SDI", "003"),
    "id_fiscale_beneficiario": ("Chi è stato pagato", f"IT{_VAT}"),
    "data_rifiuto": ("Data del rifiuto", _DAY),
    "codice_segnalazione": ("Risposta di PCC; vuoto: riga eseguita", None),
    "descrizione_segnalazione": ("Risposta di PCC in parole", None),
    "nota": ("Nota dell'ente", "in attesa di collaudo"),
    "caso": ("Tipo di caso", "CESSIONE"),
    "annullato": ("La riga annulla lo stesso caso, comunicato prima: SI o NO; vuoto vale NO", "NO"),
    "nuovo_creditore_cf": ("Codice fiscale del nuovo creditore", _PERSON),
    "nuovo_creditore_piva": ("Partita IVA del nuovo creditore", _VAT),
    "nuovo_creditore_denominazione": ("Denominazione del nuovo creditore", "Banca Esempio SpA"),
    "decorrenza": ("Giorno dal quale il caso vale", _DAY),
    "anno": ("Anno del bilancio", 2025),
    "stanziamento": ("Stanziamento per acquisto di beni e servizi", Decimal("1000000.00")),
    "vincolato": ("Di cui con vincolo di legge; vuoto: nessuno", Decimal("0.00")),
    "importo_ritenuta": ("Ritenuta d'acconto compresa nel documento: non si paga al fornitore", Decimal("0.00")),
    "data_trasmissione": ("Data di trasmissione del mandato al tesoriere", _DAY),
    "importo_ritenute": ("Ritenute comprese nell'importo", Decimal("0.00")),
    "modalita": ("Come si è pagato: mandato, cassa economale, addebito; vuoto vale MANDATO", "MANDATO"),
    "giorni_sospensione": ("Giorni in cui il documento non si poteva pagare", 0),
    "importo_non_commerciale": ("Tolto dal debito commerciale senza un pagamento", Decimal("0.00")),
    "importo_sospeso_contenzioso": ("Dell'importo sospeso: contenzioso", Decimal("0.00")),
    "data_sospensione_contenzioso": ("Inizio di quella sospensione", _DAY),
    "importo_sospeso_contestazione": ("Dell'importo sospeso: contestazione o adempimenti normativi", Decimal("0.00")),
    "data_sospensione_contestazione": ("Inizio di quella sospensione", _DAY),
    "importo_sospeso_verifica": ("Dell'importo sospeso: attesa della verifica di conformità", Decimal("0.00")),
    "data_sospensione_verifica": ("Inizio di quella sospensione", _DAY),
    "escluso": ("Fuori dallo stock e dai tempi (esclusione): SI o NO", "NO"),
    "stock_precedente": ("Stock al 31 dicembre dell'anno prima, certificato da PCC; vuoto: si calcola dai documenti", _AMOUNT),
}  # fmt: skip

_TYPES = {"text": "testo", "date": "data", "money": "importo in euro", "integer": "numero intero", "boolean": "SI o NO"}
_HEADERS = ("colonna", "significato", "tipo", "obbligatoria", "valori ammessi", "esempio")


def columns(kind: str) -> list[Column]:
    """The columns of a kind that a person fills in, in the feed's order."""
    lineage = {column.name for column in LINEAGE}
    return [column for column in FEEDS[kind].columns if column.name not in lineage and column.type != "records"]


def example(column: Column) -> Any:
    """An example of a column's value: text, date, Decimal, int; None where it is better left empty."""
    return _COLUMNS[column.name][1]


def workbook(kind: str, language: str) -> bytes:
    """An .xlsx: an empty sheet with the header row, and one that explains the columns in a language."""
    say = translator(language)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold, asked = book.add_format({"bold": True}), book.add_format({"bold": True, "bg_color": "#FFF2CC"})
    formats = {
        "date": book.add_format({"num_format": "dd/mm/yyyy"}), "money": book.add_format({"num_format": "#,##0.00"}),
        "text": book.add_format({"num_format": "@"}), "boolean": book.add_format({"num_format": "@"}),
        "integer": book.add_format({"num_format": "0"}),
    }  # fmt: skip
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet, legend = book.add_worksheet(kind), book.add_worksheet(say("Istruzioni"))
    sheet.freeze_panes(1, 0)
    legend.freeze_panes(1, 0)
    for place, name in enumerate(_HEADERS):
        legend.write_string(0, place, say(name), bold)
        legend.set_column(place, place, 50 if name in ("significato", "valori ammessi") else 22, wrapped)
    one_of = {name for names in FEEDS[kind].one_of for name in names}
    for place, column in enumerate(columns(kind)):
        sheet.set_column(place, place, max(14, len(column.name) + 2), formats[column.type])
        sheet.write_string(0, place, column.name, asked if column.required else bold)
        if column.allowed and len(",".join(column.allowed)) <= 255:  # Excel's limit for a list
            sheet.data_validation(1, place, _DOWN, place, {"validate": "list", "source": list(column.allowed)})
        needed = "sì" if column.required else "almeno una di queste" if column.name in one_of else "no"
        meaning = column.meaning if language == ENGLISH else _COLUMNS[column.name][0]
        words = (column.name, meaning, say(_TYPES[column.type]), say(needed), ", ".join(column.allowed), _text(example(column)))
        for at, word in enumerate(words):
            legend.write_string(place + 1, at, word, wrapped)
    book.close()
    return out.getvalue()


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return number(value)
    return "" if value is None else day(value) if isinstance(value, date) else str(value)
