"""What the bonifica makes: the operations that align PCC, and its ledger simulated over them.

The SQL is in dbt_like_sql/models/operations. The questions to persons are in
`questions`; what was decided and sent of the operations in `decisions`.
"""

from __future__ import annotations

from dataclasses import replace

from pcc_pipeline import rules
from pcc_pipeline.tables.area import AREA_WORDS, PAYLOAD
from pcc_pipeline.tables.common import (
    ALL_ACTIONS,
    ENTE,
    ID_DOCUMENTO,
    LINKED_BY,
    NATURES,
    OBSERVED_AT,
    PCC_MODELS,
    PROGRESSIVO,
    REFERENCE_DATE,
    money,
)
from pcc_pipeline.tables.describe import Column, Table

DEBT_STATES = rules.debt_states()

_CODE = Column("code", "text", "The anomaly that it remedies", required=True, allowed=rules.anomaly_codes(), source="docs/rules.md#rule-7")
_STEP = Column("step", "integer", "Order within the document, from 1", required=True, minimum=1)
_KEY = ("ente", "id_documento", "progressivo_registrazione")


#: What one line of Modello 003 or 002 says.
_LINE = (
    Column("model", "text", "The file it goes into: today's models, 003 operations, 002 documents that never passed SDI", required=True,
           allowed=PCC_MODELS),
    Column("azione", "text", f"RC reception, RF refusal, CO booking, CS due date, CP payment; {AREA_WORDS}", required=True,
           allowed=ALL_ACTIONS),
    money("importo", "Amount moved or paid (CP, IP), positive; CS of 003: the amount that is due; else null", required=False),
    Column("natura_spesa", "text", "CO current, CA capital, NA for the movements that PCC wants without; null for RC, RF, CS",
           allowed=NATURES, source="Modello 003, E255"),
    Column("stato_debito", "text", "CO: between which accounts", allowed=DEBT_STATES, source="docs/rules.md#rule-3"),
    Column("causale", "text", "CO: PCC's code of the reason", allowed=rules.causali()),
    Column("descrizione", "text", "Free text; for a dispute it carries the start date", source="PCC since 6 March 2019"),
    Column("capitoli", "text", "Budget chapter"),
    Column("estremi_impegno", "text", "Commitment of expense"),
    Column("cig", "text", "Tender code, else NA; null for RC, RF, CS"),
    Column("cup", "text", "Project code, else NA; null for RC, RF, CS"),
    Column("data_scadenza", "date", "CS (and 002): the due date"),
    Column("numero_mandato", "text", "CP: number of the payment order"),
    Column("data_mandato", "date", "CP: the date that PCC takes for the payment's"),
    Column("id_fiscale_beneficiario", "text", "CP: who was paid, as PCC writes it (IT12345678901)"),
    Column("non_commercial", "boolean", "CP on the account pagato non commerciale", required=True),
    Column("protocollo", "text", "RC: number in the ente's register of correspondence"),
    Column("data_ricezione", "date", "RC: date of reception"),
    Column("data_rifiuto", "date", "RF: date of refusal"),
    *PAYLOAD,
    Column("identificativo", "integer", "Today's models: how the row names the document, 1 to 3",
           source="docs/formats.md#area-rgs-identification"),
    Column("payload_key", "text", "Today's models: hash of model, identification, action and payload"),
)

#: Whose line it is, as the files want it.
_IDENTITY = (
    Column("cf_amministrazione", "text", "Fiscal code of the ente as PCC writes it; null where no document of PCC tells it"),
    Column("codice_ufficio", "text", "Office"),
    Column("cf_fornitore", "text", "Fiscal code of the supplier"),
    Column("id_fiscale_iva", "text", "VAT number of the supplier with its country (IT12345678901)"),
    Column("denominazione_fornitore", "text", "Name of the supplier"),
    Column("numero_documento", "text", "Number (as on PCC where it is there)", required=True),
    Column("data_emissione", "date", "Date of issue (as on PCC where it is there)", required=True),
    money("importo_totale", "Total of the document, positive"),
    money("importo_imponibile", "Taxable amount", required=False),
    money("totale_imposta", "VAT", required=False),
    Column("tipo_documento", "text", "Document type (for 002: TD01 to TD06)", required=True),
    Column("lotto", "text", "SDI's identifier of the lot"),
    Column("original_creditor", "text", "The supplier, normalised", required=True, source="docs/rules.md#rule-5"),
)

CREDIT_NOTE_USES = Table(
    "credit_note_uses", "operations", "One row per credit note, used and still open on PCC, and invoice that it closes in part",
    (
        ENTE, Column("note", "text", "id_documento of the credit note", required=True),
        Column("invoice", "text", "id_documento of the invoice", required=True),
        Column("found_by", "text", "What links the two", required=True, allowed=LINKED_BY),
        money("amount", "What the note closes of the invoice and PCC does not know; zero where nothing is missing there"),
    ),
    key=("ente", "note", "invoice"),
)

UNREPORTED_ORDERS = Table(
    "unreported_orders", "operations",
    "One row per payment order of a document of which PCC lacks something, and side of D: what PCC lacks of it by its movements",
    (
        ENTE, Column("id_documento", "text", "The document paid", required=True),
        Column("numero_mandato", "text", "Number of the payment order", required=True),
        Column("order_year", "integer", "Its year", required=True, source="docs/rules.md#rule-12"),
        Column("side", "boolean", "Paid by D; null for an order with reversals"),
        money("paid", "What it paid, reversals taken off; with what is withheld, gross"),
        Column("paid_on", "date", "Last day of payment", required=True), Column("ordered_on", "date", "Date of the order"),
        Column("cf_beneficiario", "text", "Who was paid, as written"),
        Column("modalita", "text", "MANDATO, ECONOMALE petty cash, ADDEBITO direct debit", required=True),
        money("left_by_number", "What PCC's movements of its number and year leave of it"), money("lacking", "What PCC lacks of it"),
        Column("by_reference", "boolean", "Paid by D", required=True),
        money("needed", "What PCC lacks of the document's payments by O"),
        money("needed_at_reference", "What PCC lacks of them by D; negative where PCC has more"),
    ),
    key=("ente", "id_documento", "numero_mandato", "order_year", "side"),
)

UNREPORTED_PAYMENTS = Table(
    "unreported_payments", "operations", "One row per payment order of which PCC is to be told",
    (
        ENTE, Column("id_documento", "text", "The document paid", required=True),
        Column("numero_mandato", "text", "Number of the payment order", required=True),
        Column("data_mandato", "date", "The date to tell: the order's, or the payment's where the order's lies on the other side of D",
               required=True),
        Column("paid_on", "date", "Last day of payment", required=True),
        Column("cf_beneficiario", "text", "Who was paid, as written"),
        Column("modalita", "text", "MANDATO, ECONOMALE petty cash, ADDEBITO direct debit"),
        money("amount", "What PCC lacks of it"),
        Column("position", "integer", "Order in time within the document, from 1", required=True, minimum=1),
    ),
    key=("ente", "id_documento", "numero_mandato", "data_mandato"),
)

#: A document's accounts on PCC now, unsigned.
_NOW = (
    Column("issue_date", "date", "Date of issue in PCC's view", required=True),
    Column("due_date", "date", "Due date in PCC's view now; null for a new document"),
    money("commercial_amount", "PCC's commercial amount, unsigned", required=False),
    money("unbooked", "Presentato or ricevuto now", required=False),
    money("liquidated", "Liquidato now", required=False),
    money("suspended", "Sospeso now", required=False),
    money("not_payable", "Non liquidabile now", required=False),
    money("paid", "Pagato now", required=False),
    money("paid_non_commercial", "Pagato non commerciale now", required=False),
    money("paid_at_reference", "Paid by D on PCC now", required=False),
)

REMEDY_TARGETS = Table(
    "remedy_targets", "operations", "One row per document that bears an anomaly: its accounts on PCC now, and where the money shall stand",
    (
        ENTE, ID_DOCUMENTO, PROGRESSIVO,
        Column("codes", "texts", "Its anomalies"),
        Column("original_creditor", "text", "The supplier, normalised", source="docs/rules.md#rule-5"),
        Column("sign", "integer", "−1 for a credit note"),
        Column("new_on_pcc", "boolean", "Goes out by Modello 002 first"),
        Column("on_pcc", "boolean", "PCC has it and takes operations on it"),
        Column("movable", "boolean", "Its money may be moved: PCC takes operations, and its accounts sum"),
        Column("rejected", "boolean", "Rejected and to be closed"),
        Column("duplicate", "boolean", "A copy of another document, to be closed"),
        Column("refused", "boolean", "RF is the remedy"),
        *(Column(f"{what}_wrong", "boolean", f"An anomaly of it corrects {words} (rule_anomalies.corrects)") for what, words in (
            ("suspension", "the suspension"), ("not_payable", "what is non liquidabile"), ("due_date", "the due date"),
            ("booking", "the booking"),
        )),
        Column("erp_stato", "text", "State in the accounting system"),
        Column("pcc_stato", "text", "State on PCC"),
        Column("erp_cause", "text", "Cause of suspension in the accounting system"),
        Column("erp_rejected", "boolean", "Rejected in the accounting system, or through SDI"),
        Column("dispute", "boolean", "A special case CONTENZIOSO is in force"),
        Column("suspended_from", "date", "Start of the suspension"),
        Column("erp_suspended_from", "date", "Start of the suspension as the accounting system writes it"),
        money("split_vat", "VAT of split payment that PCC still counts as commercial", required=False),
        Column("right_due_date", "date", "Due date after reconciliation", source="docs/rules.md#rule-2"),
        *_NOW,
        money("unpaid", "Neither pagato nor pagato non commerciale now", required=False),
        Column("erp_excludes", "boolean", "The accounting system's cause keeps what is suspended out of the stock"),
        Column("pcc_excludes", "boolean", "PCC's does"),
        money("to_pay", "Payments of which PCC is to be told (unreported_payments)", required=False),
        money("excluded_now", "Suspended and out of the stock now", required=False),
        money("outside", "Out of the commercial debt without a payment", required=False),
        Column("left_out", "boolean", "Out of stock and times (esclusione)"),
        Column("suspended_too_early", "boolean", "Its suspension begins before reception: asked, not sent", source="docs/rules.md#rule-2"),
        money("credited", "What a credit note closes of it, as non liquidabile", required=False),
        Column("credit_note_linked", "boolean", "The invoice on which the credit note was used is known"),
        money("paid_more", "Paid in the accounting system beyond what PCC has as paid", required=False),
        money("target_not_payable", "What shall be non liquidabile", required=False),
        money("target_suspended", "What shall be suspended", required=False),
        money("pcc_stock", "What the document adds to PCC's stock now, signed", required=False),
        money("right_stock", "What it adds to the right stock, signed", required=False),
    ),
    key=_KEY,
)

REMEDIES = Table(
    "remedies", "operations", "One row per document that bears an anomaly: what is to move between its accounts on PCC",
    (
        ENTE, ID_DOCUMENTO, PROGRESSIVO,
        Column("codes", "texts", "Its anomalies", required=True),
        Column("original_creditor", "text", "The supplier, normalised", required=True, source="docs/rules.md#rule-5"),
        Column("pcc_stato", "text", "State on PCC"),
        Column("sign", "integer", "−1 for a credit note", required=True),
        Column("new_on_pcc", "boolean", "Goes out by Modello 002 first", required=True),
        Column("booked_first", "boolean", "PCC has it as PRESENTATO: RC comes first", required=True),
        Column("refused", "boolean", "RF is the remedy", required=True),
        Column("due_date_told", "date", "The due date that CS tells (002 for a new document); null without"),
        *_NOW,
        Column("excluded_cause", "boolean", "PCC's present cause keeps the suspended amount out of the stock", required=True),
        money("excluded_now", "Suspended and out of the stock now", required=False),
        money("outside", "Out of the commercial debt without a payment", required=False),
        Column("left_out", "boolean", "Out of stock and times (esclusione)"),
        *(money(name, f"To move by {state}") for name, state in (
            ("nl_da_sosp", "CO NLdaSOSP"), ("liq_da_sosp", "CO LIQdaSOSP"), ("liq_da_nl", "CO LIQdaNL"), ("sosp_da_nl", "CO SOSPdaNL"),
            ("noliq", "CO NOLIQ"), ("nl_da_liq", "CO NLdaLIQ"), ("sosp", "CO SOSP"), ("sosp_da_liq", "CO SOSPdaLIQ"), ("liq", "CO LIQ"),
            ("to_pay", "CP"),
        )),
        Column("non_commercial", "boolean", "CP goes to the account pagato non commerciale", required=True),
        Column("causale_sospensione", "text", "PCC's code for the suspension proposed"),
        Column("suspended_from", "date", "Start of the suspension proposed"),
        Column("suspension_words", "text", "The cause in words"),
        Column("causale_non_liquidabile", "text", "PCC's code for what becomes non liquidabile"),
        money("pcc_stock", "What the document adds to PCC's stock now, signed"),
        money("right_stock", "What it adds to the right stock, signed"),
        money("paid_short", "Paid in the accounting system, but PCC's document has no room for it"),
        Column("credit_note_linked", "boolean", "The invoice on which the credit note was used is known", required=True),
    ),
    key=_KEY,
)

OPERATION_MOVES = Table(
    "operation_moves", "operations", "One row per line to send to PCC: what moves, in the order in which PCC takes it",
    (
        ENTE, ID_DOCUMENTO, PROGRESSIVO, replace(_STEP, required=False, minimum=None),
        Column("registers", "boolean", "The line is of Modello 002"),
        *(replace(c, required=False, allowed=()) for c in _LINE if c.name in ("azione", "stato_debito", "importo")),
        replace(_CODE, required=False, allowed=()),
        *(replace(c, required=False) for c in _LINE if c.name in ("numero_mandato", "data_mandato")),
        Column("cf_beneficiario", "text", "CP: who was paid, as written"),
        Column("modalita", "text", "CP: MANDATO, ECONOMALE petty cash, ADDEBITO direct debit"),
    ),
    key=(*_KEY, "step"),
)

ORDER_CARRIERS = Table(
    "order_carriers", "operations", "One row per payment order of which PCC is to be told: whether SIOPE+ carries it there by itself",
    (
        *(replace(c, required=True) for c in UNREPORTED_PAYMENTS.columns if c.name in UNREPORTED_PAYMENTS.key),
        Column("carried", "boolean", "PCC learns of it by itself", required=True, source="docs/rules.md#rule-11-siope"),
        Column("waits", "boolean", "It may still come: nothing is told yet", required=True),
        Column("words", "text", "What the order lacked, or what is to be looked at first"),
    ),
    key=UNREPORTED_PAYMENTS.key,
)

AMOUNT_MOVES = Table(
    "amount_moves", "operations", "One row per row of today's models to send to PCC, in the order in which PCC takes it",
    (
        ENTE, ID_DOCUMENTO, PROGRESSIVO,
        Column("place", "integer", "Order within the document"),
        *(replace(c, required=False, allowed=()) for c in _LINE if c.name in ("azione", "importo", "numero_mandato", "data_mandato")),
        replace(_CODE, required=False, allowed=()),
        Column("cf_beneficiario", "text", "IP: who was paid, as written"),
        Column("modalita", "text", "IP: MANDATO, ECONOMALE petty cash, ADDEBITO direct debit"),
        Column("words", "text", "IP: what the order lacked for SIOPE+"),
    ),
    key=(*_KEY, "place"),
)

OPERATION_LINES = Table(
    "operation_lines", "operations", "One row per line to send to PCC, before its effect is known",
    (
        ENTE, Column("operation_id", "text", "Hash of what the line says and of the state of the document on PCC it starts from", required=True),
        # What a line demands is checked on `operations`, which shows it.
        *(replace(c, required=False, allowed=(), minimum=None) for c in (_CODE, ID_DOCUMENTO, PROGRESSIVO, _STEP, *_LINE, *_IDENTITY)),
    ),
    key=("ente", "operation_id"),
)

_OF_AMOUNTS = {*(column.name for column in PAYLOAD), "identificativo", "payload_key"}
MOVEMENT_LINES = replace(
    OPERATION_LINES, name="movement_lines", grain="One row per line of Modello 003 or 002 to send to PCC",
    columns=tuple(c for c in OPERATION_LINES.columns if c.name not in _OF_AMOUNTS),
)
AMOUNT_LINES = replace(
    OPERATION_LINES, name="amount_lines", grain="One row per row of today's models to send to PCC",
    columns=tuple(c for c in OPERATION_LINES.columns if c.name not in ("stato_debito", "causale", "capitoli", "estremi_impegno")),
)
LINE_DOCUMENTS = Table(
    "line_documents", "operations", "One row per document that bears an anomaly: what a line for PCC says of it",
    (
        ENTE, ID_DOCUMENTO, PROGRESSIVO, *(replace(c, required=False) for c in _IDENTITY),
        *(replace(c, required=False, allowed=()) for c in _LINE if c.name in ("natura_spesa", "cig", "cup", "protocollo")),
        Column("received_on_pcc", "date", "Date of reception, as PCC has it"),
        Column("received_by_erp", "date", "Date of reception in the accounting system"),
        Column("issued", "date", "Date of issue (as in the accounting system where it is there)"),
    ),
    key=_KEY,
)
_OF_THE_LEDGER = {
    "ente", "operation_id", "id_documento", "progressivo_registrazione", "step", "azione", "importo", "stato_debito", "causale",
    "data_scadenza", "data_mandato", "non_commercial", "importo_non_commerciale", "importo_sospeso_contenzioso",
    "importo_sospeso_contestazione", "importo_sospeso_verifica", "importo_non_liquidabile",
}  # fmt: skip
TOLD_OPERATIONS = replace(
    OPERATION_LINES, name="told_operations", grain="One row per operation that counts: a person's word on it in place, as the ledger reads it",
    columns=tuple(c for c in OPERATION_LINES.columns if c.name in _OF_THE_LEDGER),
)

_AFTER = (
    money("unbooked", "Presentato or ricevuto after it, unsigned"),
    money("liquidated", "Liquidato after it"),
    money("suspended", "Sospeso after it"),
    money("not_payable", "Non liquidabile after it"),
    money("paid", "Pagato after it"),
    money("paid_non_commercial", "Pagato non commerciale after it"),
    money("paid_at_reference", "Paid by D after it"),
    money("excluded", "Suspended and out of the stock after it"),
    money("outside", "Out of the commercial debt without a payment after it", required=False),
    Column("due_date", "date", "Due date in PCC's view after it", required=True),
    Column("rejected", "boolean", "Refused after it", required=True),
    money("commercial_amount", "Commercial amount, unsigned"),
    money("open_amount", "Open at D after it, signed"),
    money("stock", "What the document adds to PCC's stock after it, signed", source="docs/rules.md#rule-4"),
)

LEDGER = Table(
    "ledger", "operations", "One row per operation: the document's accounts on PCC once it is accepted (PCC's ledger simulated)",
    (
        ENTE, Column("operation_id", "text", "The operation", required=True), ID_DOCUMENTO, PROGRESSIVO, _STEP,
        Column("last", "boolean", "The document's last operation", required=True), *_AFTER,
        money("stock_effect", "What it takes from PCC's stock, signed; negative where it adds", source="docs/rules.md#rule-4"),
    ),
    key=("ente", "operation_id"),
)

#: What makes the stock of a document out of its accounts: once, in `ledger`.
_OPENED = {"open_amount", "stock", "stock_effect"}
_ACCOUNTS = replace(
    LEDGER,
    columns=(
        *(column for column in LEDGER.columns if column.name not in _OPENED),
        Column("sign", "integer", "-1 for what counts negative, else 1", required=True),
        Column("issue_date", "date", "Date of issue, as PCC has it", required=True),
        money("pcc_stock", "What the document adds to PCC's stock now, signed"),
        Column("left_out", "boolean", "PCC leaves the document out of the stock"),
    ),
)
LEDGER_MOVEMENTS = replace(
    _ACCOUNTS, name="ledger_movements", grain="One row per operation by movements: the accounts once it is accepted"
)
LEDGER_AMOUNTS = replace(
    _ACCOUNTS, name="ledger_amounts", grain="One row per operation under today's models: the accounts once it is accepted"
)

OPERATIONS = Table(
    "operations", "operations", "One row per line to send to PCC",
    (
        ENTE, Column("operation_id", "text", "Hash of what the line says and of the state of the document on PCC it starts from", required=True),
        _CODE, ID_DOCUMENTO, PROGRESSIVO, _STEP, *_LINE, *_IDENTITY,
        Column("refused_reason", "text", "PCC refused this line before: its code and words"),
        money("stock_effect", "What it takes from PCC's stock, signed; negative where it adds", source="docs/rules.md#rule-4"),
        REFERENCE_DATE, OBSERVED_AT,
    ),
    key=("ente", "operation_id"),
    published=True,
    indexes=(("ente", "code"), ("ente", "progressivo_registrazione"), ("ente", "id_documento")),
)

PROJECTED_ACCOUNTS = Table(
    "projected_accounts", "operations", "One row per document with operations: its accounts on PCC once all of them are accepted",
    (ENTE, ID_DOCUMENTO, PROGRESSIVO, Column("operations", "integer", "Operations proposed", required=True, minimum=1), *_AFTER),
    key=_KEY,
)

#: In reading order.
TABLES = (CREDIT_NOTE_USES, UNREPORTED_ORDERS, UNREPORTED_PAYMENTS, REMEDY_TARGETS, REMEDIES, OPERATION_MOVES, LINE_DOCUMENTS, MOVEMENT_LINES, ORDER_CARRIERS, AMOUNT_MOVES, AMOUNT_LINES, OPERATION_LINES, TOLD_OPERATIONS, LEDGER_MOVEMENTS, LEDGER_AMOUNTS, LEDGER, OPERATIONS, PROJECTED_ACCOUNTS)
