"""Empty tables to fill in: a header line as CSV, or a workbook that explains its columns on a second sheet."""

from __future__ import annotations

import csv
import io
from datetime import datetime

from pcc_pipeline.formats.names import described
from pcc_pipeline.tables import FEEDS
from pcc_pipeline.tables.describe import Column

#: Kinds that a person may fill in by hand; the others are written by systems alone.
KINDS = ("erp_invoices", "erp_payments", "pcc_invoices", "pcc_operations", "open_list", "special_cases", "budgets")

_TYPES = {
    "text": ("testo", "ABC"), "date": ("data", "31/12/2025"), "money": ("importo in euro", "1234,56"),
    "integer": ("numero intero", "2025"), "boolean": ("SI o NO", "NO"),
}  # fmt: skip

#: What a column means, to whoever fills it in. The data dictionary says it to whoever reads the tables.
MEANINGS = {
    "id_documento": "Chiave del documento nel gestionale",
    "tipo_documento": "Codice FatturaPA, o FATTURA, NOTA_CREDITO, PARCELLA",
    "cf_fornitore": "Codice fiscale del fornitore",
    "piva_fornitore": "Partita IVA del fornitore",
    "denominazione_fornitore": "Denominazione del fornitore",
    "numero": "Numero della fattura, come scritto dal fornitore",
    "data_emissione": "Data della fattura",
    "data_ricezione": "Data di ricezione",
    "protocollo": "Numero di protocollo dell'ente",
    "lotto_sdi": "Identificativo SdI del lotto",
    "id_pcc": "Progressivo di registrazione su PCC, se il gestionale lo conserva",
    "importo_totale": "Totale del documento, IVA compresa, sempre positivo",
    "imponibile": "Imponibile",
    "iva": "IVA",
    "split_payment": "L'IVA è in scissione dei pagamenti",
    "data_scadenza": "Scadenza",
    "codice_ufficio": "Codice univoco ufficio",
    "cig": "CIG",
    "cup": "CUP",
    "natura_spesa": "CO spesa corrente, CA in conto capitale",
    "capitolo": "Capitolo di bilancio",
    "impegno": "Impegno di spesa",
    "stato": "Stato del documento nel gestionale",
    "causale": "Perché il documento è sospeso",
    "data_sospensione": "Inizio della sospensione",
    "importo_sospeso": "Importo sospeso; vuoto con SOSPESA: tutto il non pagato",
    "importo_non_liquidabile": "Importo che non sarà pagato; vuoto con NON_LIQUIDABILE: tutto il non pagato",
    "commerciale": "Debito commerciale; vuoto: sì",
    "numero_mandato": "Numero del mandato",
    "data_mandato": "Data del mandato",
    "data_pagamento": "Data della quietanza",
    "importo": "Importo, positivo",
    "cf_beneficiario": "Codice fiscale o partita IVA di chi è stato pagato",
    "storno": "La riga storna un pagamento; vuoto: no",
    "progressivo_registrazione": "Progressivo di registrazione su PCC",
    "cf_amministrazione": "Codice fiscale dell'ente",
    "id_fiscale_iva": "Partita IVA del fornitore, con il codice del paese",
    "numero_documento": "Numero della fattura",
    "numero_protocollo": "Numero di protocollo",
    "importo_imponibile": "Imponibile",
    "totale_imposta": "IVA",
    "stato_documento": "Stato su PCC",
    "importo_liquidato": "Conto liquidato",
    "importo_pagato": "Conto pagato",
    "importo_pagato_non_commerciale": "Conto pagato non commerciale",
    "causale_sospensione": "Perché l'importo è sospeso",
    "data_operazione": "Data del movimento",
    "azione": "RC ricezione, RF rifiuto, CO contabilizzazione, CS scadenza, CP pagamento",
    "stato_debito": "Movimento tra i conti: LIQ, SOSP, NOLIQ, LIQdaSOSP…",
    "id_fiscale_iva_beneficiario": "Chi è stato pagato",
    "caso": "Tipo di caso",
    "nuovo_creditore_cf": "Codice fiscale del nuovo creditore",
    "nuovo_creditore_piva": "Partita IVA del nuovo creditore",
    "nuovo_creditore_denominazione": "Denominazione del nuovo creditore",
    "decorrenza": "Giorno da cui vale il caso",
    "nota": "Nota dell'ente",
    "anno": "Anno del bilancio",
    "stanziamento": "Stanziamento per acquisto di beni e servizi",
    "vincolato": "Di cui vincolato per legge; vuoto: nulla",
    "stock_precedente": "Stock certificato al 31 dicembre dell'anno prima; vuoto: si calcola dai documenti",
}


def columns(kind: str) -> list[Column]:
    """The columns that a person fills in of a kind; KeyError for one that nobody fills in."""
    if kind not in KINDS:
        raise KeyError(kind)
    table = FEEDS[kind]
    return [column for name in described(table) if (column := table.column(name)).name in MEANINGS]


def as_csv(kind: str) -> bytes:
    """The header line, with semicolons, as Excel in Italy opens it."""
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerow([column.name for column in columns(kind)])
    return ("\ufeff" + text.getvalue()).encode()


def as_workbook(kind: str) -> bytes:
    """A workbook: the sheet to fill in, dates and amounts formatted, and the sheet that explains its columns."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"title": kind, "created": datetime(2000, 1, 1)})  # noqa: DTZ001
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E7EAEF"})
    needed = book.add_format({"bold": True, "bottom": 1, "bg_color": "#FFF2CC"})
    formats = {
        "date": book.add_format({"num_format": "dd/mm/yyyy"}),
        "money": book.add_format({"num_format": "#,##0.00"}),
        "text": book.add_format({"num_format": "@"}),  # so that leading zeros stay
    }
    sheet, explained = book.add_worksheet("Dati"), book.add_worksheet("Colonne")
    sheet.freeze_panes(1, 0)
    explained.freeze_panes(1, 0)
    explained.write_row(0, 0, ["colonna", "significato", "tipo", "obbligatoria", "valori ammessi", "esempio"], head)
    explained.set_column(0, 0, 32)
    explained.set_column(1, 1, 60)
    explained.set_column(2, 5, 24)
    for place, column in enumerate(columns(kind)):
        words, example = _TYPES[column.type]
        sheet.write_string(0, place, column.name, needed if column.required else head)
        sheet.set_column(place, place, max(14, len(column.name) + 2), formats.get(column.type))
        allowed = ", ".join(column.allowed)
        if column.allowed and len(allowed) <= 255:  # what Excel takes as a list
            sheet.data_validation(1, place, 1_048_575, place, {"validate": "list", "source": list(column.allowed)})
        cells = [column.name, MEANINGS[column.name], words, "sì" if column.required else "", allowed,
                 column.allowed[0] if column.allowed else example]  # fmt: skip
        explained.write_row(place + 1, 0, cells)
    book.close()
    return out.getvalue()
