"""Documents, side by side: each side's own ready to compare, what special cases say of them, and both together.

Which are the same is in `models` (pairs, matches), where they differ too (differences, anomalies).
"""

from __future__ import annotations

from dataclasses import replace

from pcc_pipeline import rules
from pcc_pipeline.tables.common import ENTE, ID_DOCUMENTO, PROGRESSIVO, money
from pcc_pipeline.tables.describe import Column, Table

ROW_ID = Column("row_id", "integer", "Order of arrival of the row: sequence of the delivery, then line; unique in its table",
                required=True)
CREDITOR = Column("creditor", "text", "Creditor: VAT number, else fiscal code, normalised", required=True, source="docs/rules.md#rule-5")
ORIGIN = Column("origin", "text", "Where the document comes from; all but SDI are outside SDI", required=True,
                allowed=rules.origins(), source="docs/readings.md#origin")
NUMBER_KEY = Column("number_key", "text", "Normalised number", source="docs/rules.md#rule-6")
ERP_ROW = Column("erp_row", "integer", "row_id of the accounting system's document")
PCC_ROW = Column("pcc_row", "integer", "row_id of PCC's document")

_DOCUMENT = (
    Column("creditor", "text", "The supplier, normalised", required=True),
    Column("creditor_known", "boolean", "The supplier's tax id is there and right: documents are matched on it", required=True),
    NUMBER_KEY,
    Column("numero", "text", "Number as written", required=True),
    Column("tipo_documento", "text", "Document type", required=True),
    Column("sign", "integer", "−1 for a credit note", required=True, source="docs/rules.md#rule-1"),
    Column("issue_date", "date", "Date of issue", required=True),
    Column("reception_date", "date", "Date of reception"),
    Column("due_date", "date", "Due date as written; null where it cannot be", source="docs/rules.md#rule-2"),
    money("total", "Total, positive"),
    Column("split_payment", "boolean", "The ente pays the VAT to the treasury"),
    Column("codice_ufficio", "text", "Office"),
    Column("lotto_sdi", "text", "SDI's identifier of the lot"),
    Column("supplier_name", "text", "Name of the supplier"),
)

ERP_DOCUMENTS = Table(
    "erp_documents", "reconciliation", "One row per document of the accounting system, ready to compare",
    (
        ENTE, ROW_ID, replace(ID_DOCUMENTO, required=True), *_DOCUMENT,
        money("vat", "VAT as written", required=False),
        Column("stato", "text", "State in the accounting system", required=True),
        Column("causale", "text", "Cause of suspension"),
        money("not_payable", "Amount non liquidabile; null with stato NON_LIQUIDABILE means all that is unpaid", required=False),
        Column("suspended_from", "date", "Start of suspension"),
        money("suspended", "Amount suspended; null with stato SOSPESA means all that is unpaid", required=False),
        Column("commercial", "boolean", "A commercial debt by the accounting system's word", required=True),
        money("withholding", "Withholding tax by the document, else by its payment orders", required=False, source="docs/rules.md#rule-11"),
        money("paid_at_reference", "Paid by the reference date"),
        money("paid_at_observation", "Paid by the observation date"),
        Column("other_beneficiary", "boolean", "Some mandate's beneficiary is not written as the supplier", required=True),
        replace(ORIGIN, meaning="Where the document comes from by the accounting system's word"),
        Column("copy_of", "text", "id_documento of the same document, which counts in its place", source="docs/rules.md#rule-7"),
    ),
    key=("ente", "id_documento"),
)

ERP_IDENTITIES = Table(
    "erp_identities", "reconciliation",
    "One row per document of the accounting system: who it is from and what it is, before its payments are known",
    (
        ENTE, ROW_ID, replace(ID_DOCUMENTO, required=True),
        Column("creditor", "text", "The supplier, normalised", required=True),
        Column("creditor_known", "boolean", "The supplier's tax id is there and right", required=True),
        Column("vat", "text", "VAT number, normalised"),
        Column("code", "text", "Fiscal code, normalised"),
        NUMBER_KEY,
        Column("sign", "integer", "−1 for a credit note", required=True, source="docs/rules.md#rule-1"),
        Column("tipo_documento", "text", "Document type", required=True),
        Column("issue_date", "date", "Date of issue", required=True),
        money("total", "Total as written, positive"),
        Column("lotto_sdi", "text", "SDI's identifier of the lot"),
        Column("id_pcc", "text", "Progressivo di registrazione, where the accounting system keeps it"),
        Column("stato", "text", "State in the accounting system", required=True),
    ),
    key=("ente", "id_documento"),
)

ERP_COPIES = Table(
    "erp_copies", "reconciliation",
    "One row per living document of the accounting system that stands there again under another id: the one that counts",
    (
        ENTE, replace(ID_DOCUMENTO, required=True),
        Column("original", "text", "id_documento of the one that counts", required=True),
    ),
    key=("ente", "id_documento"),
)

DOCUMENT_REFERENCES = Table(
    "document_references", "reconciliation",
    "One row per self-invoice of either side and document that its e-invoice names: whose document it stands for",
    (
        ENTE, ERP_ROW, PCC_ROW,
        Column("debt", "text", "taxable for a foreign supplier's document, substitute for one that is missing", required=True,
               allowed=("taxable", "substitute")),
        Column("creditor", "text", "The supplier by the e-invoice", required=True),
        replace(NUMBER_KEY, meaning="Normalised number of the document named"),
        Column("issue_date", "date", "Its date of issue", required=True),
        Column("sign", "integer", "Sign of the self-invoice", required=True),
    ),
)

DOCUMENT_KEYS = Table(
    "document_keys", "reconciliation", "One row per document of either side and creditor that it may be known under: its keys",
    (
        ENTE, Column("of_pcc", "boolean", "A document of PCC", required=True), ROW_ID,
        Column("creditor", "text", "Supplier, or creditor by a special case; null where the tax id is wrong or not there"),
        Column("issue_date", "date", "Date of issue", required=True),
        Column("dead", "boolean", "Rejected, refused through SDI or annulled", required=True),
        Column("several", "boolean", "The document may be known under several creditors", required=True),
        Column("pcc_id", "integer", "PCC's registration number"),
        Column("sdi_lot", "integer", "Lot and number"),
        Column("lot_alone", "integer", "Lot and amount, where the lot holds one document on PCC"),
        Column("exact", "integer", "Creditor, number, date of issue, sign"),
        Column("number_amount", "integer", "Creditor, number, amount"),
        Column("date_amount", "integer", "Creditor, date of issue, amount"),
        Column("foreign_document", "integer", "As exact, of the foreign supplier's document that a self-invoice stands for"),
        Column("missing_document", "integer", "As exact, of the missing document that a TD20 stands for"),
    ),
)

PCC_DOCUMENTS = Table(
    "pcc_documents", "reconciliation", "One row per document of PCC, ready to compare, with its accounts",
    (
        ENTE, ROW_ID, replace(PROGRESSIVO, required=True), *_DOCUMENT,
        Column("vat", "text", "VAT number of the supplier, normalised"),
        Column("code", "text", "Fiscal code of the supplier, normalised"),
        money("vat_amount", "VAT"),
        Column("stato", "text", "State on PCC", required=True),
        Column("rejected", "boolean", "RIFIUTATO, or refused by a movement RF up to O", required=True, source="docs/rules.md#rule-1"),
        Column("cause", "text", "Cause of suspension"),
        money("excluded", "Of the suspended amount, what its kind or cause keeps out of the stock", source="docs/rules.md#rule-4"),
        money("commercial_amount", "Commercial amount, positive", source="docs/rules.md#rule-1"),
        money("liquidated", "Account liquidato"),
        money("suspended", "Account sospeso"),
        money("not_payable", "Account non liquidabile"),
        money("paid", "Account pagato (at the observation date)"),
        money("paid_non_commercial", "Account pagato non commerciale"),
        money("non_commercial", "Taken out of the commercial debt without a payment"),
        Column("left_out", "boolean", "Out of stock and times (esclusione)", required=True),
        money("paid_after_reference", "Payments (CP) after the reference date and by the observation date"),
        money("unbooked", "What the split leaves: presentato or ricevuto; negative when the accounts do not sum"),
        Column("accounts_fault", "text", "What does not sum: AMOUNT the accounts, KINDS of suspension, PAYMENTS the movements, EMPTY a PAGATO "
               "without accounts", allowed=("AMOUNT", "KINDS", "PAYMENTS", "EMPTY"), source="docs/rules.md#rule-3"),
        money("told_paid", "Payments that the movements tell; null without any", required=False),
        Column("suspension_days", "integer", "Days of the suspensions that ended", required=True, minimum=0, unit="days"),
        Column("suspension_days_told", "integer", "Days of those after whose end a due date was told (CS)", required=True, minimum=0,
               unit="days"),
        Column("operations", "integer", "Movements seen", required=True, minimum=0),
        replace(ORIGIN, meaning="Where the document comes from by PCC's word"),
    ),
    key=("ente", "progressivo_registrazione"),
)

SDI_DOCUMENTS = Table(
    "sdi_documents", "reconciliation", "One row per document of the accounting system that an SDI invoice tells more about",
    (
        ENTE, replace(ID_DOCUMENTO, required=True),
        Column("file", "text", "The FatturaPA file", required=True),
        Column("line", "integer", "Body in the file", required=True, minimum=1),
        Column("split_payment", "boolean", "EsigibilitaIVA is S"),
        Column("reverse_charge", "boolean", "Some line bears Natura N6"),
        money("total", "ImportoTotaleDocumento", required=False),
        money("vat", "Sum of the VAT summary", required=False),
        money("withholding", "Sum of DatiRitenuta", required=False),
        Column("due_date", "date", "Latest DataScadenzaPagamento that can be, else the latest of terms", source="docs/rules.md#rule-2"),
        Column("instalments", "dates", "The due dates, in order, where there are several"),
    ),
    key=("ente", "id_documento"),
)

DOCUMENT_CASES = Table(
    "document_cases", "reconciliation", "One row per document that a special case or the open list names",
    (
        ENTE, ERP_ROW, PCC_ROW,
        Column("new_creditor", "text", "Present creditor by a special case", source="docs/rules.md#rule-5"),
        Column("new_creditor_name", "text", "Its name"),
        Column("dispute", "boolean", "A special case CONTENZIOSO is in force", required=True),
        Column("dispute_from", "date", "Day from which it is"),
        Column("non_commercial", "boolean", "A special case NON_COMMERCIALE is in force", required=True),
        Column("listed", "boolean", "On the ente's open list", required=True),
        Column("ambiguous_case", "boolean", "A special case may name it, not beyond doubt", required=True, source="docs/rules.md#rule-5"),
        Column("creditor_loop", "boolean", "The chain of creditors comes back to itself", required=True),
    ),
    key=("ente", "erp_row", "pcc_row"),
)

#: Paired; on one side alone; one of several candidates; probably paired (asked); the same again on its own side.
STANDINGS = (
    "MATCHED", "ERP_ONLY", "PCC_ONLY", "ERP_AMBIGUOUS", "PCC_AMBIGUOUS", "ERP_PROBABLE", "PCC_PROBABLE", "ERP_DUPLICATE",
    "PCC_DUPLICATE",
)

_FACTS = (
    ENTE, ID_DOCUMENTO, PROGRESSIVO,
    Column("tier", "text", "The tier that paired the two sides"),
    Column("standing", "text", "What the document is to the other side", required=True, allowed=STANDINGS),
    Column("counterpart", "text", "The document that it may be, or is a copy of, in words; null for a plain one"),
    Column("copy_of_another", "boolean", "A duplicate that a person is asked about: a lot of its own, or under another creditor", required=True,
           source="docs/rules.md#rule-7"),
    Column("debt", "text", "What its type is for the debt (document_types)", required=True, source="docs/rules.md#rule-11",
           allowed=("own", "taxable", "substitute", "none")),
    Column("tipo_documento", "text", "Document type (the accounting system's, else PCC's)", required=True),
    Column("numero", "text", "Number (the accounting system's, else PCC's)", required=True),
    Column("same_number", "boolean", "Both sides bear the same normalised number; null where there is one side"),
    Column("original_creditor", "text", "The supplier", required=True),
    Column("same_creditor", "boolean", "Both sides name the same supplier", required=True),
    CREDITOR,
    Column("creditor_name", "text", "Name of the creditor"),
    Column("original_creditor_name", "text", "Name of the supplier, where the creditor is another"),
    Column("creditor_loop", "boolean", "The special cases lead back to themselves", required=True),
    Column("ambiguous_case", "boolean", "A special case may name it, not beyond doubt", required=True, source="docs/rules.md#rule-5"),
    Column("listed", "boolean", "On the ente's open list", required=True),
    Column("dispute", "boolean", "A special case CONTENZIOSO is in force", required=True),
    Column("commercial", "boolean", "A commercial debt, special cases counted", required=True),
    Column("other_beneficiary", "boolean", "Some mandate's beneficiary is not written as the supplier"),
    Column("erp_lotto_sdi", "text", "SDI's identifier of the lot in the accounting system"),
    ORIGIN,
    Column("erp_sign", "integer", "−1 for a credit note in the accounting system"),
    Column("pcc_sign", "integer", "−1 for a credit note on PCC"),
    Column("erp_stato", "text", "State in the accounting system"),
    Column("pcc_stato", "text", "State on PCC"),
    Column("erp_cause", "text", "Cause of suspension in the accounting system"),
    Column("pcc_cause", "text", "Cause of suspension on PCC"),
    Column("erp_issue_date", "date", "Date of issue in the accounting system"),
    Column("pcc_issue_date", "date", "Date of issue on PCC"),
    Column("erp_due_date", "date", "Due date in the accounting system as written"),
    Column("pcc_row_due_date", "date", "Due date on PCC as written"),
    Column("pcc_due_date", "date", "Due date in PCC's view", source="docs/rules.md#rule-2"),
    Column("right_reception_date", "date", "Reception after reconciliation: PCC's, else the accounting system's, else the issue date",
           required=True, source="docs/rules.md#rule-2"),
    Column("pcc_reception_date", "date", "Reception in PCC's view", source="docs/rules.md#rule-2"),
    money("erp_total", "Total in the accounting system, signed", required=False),
    money("pcc_total", "Total on PCC, signed", required=False),
    money("pcc_commercial_amount", "Commercial amount on PCC, unsigned", required=False),
    Column("erp_split_payment", "boolean", "Split payment in the accounting system (else the invoice's own, else PCC's)"),
    Column("suspension_days", "integer", "Days of the suspensions that ended on PCC", unit="days"),
    Column("suspension_days_told", "integer", "Days of those after whose end a due date was told (CS)", unit="days"),
    money("erp_vat", "VAT in the accounting system", required=False),
    money("pcc_vat", "VAT on PCC", required=False),
    Column("erp_office", "text", "Office in the accounting system"),
    Column("pcc_office", "text", "Office on PCC"),
    Column("erp_rejected", "boolean", "Rejected or annulled in the accounting system, or refused through SDI (EC02)", required=True),
    Column("pcc_rejected", "boolean", "Rejected on PCC", required=True),
    Column("einvoice_known", "boolean", "The e-invoice itself was delivered"),
    Column("withholding_from_einvoice", "boolean", "Only the e-invoice says what is withheld"),
    money("erp_written_paid_at_reference", "Paid by D as the payments say, unsigned", required=False),
    money("erp_written_paid_at_observation", "Paid by O as the payments say, unsigned", required=False),
    money("pcc_paid_at_reference", "Paid by D, non-commercial included, unsigned", required=False),
    money("pcc_paid_at_observation", "Paid by O, non-commercial included, unsigned", required=False),
    money("pcc_paid_non_commercial", "Paid, non-commercial, unsigned", required=False),
    money("pcc_liquidated", "Liquidato, unsigned", required=False),
    money("pcc_not_payable", "Non liquidabile, unsigned", required=False),
    money("pcc_suspended", "Suspended, unsigned", required=False),
    money("pcc_excluded", "Suspended and out of the stock, unsigned", required=False, source="docs/rules.md#rule-4"),
    money("pcc_non_commercial", "Out of the commercial debt without a payment, unsigned", required=False),
    Column("pcc_left_out", "boolean", "Out of PCC's stock and times (esclusione)", required=True),
    Column("accounts_fault", "text", "What does not sum on PCC (pcc_documents)", source="docs/rules.md#rule-3"),
    money("pcc_told_paid", "Payments that PCC's movements tell; null without any", required=False),
    money("pcc_unbooked", "Presentato or ricevuto, unsigned", required=False),
    Column("pcc_operations", "integer", "Movements seen on PCC"),
)

_VERDICT = (
    Column("right_due_date", "date", "Due date after reconciliation", required=True, source="docs/rules.md#rule-2"),
    Column("erp_suspended_from", "date", "Start of the suspension in the accounting system"),
    Column("supplier_total", "money", "The supplier's own total, where reverse charge is added to it", unit="EUR", source="docs/rules.md#rule-1"),
    money("erp_treasury_vat", "VAT that the ente pays to the treasury: split payment, reverse charge", required=False, source="docs/rules.md#rule-1"),
    money("erp_withheld", "Lacking by O and withheld, not owed", required=False, source="docs/rules.md#rule-11"),
    money("erp_paid_at_reference", "Paid by D, up to the commercial amount, unsigned", required=False, source="docs/rules.md#rule-1"),
    money("erp_paid_at_observation", "Paid by O, up to the commercial amount, unsigned", required=False, source="docs/rules.md#rule-1"),
    money("erp_overpaid", "Paid by O beyond the commercial amount", required=False, source="docs/rules.md#rule-1"),
    Column("to_communicate", "boolean", "A commercial debt outside SDI that PCC lacks: Modello 002", required=True,
           source="docs/rules.md#rule-7, MISSING_ON_PCC"),
    money("erp_amount", "Commercial amount in the accounting system, signed", required=False, source="docs/rules.md#rule-1"),
    money("pcc_amount", "Commercial amount on PCC, signed", required=False, source="docs/rules.md#rule-1"),
    money("erp_commercial_amount", "Commercial amount in the accounting system, unsigned", required=False),
    money("erp_not_payable", "Non liquidabile, unsigned", required=False),
    money("erp_suspended", "Suspended, unsigned", required=False),
    money("erp_excluded", "Suspended and out of the stock, unsigned", required=False, source="docs/rules.md#rule-4"),
    Column("suspended_too_early", "boolean", "Its suspension begins before reception", source="docs/rules.md#rule-2"),
    money("to_suspend", "What shall stand as sospeso on PCC, unsigned: what is suspended, or in dispute", required=False),
    money("vat_to_free", "VAT that PCC counts as debt though the ente pays it to the treasury, unsigned", source="docs/rules.md#rule-1"),
    money("right_open", "What the document leaves open at D after reconciliation, signed"),
    money("pcc_open", "What the document leaves open at D in PCC's view, signed"),
    money("right_stock", "What the document adds to the right stock, signed"),
    money("pcc_stock", "What the document adds to PCC's stock, signed"),
)

#: What is written of it and needed only for what follows.
_WRITTEN = (
    Column("erp_written_not_payable", "money", "Non liquidabile as written; null with stato NON_LIQUIDABILE: all that is unpaid", unit="EUR"),
    Column("erp_written_suspended", "money", "Suspended as written; null with stato SOSPESA: all that is unpaid", unit="EUR"),
    Column("erp_suspended_from", "date", "Start of the suspension in the accounting system"),
    Column("erp_cause_excluded", "boolean", "Its cause keeps what is suspended out of the stock", source="docs/rules.md#rule-4"),
    Column("erp_cause_told", "boolean", "PCC is told of its cause", source="docs/rules.md#rule-11"),
    Column("supplier_total", "money", "The supplier's own total, where reverse charge is added to it", unit="EUR"),
    Column("withholding", "money", "Withholding tax", unit="EUR", source="docs/rules.md#rule-11"),
    Column("instalments", "dates", "The e-invoice's due dates, where there are several", source="docs/rules.md#rule-2"),
    Column("einvoice_due_date", "date", "The e-invoice's due date, the latest of several", source="docs/rules.md#rule-2"),
    Column("due_by_reception", "date", "Reception and the term", source="docs/rules.md#rule-2"),
    Column("pcc_split_payment", "boolean", "Split payment on PCC", required=True),
)

DOCUMENT_FACTS = Table(
    "document_facts", "reconciliation", "One row per document: both sides' facts beside each other, as delivered",
    # What is demanded of them is checked on `documents`, which has them too.
    tuple(replace(c, required=False, allowed=()) for c in (*_FACTS, *_WRITTEN)),
    key=("ente", "id_documento", "progressivo_registrazione"),
)

DOCUMENTS_TABLE = Table(
    "documents", "reconciliation", "One row per document, both sides' facts beside each other and what follows from them",
    (*_FACTS, *_VERDICT),
    key=("ente", "id_documento", "progressivo_registrazione"),
)

PCC_COPIES = Table(
    "pcc_copies", "reconciliation", "One row per living document of PCC that is the same as one that a pair took",
    (
        ENTE, Column("pcc_row", "integer", "row_id of the copy", required=True),
        Column("original", "text", "Progressivo of the one that is paired", required=True),
        Column("to_ask", "boolean", "Both have a lot of their own, or the copy is under another creditor", required=True),
    ),
    key=("ente", "pcc_row"),
)

PROBABLE_PAIRS = Table(
    "probable_pairs", "reconciliation",
    "One row per pair of documents that no tier took and that agree in all but one thing: asked before anything is told to PCC",
    (
        ENTE, Column("erp_row", "integer", "row_id of the accounting system's document", required=True),
        Column("pcc_row", "integer", "row_id of PCC's document", required=True),
        Column("reason", "text", "What differs: CREDITOR written otherwise, NUMBER within a lot; YEAR: a far date, LOT: another amount in the same "
               "lot, which are proposed without being probable", required=True, allowed=("CREDITOR", "NUMBER", "YEAR", "LOT")),
        Column("probable", "boolean", "A probable pair (PROBABLE_MATCH)", required=True, source="docs/rules.md#rule-6"),
    ),
    key=("ente", "erp_row", "pcc_row"),
)

COUNTERPARTS = Table(
    "counterparts", "reconciliation", "One row per unpaired document that may be another of the other side: which ones, in words",
    (
        ENTE, ERP_ROW, PCC_ROW,
        Column("probable", "boolean", "A probable pair (PROBABLE_MATCH)", required=True, source="docs/rules.md#rule-6"),
        Column("counterpart", "text", "The documents that it may be", required=True),
    ),
    key=("ente", "erp_row", "pcc_row"),
)

ENTE_CODES = Table(
    "ente_codes", "reconciliation", "One row per fiscal code of the ente itself, as PCC's rows name it",
    (ENTE, Column("code", "text", "Fiscal code, normalised", required=True)),
    key=("ente", "code"),
)

MATCH_CANDIDATES = Table(
    "match_candidates", "reconciliation", "One row per document that several others could be: which ones, in words",
    (ENTE, ID_DOCUMENTO, PROGRESSIVO, Column("candidates", "text", "The documents of the other side that it may be", required=True)),
    key=("ente", "id_documento", "progressivo_registrazione"),
)

WRONG_BENEFICIARIES = Table(
    "wrong_beneficiaries", "reconciliation", "One row per document with payments to someone who was not its creditor that day",
    (
        ENTE, replace(ID_DOCUMENTO, required=True),
        Column("beneficiaries", "text", "Payment orders, each with who was paid as written", required=True),
    ),
    key=("ente", "id_documento"),
)

DIFFERENCE_WORDS = Table(
    "difference_words", "reconciliation", "One row per document and anomaly code whose question names more than the two sides' facts",
    (
        ENTE, Column("code", "text", "Anomaly code", required=True), ID_DOCUMENTO, PROGRESSIVO,
        Column("words", "text", "What it names", required=True),
    ),
    key=("ente", "code", "id_documento", "progressivo_registrazione"),
)

IMPOSSIBLE_DATES = Table(
    "impossible_dates", "reconciliation", "One row per document of one side that bears a date which cannot be",
    (ENTE, ID_DOCUMENTO, PROGRESSIVO, Column("dates", "text", "Which, in words", required=True, source="docs/rules.md#rule-2")),
    key=("ente", "id_documento", "progressivo_registrazione"),
)
