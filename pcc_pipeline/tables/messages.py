"""What arrives as XML beside the invoices: payment orders and cash journals (OPI), SDI's messages.

The feeds of both, and the models that make the messages speak about documents; those of the orders are in `opi`. The
invoices themselves are in `feeds`.
"""

from __future__ import annotations

from dataclasses import replace

from pcc_pipeline.tables.common import ENTE
from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.lineage import LINEAGE

ROW_ID = Column("row_id", "integer", "Order of arrival of the row", required=True)

#: SDI's messages (docs/formats.md#sdi-messages), each with what it says.
MESSAGE_TYPES = {
    "MT": "metadati dell'invio", "RC": "ricevuta di consegna", "MC": "mancata consegna", "NS": "notifica di scarto",
    "NE": "notifica di esito al fornitore", "EC": "esito del committente", "SE": "scarto dell'esito",
    "DT": "decorrenza dei termini", "AT": "attestazione di trasmissione con impossibilità di recapito",
}

ERP_OPI = Table(
    name="erp_opi", layer="staging",
    grain="One row per invoice block of a payment order (riga ORDINE), or per movement of an order in the treasurer's "
          "cash journal (riga MOVIMENTO)",
    columns=(
        *LINEAGE,
        Column("riga", "text", "ORDINE: an order as sent to the treasurer; MOVIMENTO: what the treasurer did with one",
               required=True, allowed=("ORDINE", "MOVIMENTO")),
        Column("identificativo_flusso", "text", "The flow's own identifier"),
        Column("creato_il", "text", "When the flow was made (ISO, as written): of two flows the later one stands"),
        Column("esercizio", "integer", "Financial year of the order", required=True, minimum=2000),
        Column("tipo_operazione", "text", "Of an order INSERIMENTO, VARIAZIONE, ANNULLO, SOSTITUZIONE; of a movement ESEGUITO, "
               "REGOLARIZZATO, STORNATO, RIPRISTINATO", required=True,
               allowed=("INSERIMENTO", "VARIAZIONE", "ANNULLO", "SOSTITUZIONE", "ESEGUITO", "REGOLARIZZATO", "STORNATO",
                        "RIPRISTINATO")),
        Column("numero_mandato", "text", "Number of the order, without leading zeros", required=True, pattern="[0-9]+"),
        Column("data_mandato", "date", "Date of the order"),
        Column("progressivo_beneficiario", "integer", "Which beneficiary of the order; null: the whole order"),
        Column("importo_beneficiario", "money", "What the order pays that beneficiary", unit="EUR"),
        Column("beneficiario", "text", "Name of the beneficiary"),
        Column("cf_beneficiario", "text", "Fiscal code of the beneficiary"),
        Column("piva_beneficiario", "text", "VAT number of the beneficiary"),
        Column("tipo_debito", "text", "COMMERCIALE, IVA or NON_COMMERCIALE"),
        Column("cig", "text", "codice_cig_siope"),
        Column("motivo_esclusione_cig", "text", "motivo_esclusione_cig_siope"),
        Column("cup", "text", "codice_cup"),
        Column("codice_ipa", "text", "codice_ipa_ente_siope"),
        Column("tipo_documento", "text", "ELETTRONICO or ANALOGICO", allowed=("ELETTRONICO", "ANALOGICO")),
        Column("lotto_sdi", "text", "identificativo_lotto_sdi_siope"),
        Column("tipo_documento_analogico", "text", "FATT_ANALOGICA or DOC_EQUIVALENTE"),
        Column("cf_emittente", "text", "codice_fiscale_emittente_siope"),
        Column("anno_emissione", "integer", "anno_emissione_fattura_siope", minimum=1900),
        Column("numero_fattura", "text", "numero_fattura_siope; null where the order pays no invoice"),
        Column("importo", "money", "Of a block importo_siope (negative: a credit note used); of a movement its amount",
               required=True, unit="EUR"),
        Column("data_scadenza", "date", "data_scadenza_pagam_siope"),
        Column("motivo_scadenza", "text", "motivo_scadenza_siope: SOSP_DECORRENZA_TERMINI, CORRETTA_SCAD_FATTURA"),
        Column("natura_spesa", "text", "natura_spesa_siope: CORRENTE or CAPITALE"),
        Column("mandato_sostituito", "text", "Number of the order that this one takes the place of"),
        Column("esercizio_sostituito", "integer", "Financial year of that order"),
        Column("data_movimento", "date", "Day of the movement: the payment's, where it pays"),
        Column("numero_quietanza", "text", "numero_bolletta_quietanza"),
    ),
)

SDI_MESSAGES = Table(
    name="sdi_messages", layer="staging", grain="One row per message of SDI",
    columns=(
        *LINEAGE,
        Column("file", "text", "File name of the message", required=True),
        Column("tipo", "text", "; ".join(f"{code} {meaning}" for code, meaning in MESSAGE_TYPES.items()), required=True,
               allowed=tuple(MESSAGE_TYPES)),
        Column("identificativo_sdi", "text", "IdentificativoSdI: the lot", required=True),
        Column("nome_file", "text", "NomeFile: the invoice file it is about"),
        Column("archivio_sdi", "text", "RiferimentoArchivio: identifier of the archive the file came in"),
        Column("data_ricezione", "date", "Day of DataOraRicezione (Europe/Rome)"),
        Column("data_ora", "text", "DataOraRicezione as written"),
        Column("data_consegna", "date", "Day of DataOraConsegna (Europe/Rome)"),
        Column("codice_destinatario", "text", "The office"),
        Column("formato", "text", "Format of the invoice (MT)"),
        Column("esito", "text", "EC01 accepted, EC02 refused", allowed=("EC01", "EC02")),
        Column("numero_fattura", "text", "NumeroFattura of the one document meant; null: all of the lot"),
        Column("anno_fattura", "integer", "AnnoFattura"),
        Column("posizione", "integer", "PosizioneFattura: its place in the lot, from 1"),
        Column("descrizione", "text", "Descrizione"),
        Column("scarto", "text", "Why the outcome was discarded (SE): EN00 not admitted, EN01 not conformant"),
        Column("errori", "text", "Errors of a discarded invoice (NS), code and description"),
        Column("message_id", "text", "MessageId"),
        Column("message_id_committente", "text", "MessageIdCommittente: the outcome's own identifier"),
    ),
)

STG_SDI_MESSAGES = replace(
    SDI_MESSAGES, name="stg_sdi_messages", grain="One row per message of SDI: the latest delivered of its file, where SDI named it",
    columns=(*SDI_MESSAGES.columns, ROW_ID), key=("ente", "row_id"),
)

LINKS = {
    "FILE_NAME": "nome del file indicato nel messaggio",
    "MESSAGE_NAME": "nome del messaggio stesso",
    "SDI_ID": "identificativo SDI di un altro messaggio sulla stessa fattura",
    "LOT": "lotto SDI di un documento del gestionale o della PCC",
    "NONE": "nessuna fattura, nessun documento",
}

MESSAGES = Table(
    name="messages", layer="reconciliation", grain="One row per message of SDI, with the invoice it is about",
    columns=(
        ENTE, ROW_ID,
        Column("file", "text", "File name of the message", required=True),
        Column("tipo", "text", "MT, RC, MC, NS, NE, EC, SE, DT, AT", required=True, allowed=tuple(MESSAGE_TYPES)),
        Column("sdi_id", "text", "IdentificativoSdI", required=True),
        Column("data_ricezione", "date", "Day the message speaks of"),
        Column("esito", "text", "EC01 accepted, EC02 refused"),
        Column("numero_fattura", "text", "The one document meant; null: all of the lot"),
        Column("posizione", "integer", "Its place in the lot"),
        Column("descrizione", "text", "What the message says"),
        Column("errori", "text", "Errors of a discarded invoice"),
        Column("holds", "boolean", "False for an outcome that SDI discarded (SE), or that came after the terms had run out (DT)",
               required=True),
        Column("link", "text", "; ".join(f"{code}: {said}" for code, said in LINKS.items()), required=True, allowed=tuple(LINKS)),
        Column("invoice_file", "text", "The invoice file as delivered; null where it was not"),
        Column("reason", "text", "Why no invoice, or no document, is linked; null where one is"),
    ),
    key=("ente", "row_id"), published=True, indexes=(("ente", "sdi_id"), ("ente", "link")),
)

#: States of an SDI invoice, each overriding those after it.
INVOICE_STATES = ("SCARTATA", "DECORRENZA_TERMINI", "DISCORDANTE", "RIFIUTATA", "ACCETTATA", "CONSEGNATA", "ATTESTATA",
                  "NON_CONSEGNATA", "IDENTIFICATA")

SDI_ID = Column("sdi_id", "text", "IdentificativoSdI (the lot), from SDI's messages")
SDI_STATE = Column("sdi_state", "text", "What SDI's messages say of it: discarded, terms run out, contradictory outcomes, refused, "
                   "accepted, delivered, attested, not delivered, identified; null without messages", allowed=INVOICE_STATES)
SDI_STATE_DATE = Column("sdi_state_date", "date", "Day of that state, where its message tells one")

SDI_INVOICE_STATES = Table(
    name="sdi_invoice_states", layer="reconciliation", grain="One row per body of a FatturaPA file: its lot and what became of it",
    columns=(
        ENTE, ROW_ID,
        Column("file", "text", "The FatturaPA file", required=True),
        Column("line", "integer", "Body in the file", required=True, minimum=1),
        Column("creditor", "text", "The supplier, normalised", required=True),
        Column("number_key", "text", "Normalised number"),
        Column("issue_date", "date", "Date of issue", required=True),
        Column("sign", "integer", "−1 for a credit note", required=True),
        SDI_ID, SDI_STATE, SDI_STATE_DATE,
    ),
    key=("ente", "file", "line"),
)

SDI_REFUSALS = Table(
    name="sdi_refusals", layer="reconciliation", grain="One row per document that the ente refused through SDI (EC02)",
    columns=(
        ENTE,
        Column("erp_row", "integer", "row_id of the accounting system's document"),
        Column("pcc_row", "integer", "row_id of PCC's document"),
        Column("sdi_id", "text", "The lot"),
        Column("descrizione", "text", "The reason given"),
    ),
    key=("ente", "erp_row", "pcc_row"),
)

MESSAGE_FEEDS = (ERP_OPI, SDI_MESSAGES)
MESSAGE_MODELS = (STG_SDI_MESSAGES, MESSAGES, SDI_INVOICE_STATES, SDI_REFUSALS)
