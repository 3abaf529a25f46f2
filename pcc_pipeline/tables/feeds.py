"""What arrives: one table a kind of delivery (docs/formats.md, "Inbox"), as typed rows.

Each feed table opens with the lineage columns (ente, delivery, line): a row always leads back to the
bytes it came from. Which delivery's row stands is not decided here: see the staging models.
"""

from __future__ import annotations

from pcc_pipeline.tables.area import AREA_WORDS, LOTTO, PAYLOAD
from pcc_pipeline.tables.budgets import budgets
from pcc_pipeline.tables.common import ACTIONS, ALL_ACTIONS, PCC_MODELS
from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.lineage import LINEAGE as LINEAGE
from pcc_pipeline.tables.lineage import feed as _feed
from pcc_pipeline.tables.messages import MESSAGE_FEEDS
from pcc_pipeline.tables.service_feeds import SERVICE_FEEDS

SDI_TYPES = tuple(f"TD{n:02d}" for n in range(1, 30))


def _party(role: str) -> tuple[Column, ...]:
    return (
        Column("cf_fornitore", "text", f"Fiscal code (codice fiscale) of the {role}, as delivered"),
        Column("piva_fornitore", "text", f"Italian VAT number (partita IVA) of the {role}, as delivered"),
    )


def _flag(name: str, meaning: str, *, source: str = "") -> Column:
    return Column(name, "boolean", meaning, source=source)


ERP_INVOICES = _feed(
    "erp_invoices",
    "One row per document of the ente's accounting system (gestionale) as delivered",
    Column("id_documento", "text", "The accounting system's own key of the document", required=True),
    Column("tipo_documento", "text", "Document type: a FatturaPA code, or FATTURA, NOTA_CREDITO, PARCELLA",
           required=True, allowed=(*SDI_TYPES, "FATTURA", "NOTA_CREDITO", "PARCELLA")),
    *_party("supplier"),
    Column("denominazione_fornitore", "text", "Name of the supplier"),
    Column("numero", "text", "Invoice number as the supplier wrote it", required=True),
    Column("data_emissione", "date", "Date of issue", required=True),
    Column("data_ricezione", "date", "Date of reception"),
    Column("protocollo", "text", "Number in the ente's register of correspondence"),
    Column("lotto_sdi", "text", "SDI's identifier of the lot (IdentificativoSdI)"),
    Column("id_pcc", "text", "PCC's progressivo di registrazione, where the accounting system keeps it"),
    Column("importo_totale", "money", "Total of the document, VAT included; the sign of a credit note is in its type", required=True, unit="EUR"),
    Column("imponibile", "money", "Taxable amount", unit="EUR"),
    Column("iva", "money", "VAT", unit="EUR"),
    _flag("split_payment", "The ente pays the VAT to the treasury (scissione dei pagamenti)", source="DPR 633/1972 art. 17-ter"),
    Column("data_scadenza", "date", "Due date", source="D.Lgs. 231/2002 art. 4"),
    Column("codice_ufficio", "text", "Office (codice univoco ufficio) that received the document"),
    Column("cig", "text", "Tender code (codice identificativo di gara)"),
    Column("cup", "text", "Project code (codice unico di progetto)"),
    Column("natura_spesa", "text", "Nature of the expense: CO current, CA capital", allowed=("CO", "CA")),
    Column("capitolo", "text", "Budget chapter"),
    Column("impegno", "text", "Commitment of expense"),
    Column("importo_ritenuta", "money", "Withholding tax within the document, for the document: no payment", minimum=0, unit="EUR"),
    Column("stato", "text", "State of the document in the accounting system", required=True,
           allowed=("REGISTRATA", "LIQUIDATA", "SOSPESA", "NON_LIQUIDABILE", "RIFIUTATA", "ANNULLATA")),
    Column("causale", "text", "Why the document is suspended", allowed=("CONTESTATO", "CONTENZIOSO", "ADEMPIMENTI", "ATTESA_NC", "DURC", "ALTRO")),
    Column("data_sospensione", "date", "Start of the suspension"),
    Column("importo_sospeso", "money", "Amount suspended; null with stato SOSPESA means all that is unpaid", minimum=0, unit="EUR"),
    Column("importo_non_liquidabile", "money", "Amount that will not be paid; null with stato NON_LIQUIDABILE means all that is unpaid", minimum=0, unit="EUR"),
    _flag("commerciale", "A commercial debt; null means yes"),
    one_of=(("cf_fornitore", "piva_fornitore"),),
)

ERP_PAYMENTS = _feed(
    "erp_payments",
    "One row per payment (mandate and document) of the accounting system as delivered",
    Column("id_documento", "text", "The document paid", required=True),
    Column("numero_mandato", "text", "Number of the payment order (mandato)", required=True),
    Column("data_mandato", "date", "Date of the payment order"),
    Column("data_trasmissione", "date", "Day on which the order was sent to the treasurer", source="DPCM 22/9/2014 art. 9 c. 4"),
    Column("data_pagamento", "date", "Date of payment (quietanza)", required=True),
    Column("importo", "money", "Amount paid, gross of what is withheld; positive, also for a reversal", required=True, minimum=0, unit="EUR"),
    Column("importo_ritenute", "money", "Withheld within importo", minimum=0, unit="EUR"),
    Column("cf_beneficiario", "text", "Fiscal code or VAT number of who was paid"),
    _flag("storno", "The row reverses a payment; null means no"),
    Column("modalita", "text", "How it was paid: payment order, petty cash, direct debit; null means MANDATO", allowed=("MANDATO", "ECONOMALE", "ADDEBITO")),
    Column("giorni_sospensione", "integer", "Days in which the document could not be paid", minimum=0, unit="days"),
)

PCC_STATES = ("PRESENTATO", "RICEVUTO", "RIFIUTATO", "CONTABILIZZATO", "PAGATO")

PCC_INVOICES = _feed(
    "pcc_invoices",
    "One row per document as PCC holds it (dettaglioDocumentoTipo)",
    Column("progressivo_registrazione", "text", "PCC's identifier of the document", required=True),
    Column("lotto_sdi", "text", "SDI's identifier of the lot"),
    Column("codice_ufficio", "text", "Office that received the document"),
    Column("cf_amministrazione", "text", "Fiscal code of the ente"),
    Column("cf_fornitore", "text", "Fiscal code of the supplier"),
    Column("id_fiscale_iva", "text", "VAT number of the supplier, with its country code"),
    Column("denominazione_fornitore", "text", "Name of the supplier"),
    Column("tipo_documento", "text", "Document type", required=True, allowed=(*SDI_TYPES, "FATTURA", "NOTA_CREDITO", "PARCELLA")),
    Column("numero_documento", "text", "Invoice number", required=True),
    Column("data_emissione", "date", "Date of issue", required=True),
    Column("data_ricezione", "date", "Date of reception"),
    Column("numero_protocollo", "text", "Number in the ente's register of correspondence"),
    Column("importo_totale", "money", "Total of the document; the sign of a credit note is in its type", required=True, unit="EUR"),
    Column("importo_imponibile", "money", "Taxable amount", unit="EUR"),
    Column("totale_imposta", "money", "VAT", unit="EUR"),
    _flag("split_payment", "The ente pays the VAT to the treasury", source="DPR 633/1972 art. 17-ter"),
    Column("stato_documento", "text", "State on PCC", required=True, allowed=PCC_STATES),
    Column("data_scadenza", "date", "Due date as communicated (CS)"),
    Column("importo_liquidato", "money", "Account liquidato of the present split (ripartizioneAttuale)", unit="EUR"),
    Column("importo_sospeso", "money", "Account sospeso", unit="EUR"),
    Column("importo_non_liquidabile", "money", "Account non liquidabile", unit="EUR"),
    Column("importo_pagato", "money", "Account pagato", unit="EUR"),
    Column("importo_pagato_non_commerciale", "money", "Account pagato, non-commercial", unit="EUR"),
    Column("causale_sospensione", "text", "Why the amount is suspended"),
    Column("importo_non_commerciale", "money", "Taken out of the commercial debt without a payment", minimum=0, unit="EUR", source="Area RGS"),
    Column("importo_sospeso_contenzioso", "money", "Of importo_sospeso: lawsuit", minimum=0, unit="EUR", source="Area RGS"),
    Column("data_sospensione_contenzioso", "date", "Start of that suspension", source="Area RGS"),
    Column("importo_sospeso_contestazione", "money", "Of importo_sospeso: contested, or regulatory checks", minimum=0, unit="EUR", source="Area RGS"),
    Column("data_sospensione_contestazione", "date", "Start of that suspension", source="Area RGS"),
    Column("importo_sospeso_verifica", "money", "Of importo_sospeso: awaiting the conformity check", minimum=0, unit="EUR", source="Area RGS"),
    Column("data_sospensione_verifica", "date", "Start of that suspension", source="Area RGS"),
    _flag("escluso", "Out of stock and times (esclusione)", source="Area RGS"),
    Column("movimenti", "records", "Movements that PCC's answer in XML carries with the document", fields=(
        Column("data_operazione", "date", "dataMovimento"),
        Column("azione", "text", "CO, or CP for a payment"),
        Column("importo", "money", "importo", unit="EUR"),
        Column("stato_debito", "text", "statoDebito"),
        Column("causale", "text", "causale"),
    )),
    _flag("partial", "The row comes from PCC's export per modello 003: what it lacks stands as delivered before; null means no"),
)

PCC_OPERATIONS = _feed(
    "pcc_operations",
    "One row per movement on a document's accounts as PCC recorded it",
    Column("progressivo_registrazione", "text", "The document moved", required=True),
    Column("data_operazione", "date", "Date of the movement", required=True),
    Column("azione", "text", "RC reception, RF refusal, CO booking, CS due date, CP payment", required=True,
           allowed=ACTIONS),
    Column("importo", "money", "Amount moved; negative for a reversed payment (storno)", unit="EUR"),
    Column("stato_debito", "text", "Movement between accounts: LIQ, SOSP, NOLIQ or XdaY",
           allowed=("LIQ", "SOSP", "NOLIQ", "LIQdaSOSP", "LIQdaNL", "SOSPdaLIQ", "SOSPdaNL", "NLdaLIQ", "NLdaSOSP", "ADEGLIQ")),
    Column("causale", "text", "Reason of the movement"),
    Column("data_scadenza", "date", "Due date communicated by CS"),
    Column("numero_mandato", "text", "Payment order of a CP"),
    Column("data_pagamento", "date", "Date of payment of a CP"),
    Column("id_fiscale_iva_beneficiario", "text", "Who was paid"),
)

PCC_OUTCOMES = _feed(
    "pcc_outcomes",
    "One row per line of a file for PCC that PCC handed back, with its answer",
    Column("model", "text", "The model: today's, 003 operations, 002 documents that never passed SDI", required=True,
           allowed=PCC_MODELS),
    Column("azione", "text", f"RC, RF, CS; 003: CO, CP; today's: {AREA_WORDS}", allowed=ALL_ACTIONS),
    Column("cf_amministrazione", "text", "Fiscal code of the ente"),
    Column("codice_ufficio", "text", "Office"),
    Column("cf_fornitore", "text", "Fiscal code of the supplier"),
    Column("id_fiscale_iva", "text", "VAT number of the supplier, with its country code"),
    Column("progressivo_registrazione", "text", "003: the document; NA where the line names it by number, date and amount"),
    Column("tipo_documento", "text", "002: document type"),
    Column("numero_documento", "text", "Invoice number"),
    Column("data_emissione", "date", "Date of issue"),
    Column("importo_totale", "money", "Total of the document", unit="EUR"),
    Column("importo", "money", "Amount moved (CO), due (CS) or paid (CP)", unit="EUR"),
    Column("stato_debito", "text", "CO: between which accounts"),
    Column("causale", "text", "CO: reason"),
    Column("data_scadenza", "date", "CS: due date"),
    Column("numero_mandato", "text", "CP: payment order"),
    Column("data_mandato", "date", "CP: its date"),
    Column("id_fiscale_beneficiario", "text", "CP: who was paid"),
    Column("protocollo", "text", "RC: number in the ente's register of correspondence"),
    Column("data_ricezione", "date", "RC: date of reception"),
    Column("data_rifiuto", "date", "RF: date of refusal"),
    LOTTO, *PAYLOAD,
    Column("cig", "text", "IP: tender code, else NA"),
    Column("cup", "text", "IP: project code, else NA"),
    Column("codice_segnalazione", "text", "PCC's answer: empty where the line was done", source="Modello 003 v1.5"),
    Column("descrizione_segnalazione", "text", "PCC's answer in words"),
)

OPEN_LIST = _feed(
    "open_list",
    "One row per document that the ente wants to stay open",
    *_party("supplier"),
    Column("numero", "text", "Invoice number", required=True),
    Column("data_emissione", "date", "Date of issue"),
    Column("importo", "money", "Amount that stays open", unit="EUR"),
    Column("nota", "text", "The ente's note"),
)

SPECIAL_CASES = _feed(
    "special_cases",
    "One row per special case declared by the ente; without a number it holds for all documents of the supplier",
    *_party("supplier"),
    Column("numero", "text", "Invoice number; null means every document of the supplier"),
    Column("data_emissione", "date", "Date of issue"),
    Column("importo", "money", "Amount", unit="EUR"),
    Column("caso", "text", "Kind of case", required=True,
           allowed=("CESSIONE", "SUCCESSIONE", "OPERAZIONE_SOCIETARIA", "CONTENZIOSO", "PIGNORAMENTO", "NON_COMMERCIALE", "ALTRO")),
    Column("nuovo_creditore_cf", "text", "Fiscal code of the new creditor"),
    Column("nuovo_creditore_piva", "text", "VAT number of the new creditor"),
    Column("nuovo_creditore_denominazione", "text", "Name of the new creditor"),
    Column("decorrenza", "date", "Day from which the case holds", required=True),
    Column("nota", "text", "The ente's note"),
    _flag("annullato", "The row takes back the same case, which no longer stands; null means no"),
    one_of=(("cf_fornitore", "piva_fornitore"),),
)

ENTI = _feed(
    "enti",
    "One row per ente in the provider's register",
    Column("codice_ente", "text", "Tenant code (the file's column ente)", required=True, pattern=r"[a-z0-9_]{2,32}"),
    Column("denominazione", "text", "Name of the ente", required=True),
    Column("cf", "text", "Fiscal code of the ente", required=True),
    Column("codice_ipa", "text", "Code in the index of public administrations (IPA)"),
    Column("tipo", "text", "Kind of ente; SANITARIO has the 60-day term", source="D.Lgs. 231/2002 art. 4"),
    Column("gestionale", "text", "Accounting system"),
    Column("versione_gestionale", "text", "Its release"),
    Column("ordine_il", "date", "Order of the service"),
    Column("presa_in_carico_il", "date", "Taken in charge"),
    Column("attivato_il", "date", "Service active from"),
    _flag("autorizzazione_remota", "Remote access authorisation signed"),
    _flag("credenziali", "Credentials given"),
    Column("pec_disattivazione_il", "date", "PEC of deactivation"),
    Column("modelli_pcc", "text", "PCC's models for the ente; null means AREA_RGS", allowed=("AREA_RGS", "003")),
    _flag("siope_plus", "PCC gets its payments from its payment orders (SIOPE+)"),
    Column("siope_plus_dal", "date", "Since when"),
    Column("pubblicato_il", "date", "Day on which the ente published its debts", source="D.Lgs. 33/2013 art. 33"),
    Column("santo_patrono", "text", "Feast of the patron saint, month and day: no support on that day", pattern=r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"),
    Column("pec", "text", "Address to which the provider's letters go (certified mail)", pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    Column("registrato_da", "text", "Who entered the row at the desk"),
    Column("registrato_il", "timestamp", "When"),
)

_VAT_SUMMARY = (
    Column("aliquota", "money", "Rate", unit="%"),
    Column("natura", "text", "Natura (N1…N7), why no VAT is due"),
    Column("imponibile", "money", "Taxable amount", unit="EUR"),
    Column("imposta", "money", "VAT", unit="EUR"),
    Column("esigibilita", "text", "EsigibilitaIVA: I immediate, D deferred, S split payment"),
)
_INSTALMENTS = (
    Column("condizioni", "text", "CondizioniPagamento"),
    Column("modalita", "text", "ModalitaPagamento"),
    Column("data_scadenza", "date", "DataScadenzaPagamento"),
    Column("data_riferimento_termini", "date", "DataRiferimentoTerminiPagamento"),
    Column("giorni_termini", "integer", "GiorniTerminiPagamento", unit="days"),
    Column("importo", "money", "ImportoPagamento", unit="EUR"),
    Column("iban", "text", "IBAN"),
    Column("beneficiario", "text", "Beneficiario"),
)
_REFERENCES = (
    Column("tipo", "text", "Which block: ordine, contratto, convenzione, ricezione, fatture_collegate"),
    Column("documento", "text", "IdDocumento"),
    Column("data", "date", "Data"),
    Column("cig", "text", "CodiceCIG"),
    Column("cup", "text", "CodiceCUP"),
    Column("commessa", "text", "CodiceCommessaConvenzione"),
)
_WITHHOLDINGS = (
    Column("tipo", "text", "TipoRitenuta"),
    Column("importo", "money", "ImportoRitenuta", unit="EUR"),
    Column("aliquota", "money", "AliquotaRitenuta", unit="%"),
    Column("causale", "text", "CausalePagamento"),
)
_SOCIAL_FUNDS = (
    Column("tipo", "text", "TipoCassa"),
    Column("aliquota", "money", "AlCassa", unit="%"),
    Column("importo", "money", "ImportoContributoCassa", unit="EUR"),
    Column("imponibile", "money", "ImponibileCassa", unit="EUR"),
    Column("aliquota_iva", "money", "AliquotaIVA", unit="%"),
    Column("natura", "text", "Natura"),
)
_ATTACHMENTS = (
    Column("nome", "text", "NomeAttachment"),
    Column("formato", "text", "FormatoAttachment"),
    Column("compressione", "text", "AlgoritmoCompressione"),
    Column("descrizione", "text", "DescrizioneAttachment"),
    Column("bytes", "integer", "Size of the decoded attachment", unit="bytes"),
)

SDI_INVOICES = _feed(
    "sdi_invoices",
    "One row per body (FatturaElettronicaBody) of a FatturaPA file",
    Column("file", "text", "File name", required=True),
    Column("formato", "text", "FormatoTrasmissione: FPA12, FPR12, FSM10 or an earlier version", required=True),
    Column("progressivo_invio", "text", "ProgressivoInvio of the sender"),
    Column("codice_destinatario", "text", "CodiceDestinatario: the office"),
    Column("id_fiscale_iva", "text", "Supplier's IdFiscaleIVA, country code and number joined (IT12345678901)"),
    Column("cf_fornitore", "text", "Supplier's CodiceFiscale"),
    Column("denominazione_fornitore", "text", "Supplier's Denominazione, or Nome and Cognome joined"),
    Column("regime_fiscale", "text", "RegimeFiscale"),
    Column("id_fiscale_iva_committente", "text", "Customer's IdFiscaleIVA"),
    Column("cf_committente", "text", "Customer's CodiceFiscale"),
    Column("denominazione_committente", "text", "Customer's name"),
    Column("tipo_documento", "text", "TipoDocumento", required=True),
    Column("divisa", "text", "Divisa"),
    Column("numero", "text", "Numero", required=True),
    Column("data_emissione", "date", "Data", required=True),
    Column("importo_totale", "money", "ImportoTotaleDocumento; null where absent (FSM10: sum of Importo)", unit="EUR"),
    Column("arrotondamento", "money", "Arrotondamento", unit="EUR"),
    Column("imponibile", "money", "Sum of the VAT summary's ImponibileImporto (FSM10: Importo less its VAT)",
           unit="EUR"),
    Column("imposta", "money", "Sum of the VAT summary's Imposta (FSM10: as given, or out of Importo by its Aliquota)",
           unit="EUR"),
    Column("split_payment", "boolean", "EsigibilitaIVA is S in every summary line that bears VAT; null without a summary",
           source="FatturaPA 2.2.2.7"),
    Column("reverse_charge", "boolean", "Some summary line has Natura N6 (reverse charge)", source="FatturaPA 2.2.2.2"),
    Column("bollo", "money", "ImportoBollo", unit="EUR"),
    Column("causale", "text", "Causale, joined"),
    Column("cig", "text", "The CIG where the document names exactly one"),
    Column("cup", "text", "The CUP where the document names exactly one"),
    Column("data_scadenza", "date", "Latest DataScadenzaPagamento"),
    Column("riepilogo_iva", "records", "VAT summary (DatiRiepilogo)", fields=_VAT_SUMMARY),
    Column("pagamenti", "records", "Payment terms and instalments (DatiPagamento)", fields=_INSTALMENTS),
    Column("riferimenti", "records", "Orders, contracts, related invoices with CIG and CUP", fields=_REFERENCES),
    Column("ritenute", "records", "Withholding (DatiRitenuta)", fields=_WITHHOLDINGS),
    Column("casse", "records", "Social fund (DatiCassaPrevidenziale)", fields=_SOCIAL_FUNDS),
    Column("allegati", "records", "Attachments, without their content", fields=_ATTACHMENTS),
    Column("firma", "text", "Signature of a .p7m: VALIDA, NON_VALIDA, NON_VERIFICABILE; null for a plain file",
           allowed=("VALIDA", "NON_VALIDA", "NON_VERIFICABILE")),
    Column("firmatario", "text", "Subject of the signer's certificate"),
)

QUARANTINE = Table(
    name="quarantine",
    layer="staging",
    grain="One row per defect found in a delivery: a row may have several",
    columns=(
        Column("ente", "text", "Tenant code", required=True),
        Column("kind", "text", "Kind of delivery", required=True),
        Column("delivery", "text", "Identifier of the delivery", required=True),
        Column("file", "text", "File name as delivered", required=True),
        Column("line", "integer", "Line of the file, from 1; null when the whole file is refused"),
        Column("field", "text", "Column or XML path; null when the whole row or file is refused"),
        Column("value", "text", "The value found, at most 200 characters"),
        Column("reason", "text", "What is wrong and what to do, in plain words", required=True),
    ),
    published=True,
    blocking=False,
    indexes=(("ente", "delivery"),),
)

BUDGETS = budgets(LINEAGE)

#: Every kind that can be delivered, by its folder's name in the inbox.
FEEDS: dict[str, Table] = {
    table.name: table
    for table in (
        ERP_INVOICES, ERP_PAYMENTS, PCC_INVOICES, PCC_OPERATIONS, PCC_OUTCOMES, OPEN_LIST, SPECIAL_CASES, ENTI, SDI_INVOICES,
        *MESSAGE_FEEDS, BUDGETS, *SERVICE_FEEDS,
    )
}
