"""What the SQL models make: one table a file of dbt_like_sql/models, column by column.

The layers: staging (the row that stands), reconciliation (who is the creditor, which documents are the same, where the
two sides differ), operations (what remedies it on PCC), debt (what each document adds to each stock), indicators,
service levels.
"""

from __future__ import annotations

from dataclasses import replace

from pcc_pipeline import rules
from pcc_pipeline.tables import feeds, indicators, messages, operations, sending
from pcc_pipeline.tables.common import (
    ENTE,
    ID_DOCUMENTO,
    OBSERVED_AT,
    PROGRESSIVO,
    REFERENCE_DATE,
    VIEW,
    money,
)
from pcc_pipeline.tables.describe import Column, Paging, Table
from pcc_pipeline.tables.history import DOCUMENT_EVENTS
from pcc_pipeline.tables.proposals import MATCH_PROPOSALS
from pcc_pipeline.tables.service import SERVICE_MODELS

ROW_ID = Column("row_id", "integer", "Order of arrival of the row: sequence of the delivery, then line; unique in its table",
                required=True)
STOCK = Column("amount", "money", "Stock of the commercial debt", required=True, unit="EUR", source="L. 145/2018 art. 1 c. 859, 867")
DOCUMENTS = Column("documents", "integer", "Documents that make it up (amount not zero)", required=True, minimum=0)
CREDITOR = Column("creditor", "text", "Creditor: VAT number, else fiscal code, normalised", required=True, source="rules section 5")
ORIGIN = Column("origin", "text", "Where the document comes from; all but SDI are outside SDI", required=True,
                allowed=rules.origins(), source="docs/readings.md, Origin")
NUMBER_KEY = Column("number_key", "text", "Normalised number", source="rules section 6")


def _standing(feed: Table, grain: str, key: tuple[str, ...]) -> Table:
    """The staging table of a feed: its columns, of the row that stands."""
    return replace(feed, name=f"stg_{feed.name}", grain=grain, columns=(*feed.columns, ROW_ID), key=key)


STAGING = (
    _standing(feeds.ERP_INVOICES, "One row per document of the accounting system: the latest delivered", ("ente", "id_documento")),
    _standing(feeds.ERP_PAYMENTS, "One row per payment of the accounting system: the latest delivered of its mandate and document",
              ("ente", "row_id")),
    _standing(feeds.PCC_INVOICES, "One row per document of PCC: the latest delivered, completed where it came by export", ("ente", "progressivo_registrazione")),
    _standing(feeds.PCC_OPERATIONS, "One row per movement of PCC: the latest delivered of its document, day, action and payment order", ("ente", "row_id")),
    _standing(feeds.OPEN_LIST, "One row per document of the latest open list", ("ente", "row_id")),
    _standing(feeds.SPECIAL_CASES, "One row per special case: the latest delivered of its identity", ("ente", "row_id")),
    _standing(feeds.SDI_INVOICES, "One row per body of a FatturaPA file: the latest delivered of its file", ("ente", "file", "line")),
    _standing(feeds.BUDGETS, "One row per year: the budget that the ente stated last", ("ente", "anno")),
)

PAYMENTS = replace(STAGING[1], name="payments", layer="reconciliation",
                   grain="One row per payment of a document: the accounting system's, and what payment orders (OPI) add")

SUBJECTS = Table(
    "subjects", "reconciliation", "One row per pair of identifiers (VAT number, fiscal code) as written on some document",
    (
        ENTE,
        Column("piva", "text", "VAT number as written"),
        Column("cf", "text", "Fiscal code as written"),
        Column("vat", "text", "VAT number normalised", source="rules section 5"),
        Column("code", "text", "Fiscal code normalised", source="rules section 5"),
        Column("creditor", "text", "The subject: the least VAT number of all identifiers seen together, else fiscal code; normalised",
               required=True, source="rules section 5"),
        Column("trusted", "boolean", "That identifier is right; a wrong one is kept and never matched on", required=True),
    ),
    key=("ente", "piva", "cf"),
)

IDENTIFIERS = Table(
    "identifiers", "reconciliation", "One row per tax id, normalised, that some document bears: whose it is",
    (
        ENTE, Column("identifier", "text", "VAT number or fiscal code, normalised", required=True, source="rules section 5"),
        Column("creditor", "text", "The subject (subjects); the least where a wrong tax id stands beside several", required=True),
    ),
    key=("ente", "identifier"),
)

CREDITORS = Table(
    "creditors", "reconciliation",
    "One row per special case that changes the creditor and is in force at the reference date",
    (
        ENTE,
        Column("original_creditor", "text", "The supplier", required=True),
        Column("numero", "text", "Number of the one document as written; null means all of the supplier"),
        Column("issue_date", "date", "Its date of issue, where the case names it"),
        Column("in_force_from", "date", "Day from which the case holds (decorrenza)", required=True),
        Column("effect", "text", "NEW_CREDITOR, EXCLUDED, NON_COMMERCIAL, ALSO_BENEFICIARY or NONE", required=True),
        Column("creditor", "text", "Present creditor, chains followed; null where the case names none"),
        Column("creditor_name", "text", "Name of the present creditor"),
        Column("loop", "boolean", "The chain comes back to itself", required=True),
        Column("caso", "text", "Kind of case", required=True),
    ),
)

_DOCUMENT = (
    Column("creditor", "text", "The supplier, normalised", required=True),
    Column("creditor_known", "boolean", "The supplier's tax id is there and right: documents are matched on it", required=True),
    NUMBER_KEY,
    Column("numero", "text", "Number as written", required=True),
    Column("tipo_documento", "text", "Document type", required=True),
    Column("sign", "integer", "−1 for a credit note", required=True, source="rules section 1"),
    Column("issue_date", "date", "Date of issue", required=True),
    Column("reception_date", "date", "Date of reception"),
    Column("due_date", "date", "Due date as written"),
    money("total", "Total as written, positive"),
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
        Column("id_pcc", "text", "Progressivo di registrazione, where the accounting system keeps it"),
        Column("stato", "text", "State in the accounting system", required=True),
        Column("causale", "text", "Cause of suspension"),
        money("not_payable", "Amount non liquidabile; null with stato NON_LIQUIDABILE means all that is unpaid", required=False),
        Column("suspended_from", "date", "Start of suspension"),
        money("suspended", "Amount suspended; null with stato SOSPESA means all that is unpaid", required=False),
        Column("commercial", "boolean", "A commercial debt by the accounting system's word", required=True),
        money("paid_at_reference", "Paid by the reference date"),
        money("paid_at_observation", "Paid by the observation date"),
        Column("other_beneficiary", "boolean", "Some mandate's beneficiary is not written as the supplier", required=True),
        replace(ORIGIN, meaning="Where the document comes from by the accounting system's word"),
    ),
    key=("ente", "id_documento"),
)

PCC_DOCUMENTS = Table(
    "pcc_documents", "reconciliation", "One row per document of PCC, ready to compare, with its accounts",
    (
        ENTE, ROW_ID, replace(PROGRESSIVO, required=True), *_DOCUMENT,
        Column("stato", "text", "State on PCC", required=True),
        Column("rejected", "boolean", "RIFIUTATO, or refused by a movement RF up to O", required=True, source="rules section 1"),
        Column("cause", "text", "Cause of suspension"),
        Column("excluded", "boolean", "That cause keeps the suspended amount out of the stock", required=True, source="rules section 4"),
        money("commercial_amount", "Commercial amount, positive", source="rules section 1"),
        money("liquidated", "Account liquidato"),
        money("suspended", "Account sospeso"),
        money("not_payable", "Account non liquidabile"),
        money("paid", "Account pagato (at the observation date)"),
        money("paid_non_commercial", "Account pagato non commerciale"),
        money("paid_after_reference", "Payments (CP) after the reference date and by the observation date"),
        money("unbooked", "What the split leaves: presentato or ricevuto; negative when the accounts do not sum"),
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
        Column("due_date", "date", "Latest DataScadenzaPagamento"),
    ),
    key=("ente", "id_documento"),
)

CREDIT_NOTE_LINKS = Table(
    "credit_note_links", "reconciliation",
    "One row per credit note of the accounting system and invoice of the same supplier that it belongs to",
    (
        ENTE, Column("note", "text", "id_documento of the credit note", required=True),
        Column("invoice", "text", "id_documento of the invoice", required=True),
        Column("found_by", "text", "What links the two: SDI the note's own reference, else MANDATO a payment order of the same number and year",
               required=True, allowed=("MANDATO", "SDI"), source="rules section 12"),
    ),
    key=("ente", "note", "invoice"),
)

MATCHES = Table(
    "matches", "reconciliation", "One row per pair of documents that are the same",
    (
        ENTE,
        replace(ID_DOCUMENTO, required=True),
        replace(PROGRESSIVO, required=True),
        Column("tier", "text", "The tier that paired them", required=True, allowed=rules.match_tiers(), source="rules section 6"),
        Column("agreed", "text", "Fields that agree, comma separated", required=True),
        Column("differed", "text", "Fields that differ, comma separated", required=True),
    ),
    key=("ente", "id_documento"),
    published=True,
)

_ERP_ROW = Column("erp_row", "integer", "row_id of the accounting system's document")
_PCC_ROW = Column("pcc_row", "integer", "row_id of PCC's document")

PAIRS = Table(
    "pairs", "reconciliation", "One row per pair of documents that a tier found",
    (
        ENTE, replace(_ERP_ROW, required=True), replace(_PCC_ROW, required=True),
        Column("tier", "text", "The tier", required=True, allowed=rules.match_tiers(), source="rules section 6"),
        Column("status", "text", "SETTLED where unique on both sides, else CONTESTED", required=True,
               allowed=("SETTLED", "CONTESTED")),
    ),
    key=("ente", "erp_row", "pcc_row", "tier"),
)

AMBIGUITIES = Table(
    "ambiguities", "reconciliation", "One row per document that several others could be",
    (
        ENTE, _ERP_ROW, _PCC_ROW,
        Column("tier", "text", "First tier that found several", required=True, allowed=rules.match_tiers()),
    ),
    key=("ente", "erp_row", "pcc_row"),
)

DOCUMENT_CASES = Table(
    "document_cases", "reconciliation", "One row per document that a special case or the open list names",
    (
        ENTE, _ERP_ROW, _PCC_ROW,
        Column("new_creditor", "text", "Present creditor by a special case", source="rules section 5"),
        Column("new_creditor_name", "text", "Its name"),
        Column("new_creditor_from", "date", "Day from which it is the creditor"),
        Column("other_beneficiaries", "texts", "Who else may be paid (pignoramento)"),
        Column("dispute", "boolean", "A special case CONTENZIOSO is in force", required=True),
        Column("dispute_from", "date", "Day from which it is"),
        Column("non_commercial", "boolean", "A special case NON_COMMERCIALE is in force", required=True),
        Column("listed", "boolean", "On the ente's open list", required=True),
        Column("creditor_loop", "boolean", "The chain of creditors comes back to itself", required=True),
    ),
    key=("ente", "erp_row", "pcc_row"),
)

DOCUMENTS_TABLE = Table(
    "documents", "reconciliation", "One row per document, both sides' facts beside each other",
    (
        ENTE, ID_DOCUMENTO, PROGRESSIVO,
        Column("tier", "text", "The tier that paired the two sides"),
        Column("standing", "text", "MATCHED, ERP_ONLY, PCC_ONLY, ERP_AMBIGUOUS, PCC_AMBIGUOUS, PCC_DUPLICATE", required=True,
               allowed=("MATCHED", "ERP_ONLY", "PCC_ONLY", "ERP_AMBIGUOUS", "PCC_AMBIGUOUS", "PCC_DUPLICATE")),
        Column("tipo_documento", "text", "Document type (the accounting system's, else PCC's)", required=True),
        Column("numero", "text", "Number (the accounting system's, else PCC's)", required=True),
        Column("same_number", "boolean", "Both sides bear the same normalised number; null where there is one side"),
        Column("original_creditor", "text", "The supplier", required=True),
        Column("same_creditor", "boolean", "Both sides name the same supplier", required=True),
        CREDITOR,
        Column("creditor_name", "text", "Name of the creditor"),
        Column("original_creditor_name", "text", "Name of the supplier, where the creditor is another"),
        Column("new_creditor_from", "date", "Day from which the present creditor is not the supplier"),
        Column("other_beneficiaries", "texts", "Who else may be paid (pignoramento)"),
        Column("creditor_loop", "boolean", "The special cases lead back to themselves", required=True),
        Column("listed", "boolean", "On the ente's open list", required=True),
        Column("dispute", "boolean", "A special case CONTENZIOSO is in force", required=True),
        Column("commercial", "boolean", "A commercial debt, special cases counted", required=True),
        Column("other_beneficiary", "boolean", "Some mandate's beneficiary is not written as the supplier"),
        Column("erp_lotto_sdi", "text", "SDI's identifier of the lot in the accounting system"),
        ORIGIN,
        Column("to_communicate", "boolean", "A commercial debt outside SDI that PCC lacks: Modello 002", required=True,
               source="rules section 7, MISSING_ON_PCC"),
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
        Column("right_due_date", "date", "Due date after reconciliation", required=True, source="rules section 2"),
        Column("pcc_due_date", "date", "Due date in PCC's view", source="rules section 2"),
        Column("right_reception_date", "date", "Reception after reconciliation: PCC's, else the accounting system's, else the issue date",
               required=True, source="rules section 2"),
        Column("pcc_reception_date", "date", "Reception in PCC's view", source="rules section 2"),
        money("erp_total", "Total in the accounting system, signed", required=False),
        money("pcc_total", "Total on PCC, signed", required=False),
        money("erp_amount", "Commercial amount in the accounting system, signed", required=False, source="rules section 1"),
        money("pcc_amount", "Commercial amount on PCC, signed", required=False, source="rules section 1"),
        money("erp_commercial_amount", "Commercial amount in the accounting system, unsigned", required=False),
        money("pcc_commercial_amount", "Commercial amount on PCC, unsigned", required=False),
        Column("erp_split_payment", "boolean", "Split payment in the accounting system (else the invoice's own, else PCC's)"),
        Column("pcc_split_payment", "boolean", "Split payment on PCC", required=True),
        money("erp_vat", "VAT in the accounting system", required=False),
        Column("erp_office", "text", "Office in the accounting system"),
        Column("pcc_office", "text", "Office on PCC"),
        Column("erp_rejected", "boolean", "Rejected or annulled in the accounting system, or refused through SDI (EC02)", required=True),
        Column("pcc_rejected", "boolean", "Rejected on PCC", required=True),
        money("erp_paid_at_reference", "Paid by D, unsigned", required=False),
        money("erp_paid_at_observation", "Paid by O, unsigned", required=False),
        money("erp_not_payable", "Non liquidabile, unsigned", required=False),
        money("erp_suspended", "Suspended, unsigned", required=False),
        money("erp_excluded", "Suspended and out of the stock, unsigned", required=False, source="rules section 4"),
        money("to_suspend", "What shall stand as sospeso on PCC, unsigned: what is suspended, or in dispute", required=False),
        money("pcc_paid_at_reference", "Paid by D, non-commercial included, unsigned", required=False),
        money("pcc_paid_at_observation", "Paid by O, non-commercial included, unsigned", required=False),
        money("pcc_paid_non_commercial", "Paid, non-commercial, unsigned", required=False),
        money("pcc_liquidated", "Liquidato, unsigned", required=False),
        money("pcc_not_payable", "Non liquidabile, unsigned", required=False),
        money("pcc_suspended", "Suspended, unsigned", required=False),
        money("pcc_excluded", "Suspended and out of the stock, unsigned", required=False, source="rules section 4"),
        money("pcc_unbooked", "Presentato or ricevuto, unsigned", required=False),
        Column("pcc_operations", "integer", "Movements seen on PCC"),
        money("right_open", "What the document leaves open at D after reconciliation, signed"),
        money("pcc_open", "What the document leaves open at D in PCC's view, signed"),
        money("right_stock", "What the document adds to the right stock, signed"),
        money("pcc_stock", "What the document adds to PCC's stock, signed"),
    ),
    key=("ente", "id_documento", "progressivo_registrazione"),
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

DEBT_POSITIONS = Table(
    "debt_positions", "debt", "One row per document and view",
    (
        ENTE, VIEW, REFERENCE_DATE, OBSERVED_AT, ID_DOCUMENTO, PROGRESSIVO,
        Column("tipo_documento", "text", "Document type", required=True),
        Column("numero", "text", "Invoice number", required=True),
        ORIGIN,
        Column("issue_date", "date", "Date of issue in this view", required=True),
        Column("issue_year", "integer", "Year of issue", required=True),
        Column("reception_date", "date", "Reception in this view", required=True, source="rules section 2"),
        Column("due_date", "date", "Due date in this view", required=True),
        Column("original_creditor", "text", "The supplier", required=True),
        CREDITOR,
        Column("creditor_name", "text", "Name of the creditor"),
        Column("original_creditor_name", "text", "Name of the supplier, where the creditor is another in this view"),
        money("commercial_amount", "Commercial amount, signed"),
        money("paid_at_reference", "Paid by the reference date, signed"),
        money("paid_at_observation", "Paid by the observation date, signed"),
        money("not_payable", "Non liquidabile, signed"),
        money("suspended_excluded", "Suspended and out of the stock, signed"),
        money("open_amount", "Open at the reference date, due or not, signed"),
        money("stock", "What the document adds to the stock, signed", source="rules section 4"),
        Column("days_past_due", "integer", "Days from the due date to the reference date; negative: not due yet", required=True, unit="days"),
        Column("bucket", "text", "Due-date bucket", required=True, allowed=rules.buckets(), source="rules section 4"),
        Column("reason", "text", "Why the amount is what it is", required=True,
               allowed=("DUE", "PARTLY_EXCLUDED", "PAID", "NOT_DUE", "ISSUED_LATER", "NON_COMMERCIAL", "REJECTED", "EXCLUDED",
                        "AMBIGUOUS", "DUPLICATE")),
    ),
    key=("ente", "view", "id_documento", "progressivo_registrazione"),
    published=True,
    indexes=(("ente", "view", "creditor"), ("ente", "view", "bucket"), ("ente", "id_documento"), ("ente", "progressivo_registrazione"),
             ("ente", "view", "due_date", "open_amount"), ("ente", "view", "original_creditor")),
    paging=(Paging("largest", ("view", "stock", "open_amount", "id_documento", "progressivo_registrazione"), only="stock <> 0"),
            Paging("taken_over", ("view", "creditor"), only="original_creditor <> creditor")),
)

_CODE = Column("code", "text", "Anomaly code", required=True, allowed=rules.anomaly_codes(), source="rules section 7")

DIFFERENCES = Table(
    "differences", "reconciliation", "One row per document and anomaly code that it bears: the conditions alone",
    (ENTE, replace(_CODE, required=False, allowed=()), ID_DOCUMENTO, PROGRESSIVO),
    key=("ente", "code", "id_documento", "progressivo_registrazione"),
)

ANOMALIES = Table(
    "anomalies", "reconciliation", "One row per document and anomaly code",
    (
        ENTE,
        _CODE, ID_DOCUMENTO, PROGRESSIVO,
        money("amount", "What the document adds to PCC's stock less what it adds to the right stock", source="rules section 7"),
        Column("severity", "text", "high, medium or low", required=True, allowed=("high", "medium", "low")),
        Column("remedy", "text", "Operations on PCC, or manual", required=True),
        Column("manual", "boolean", "Needs a person's answer", required=True),
        Column("question", "text", "What to ask, with the facts; null where no person's answer is needed"),
        Column("erp_says", "text", "The accounting system's fact"),
        Column("pcc_says", "text", "PCC's fact"),
        Column("original_creditor", "text", "The supplier", required=True),
        CREDITOR,
        Column("numero", "text", "Invoice number", required=True),
        ORIGIN,
        Column("to_communicate", "boolean", "PCC lacks it and it never passed SDI: to be communicated by Modello 002", required=True),
        REFERENCE_DATE, OBSERVED_AT,
    ),
    key=("ente", "code", "id_documento", "progressivo_registrazione"),
    published=True,
    indexes=(("ente", "code"),),
    paging=(Paging("largest", ("abs(amount)",)),),
)

DIFFERENCE_BY_CODE = Table(
    "difference_by_code", "debt", "One row per anomaly code that some document bears first in the catalogue's order",
    (
        ENTE, REFERENCE_DATE, ANOMALIES.column("code"),
        money("amount", "Its part of PCC's stock less the right stock; the parts of all codes are the whole", source="rules section 7"),
        Column("documents", "integer", "Documents that bear it first", required=True, minimum=1),
    ),
    key=("ente", "reference_date", "code"),
    published=True,
)


def _stock(name: str, by: str, *columns: Column) -> Table:
    grain = f"One row per view{by}"
    return Table(name, "debt", grain, (ENTE, VIEW, REFERENCE_DATE, *columns, STOCK, DOCUMENTS),
                 key=("ente", "view", "reference_date", *(c.name for c in columns)), published=True)


STOCK_TABLE = _stock("stock", "")
STOCK_BY_CREDITOR = replace(
    _stock("stock_by_creditor", " and creditor", CREDITOR),
    columns=(ENTE, VIEW, REFERENCE_DATE, CREDITOR, Column("creditor_name", "text", "Name of the creditor"), STOCK, DOCUMENTS),
    paging=(Paging("largest", ("view", "amount")),),
)
STOCK_BY_DUE_DATE = _stock("stock_by_due_date", " and due-date bucket (not_due stands beside: debt, not stock)",
                           Column("bucket", "text", "Days past due", required=True, allowed=rules.buckets()))
STOCK_BY_ISSUE_YEAR = _stock("stock_by_issue_year", " and year of issue",
                             Column("issue_year", "integer", "Year of issue", required=True))

INVOICES = replace(
    feeds.SDI_INVOICES, name="invoices", layer="reconciliation",
    grain="One row per SDI document as parsed, with the accounting system's document it tells about",
    columns=(*feeds.SDI_INVOICES.columns, Column("creditor", "text", "The supplier, normalised"), ID_DOCUMENTO,
             messages.SDI_ID, messages.SDI_STATE, messages.SDI_STATE_DATE),
    key=("ente", "file", "line"), published=True,
)

#: Every table that a SQL model makes, in reading order.
MODELS: dict[str, Table] = {
    table.name: table
    for table in (
        *STAGING, *messages.MESSAGE_MODELS, PAYMENTS, SUBJECTS, IDENTIFIERS, CREDITORS, ERP_DOCUMENTS, PCC_DOCUMENTS, SDI_DOCUMENTS, INVOICES, CREDIT_NOTE_LINKS, DOCUMENT_EVENTS, PAIRS,
        *sending.MODELS, AMBIGUITIES, MATCH_PROPOSALS, DOCUMENT_CASES, DOCUMENTS_TABLE, MATCHES, DEBT_POSITIONS,
        WRONG_BENEFICIARIES, MATCH_CANDIDATES, DIFFERENCES, ANOMALIES, DIFFERENCE_BY_CODE, *operations.TABLES, STOCK_TABLE, STOCK_BY_CREDITOR, STOCK_BY_DUE_DATE, STOCK_BY_ISSUE_YEAR,
        *indicators.TABLES,
        *SERVICE_MODELS,
    )
}
