"""What the SQL models make: one table a file of dbt_like_sql/models, column by column.

The layers: staging (the row that stands), reconciliation (who is the creditor, which documents are the same, where the
two sides differ), operations (what remedies it on PCC), debt (what each document adds to each stock), indicators,
service levels.
"""

from __future__ import annotations

from dataclasses import replace

from pcc_pipeline import rules
from pcc_pipeline.tables import (
    feeds,
    indicators,
    messages,
    operations,
    opi,
    proposals,
    questions,
    sending,
    standing,
    suspensions,
    targets,
)
from pcc_pipeline.tables.common import (
    ENTE,
    ID_DOCUMENTO,
    LINKED_BY,
    OBSERVED_AT,
    PROGRESSIVO,
    REFERENCE_DATE,
    SEVERITIES,
    VIEW,
    money,
)
from pcc_pipeline.tables.describe import Column, Paging, Table
from pcc_pipeline.tables.documents import (
    COUNTERPARTS,
    CREDITOR,
    DIFFERENCE_WORDS,
    DOCUMENT_CASES,
    DOCUMENT_FACTS,
    DOCUMENT_KEYS,
    DOCUMENT_REFERENCES,
    DOCUMENTS_TABLE,
    ENTE_CODES,
    ERP_COPIES,
    ERP_DOCUMENTS,
    ERP_IDENTITIES,
    ERP_ROW,
    IMPOSSIBLE_DATES,
    MATCH_CANDIDATES,
    ORIGIN,
    PCC_COPIES,
    PCC_DOCUMENTS,
    PCC_ROW,
    PROBABLE_PAIRS,
    ROW_ID,
    SDI_DOCUMENTS,
    WRONG_BENEFICIARIES,
)
from pcc_pipeline.tables.history import DOCUMENT_EVENTS, MESSAGE_DOCUMENTS, PCC_CHANGES, PCC_VERSIONS
from pcc_pipeline.tables.service import SERVICE_MODELS

STOCK = Column("amount", "money", "Stock of the commercial debt", required=True, unit="EUR", source="L. 145/2018 art. 1 c. 859, 867")
DOCUMENTS = Column("documents", "integer", "Documents that make it up (amount not zero)", required=True, minimum=0)


def _standing(feed: Table, grain: str, key: tuple[str, ...]) -> Table:
    """The staging table of a feed: its columns, of the row that stands."""
    return replace(feed, name=f"stg_{feed.name}", grain=grain, columns=(*feed.columns, ROW_ID), key=key)


STAGING = (
    _standing(feeds.ERP_INVOICES, "One row per document of the accounting system: the latest delivered", ("ente", "id_documento")),
    _standing(feeds.ERP_PAYMENTS, "One row per payment of the accounting system: not corrected by a later delivery",
              ("ente", "row_id")),
    _standing(feeds.PCC_INVOICES, "One row per document of PCC: the latest delivered, completed where it came by export", ("ente", "progressivo_registrazione")),
    _standing(feeds.PCC_OPERATIONS, "One row per movement of PCC: not corrected by a later delivery", ("ente", "row_id")),
    _standing(feeds.OPEN_LIST, "One row per document of the latest open list", ("ente", "row_id")),
    _standing(feeds.SPECIAL_CASES, "One row per special case: the latest delivered of its identity", ("ente", "row_id")),
    _standing(feeds.SDI_INVOICES, "One row per body of a FatturaPA file: the latest delivered of its file, where SDI named it", ("ente", "file", "line")),
    _standing(feeds.BUDGETS, "One row per year: the budget that the ente stated last", ("ente", "anno")),
)

PCC_MOVEMENTS = replace(
    feeds.PCC_OPERATIONS, name="pcc_movements", grain="One row per movement of PCC as delivered, in its own feed or with a document",
    columns=(*feeds.PCC_OPERATIONS.columns, ROW_ID, Column("sequence", "integer", "Order of arrival of its delivery", required=True)),
    key=("ente", "row_id"),
)

PAYMENTS = replace(STAGING[1], name="payments", layer="reconciliation",
                   grain="One row per payment of a document: the accounting system's, and what payment orders (OPI) add")

DELIVERED_PAYMENTS = replace(PAYMENTS, name="delivered_payments", grain="One row per payment of a document as delivered")

SET_ASIDE_PAYMENTS = Table(
    "set_aside_payments", "reconciliation", "One row per delivered payment that is no payment of its document's commercial amount",
    (
        ENTE, Column("row_id", "integer", "The payment's row", required=True),
        Column("id_documento", "text", "The document that it names", required=True),
        Column("reason", "text", "REPEATED in one file, TREASURY_VAT, WITHHOLDING", required=True,
               allowed=("REPEATED", "TREASURY_VAT", "WITHHOLDING"), source="docs/rules.md#rule-1"),
    ),
    key=("ente", "row_id"),
)

PAYMENTS_WITHOUT_DOCUMENT = Table(
    "payments_without_document", "reconciliation", "One row per document that payments name and that no extract has",
    (
        ENTE, replace(ID_DOCUMENTO, required=True),
        Column("orders", "text", "Its payment orders, each with day and amount", required=True),
        Column("numero", "text", "The least of their numbers", required=True),
        Column("first_on", "date", "Day of the first, the order's or the payment's", required=True),
        Column("cf_beneficiario", "text", "Who was paid, as written"),
    ),
    key=("ente", "id_documento"),
)

PCC_PAYMENTS = Table(
    "pcc_payments", "reconciliation", "One row per payment (CP) that PCC's movements tell, reversals negative",
    (
        ENTE, Column("row_id", "integer", "The movement's row", required=True), replace(PROGRESSIVO, required=True),
        Column("numero_mandato", "text", "Payment order"),
        money("importo", "Amount, as it counts", required=False),
        Column("paid_on", "date", "Day of the payment, else of the movement", required=True),
        Column("order_year", "integer", "Year of the payment's day, where it is given"),
    ),
    key=("ente", "row_id"),
)

_PCC_ROWS = next(table for table in STAGING if table.name == "stg_pcc_invoices")
PCC_ACCOUNTS = replace(
    _PCC_ROWS, name="pcc_accounts", layer="reconciliation",
    grain="One row per document of PCC as delivered, with its accounts, unsigned, and what does not sum in them",
    columns=(
        *_PCC_ROWS.columns,
        Column("tells_kinds", "boolean", "The suspended amount is given by its kinds"),
        *(money(name, meaning, required=False) for name, meaning in (
            ("kinds", "Sum of the kinds of suspension"),
            ("after_observation", "Payments (CP) after the observation date"), ("after_reference", "Payments (CP) after the reference date"),
        )),
        *(PCC_DOCUMENTS.column(name) for name in (
            "commercial_amount", "liquidated", "suspended", "not_payable", "paid", "paid_non_commercial", "non_commercial", "left_out",
            "unbooked", "accounts_fault", "told_paid",
        )),
    ),
    key=("ente", "progressivo_registrazione"),
)

CREDIT_NOTES_CLOSED = Table(
    "credit_notes_closed", "reconciliation",
    "One row per credit note, and invoice on which it was used, of which PCC has a part as non liquidabile that the accounting system has as paid",
    (ENTE, replace(ID_DOCUMENTO, required=True), money("amount", "That part")),
    key=("ente", "id_documento"),
)

SUBJECTS = Table(
    "subjects", "reconciliation", "One row per pair of identifiers (VAT number, fiscal code) as written on some document",
    (
        ENTE,
        Column("piva", "text", "VAT number as written"),
        Column("cf", "text", "Fiscal code as written"),
        Column("vat", "text", "VAT number normalised", source="docs/rules.md#rule-5"),
        Column("code", "text", "Fiscal code normalised", source="docs/rules.md#rule-5"),
        Column("creditor", "text", "The subject: the least VAT number of all identifiers seen together, else fiscal code; normalised",
               required=True, source="docs/rules.md#rule-5"),
        Column("trusted", "boolean", "That identifier is right; a wrong one is kept and never matched on", required=True),
        Column("vat_group", "text", "The VAT number, where it is a VAT group's: it joins none of its members",
               source="docs/rules.md#rule-5"),
    ),
    key=("ente", "piva", "cf"),
)

IDENTIFIERS = Table(
    "identifiers", "reconciliation", "One row per tax id, normalised, that some document bears: whose it is",
    (
        ENTE, Column("identifier", "text", "VAT number or fiscal code, normalised", required=True, source="docs/rules.md#rule-5"),
        Column("creditor", "text", "The subject (subjects); the least where a wrong tax id stands beside several", required=True),
    ),
    key=("ente", "identifier"),
)

CREDITORS = Table(
    "creditors", "reconciliation", "One row per special case: whose documents it concerns, which of them, and to whom they pass",
    (
        ENTE, Column("case_row", "integer", "row_id of the special case", required=True),
        Column("original_creditor", "text", "The supplier", required=True),
        Column("numero", "text", "Number of the one document as written; null means all of the supplier"),
        Column("issue_date", "date", "Its date of issue, where the case names it"),
        Column("in_force_from", "date", "Day from which the case holds (decorrenza)", required=True),
        Column("effect", "text", "NEW_CREDITOR, EXCLUDED, NON_COMMERCIAL, ALSO_BENEFICIARY or NONE", required=True),
        Column("next_creditor", "text", "New creditor, or third party that may be paid; null where the case names none"),
        Column("next_name", "text", "Its name"),
        Column("caso", "text", "Kind of case", required=True),
    ),
    key=("ente", "case_row"),
)

CASE_DOCUMENTS = Table(
    "case_documents", "reconciliation", "One row per special case and document of either side that it fits",
    (
        ENTE, Column("case_row", "integer", "row_id of the special case", required=True),
        Column("erp_row", "integer", "row_id of the accounting system's document"),
        Column("pcc_row", "integer", "row_id of PCC's document"),
        Column("of_document", "boolean", "The case names a number", required=True),
        Column("effect", "text", "Effect of the case", required=True),
        Column("in_force_from", "date", "Day from which the case holds", required=True),
        Column("next_creditor", "text", "New creditor, or third party that may be paid"),
        Column("doubtful", "boolean", "The case does not name this document beyond doubt: it does not hold, it is asked",
               required=True, source="docs/rules.md#rule-5"),
    ),
    key=("ente", "case_row", "erp_row", "pcc_row"),
)

PRESENT_CREDITORS = Table(
    "present_creditors", "reconciliation",
    "One row per document whose creditor a special case changes, and day (issue, D, O): who was creditor then",
    (
        ENTE,
        Column("erp_row", "integer", "row_id of the accounting system's document"),
        Column("pcc_row", "integer", "row_id of PCC's document"),
        Column("on_day", "date", "The day", required=True),
        Column("creditor", "text", "Creditor on that day, chains followed", required=True),
        Column("creditor_name", "text", "Its name"),
        Column("since", "date", "Day from which the case that names the document, or its supplier, holds"),
        Column("loop", "boolean", "The chain comes back to itself: the supplier stays", required=True),
    ),
    key=("ente", "erp_row", "pcc_row", "on_day"),
)

CREDIT_NOTE_LINKS = Table(
    "credit_note_links", "reconciliation",
    "One row per credit note of the accounting system and invoice of the same supplier that it belongs to",
    (
        ENTE, Column("note", "text", "id_documento of the credit note", required=True),
        Column("invoice", "text", "id_documento of the invoice", required=True),
        Column("found_by", "text", "What links the two: SDI the note's own reference, else MANDATO a payment order of the same number and year",
               required=True, allowed=LINKED_BY, source="docs/rules.md#rule-12"),
    ),
    key=("ente", "note", "invoice"),
)

MATCHES = Table(
    "matches", "reconciliation", "One row per pair of documents that are the same",
    (
        ENTE,
        replace(ID_DOCUMENTO, required=True),
        replace(PROGRESSIVO, required=True),
        Column("tier", "text", "The tier that paired them", required=True, allowed=rules.match_tiers(), source="docs/rules.md#rule-6"),
        Column("agreed", "text", "Fields that agree, comma separated", required=True),
        Column("differed", "text", "Fields that differ, comma separated", required=True),
    ),
    key=("ente", "id_documento"),
    published=True,
)

PAIRS = Table(
    "pairs", "reconciliation", "One row per pair of documents that a tier found",
    (
        ENTE, replace(ERP_ROW, required=True), replace(PCC_ROW, required=True),
        Column("tier", "text", "The tier", required=True, allowed=rules.match_tiers(), source="docs/rules.md#rule-6"),
        Column("status", "text", "SETTLED where unique on both sides, else CONTESTED", required=True,
               allowed=("SETTLED", "CONTESTED")),
    ),
    key=("ente", "erp_row", "pcc_row", "tier"),
)

AMBIGUITIES = Table(
    "ambiguities", "reconciliation", "One row per document that several others could be",
    (
        ENTE, ERP_ROW, PCC_ROW,
        Column("tier", "text", "First tier that found several", required=True, allowed=rules.match_tiers()),
    ),
    key=("ente", "erp_row", "pcc_row"),
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
        Column("reception_date", "date", "Reception in this view", required=True, source="docs/rules.md#rule-2"),
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
        money("stock", "What the document adds to the stock, signed", source="docs/rules.md#rule-4"),
        Column("days_past_due", "integer", "Days from the due date to the reference date; negative: not due yet", required=True, unit="days"),
        Column("bucket", "text", "Due-date bucket", required=True, allowed=rules.buckets(), source="docs/rules.md#rule-4"),
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

_CODE = Column("code", "text", "Anomaly code", required=True, allowed=rules.anomaly_codes(), source="docs/rules.md#rule-7")

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
        money("amount", "What the document adds to PCC's stock less what it adds to the right stock", source="docs/rules.md#rule-7"),
        Column("severity", "text", "high, medium or low", required=True, allowed=SEVERITIES),
        Column("remedy", "text", "Operations on PCC, or manual", required=True),
        Column("manual", "boolean", "Needs a person's answer", required=True),
        Column("question", "text", "What to ask"),
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
        money("amount", "Its part of PCC's stock less the right stock; the parts of all codes are the whole", source="docs/rules.md#rule-7"),
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
        *standing.TABLES, PCC_MOVEMENTS, *STAGING, *messages.MESSAGE_MODELS, *opi.MODELS, DELIVERED_PAYMENTS, SET_ASIDE_PAYMENTS, PAYMENTS, PAYMENTS_WITHOUT_DOCUMENT, PCC_PAYMENTS, PCC_ACCOUNTS, SUBJECTS, IDENTIFIERS, CREDITORS, CASE_DOCUMENTS, PRESENT_CREDITORS, ERP_IDENTITIES, ERP_COPIES, DOCUMENT_REFERENCES, DOCUMENT_KEYS, PROBABLE_PAIRS, PCC_COPIES, COUNTERPARTS, ENTE_CODES, ERP_DOCUMENTS, PCC_DOCUMENTS, SDI_DOCUMENTS, INVOICES, CREDIT_NOTE_LINKS, MESSAGE_DOCUMENTS, DOCUMENT_EVENTS, PAIRS,
        *sending.MODELS, AMBIGUITIES, *proposals.TABLES, DOCUMENT_CASES, DOCUMENT_FACTS, DOCUMENTS_TABLE, CREDIT_NOTES_CLOSED, IMPOSSIBLE_DATES, MATCHES, DEBT_POSITIONS, PCC_VERSIONS, PCC_CHANGES,
        WRONG_BENEFICIARIES, MATCH_CANDIDATES, suspensions.DISPUTES, suspensions.PCC_SUSPENSIONS, DIFFERENCES, DIFFERENCE_WORDS, ANOMALIES, DIFFERENCE_BY_CODE, *targets.TABLES, *operations.TABLES, *questions.TABLES, suspensions.SUSPENSION_KINDS, STOCK_TABLE, STOCK_BY_CREDITOR, STOCK_BY_DUE_DATE, STOCK_BY_ISSUE_YEAR,
        *indicators.TABLES,
        *SERVICE_MODELS,
    )
}
