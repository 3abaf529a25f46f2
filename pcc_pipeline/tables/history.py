"""What happened to each document, as either side tells it: one narrow table that the clients' desk shows in time order.

What was sent to PCC and answered is not here: see `sending`. The SQL is dbt_like_sql/models/reconciliation/document_events.sql.
"""

from __future__ import annotations

from pcc_pipeline.tables.common import ENTE
from pcc_pipeline.tables.describe import Column, Table

SIDES = ("ERP", "SDI", "PCC")
KINDS = ("REGISTERED", "STATE", "PAYMENT", "REVERSAL", "WITHHELD", "CREDIT_NOTE", "CREDITED", "MESSAGE", "MOVEMENT", "BALANCE")

#: Codes of BALANCE: PCC's accounts (docs/rules.md#rule-3).
ACCOUNTS = ("RICEVUTO", "LIQUIDATO", "SOSPESO", "NON_LIQUIDABILE", "PAGATO", "PAGATO_NON_COMMERCIALE")

MESSAGE_DOCUMENTS = Table(
    "message_documents", "reconciliation", "One row per message of SDI and document of one side that it is about",
    (
        ENTE,
        Column("id_documento", "text", "The accounting system's key; null where PCC's document is meant"),
        Column("progressivo_registrazione", "text", "PCC's key; null where the accounting system's document is meant"),
        Column("row_id", "integer", "The message (messages)"),
    ),
    key=("ente", "id_documento", "progressivo_registrazione", "row_id"),
)

DOCUMENT_EVENTS = Table(
    "document_events", "reconciliation",
    "One row per document of one side and thing that happened to it; a document of both sides has the rows of both keys",
    (
        ENTE,
        Column("id_documento", "text", "The accounting system's key, where the document was found there"),
        Column("progressivo_registrazione", "text", "PCC's key, where the document was found there"),
        Column("side", "text", "Who tells it: ERP the accounting system, SDI, PCC", required=True, allowed=SIDES),
        Column("kind", "text", "REGISTERED the document as it stands; STATE another state than the first delivered, or a suspension; PAYMENT and REVERSAL with their order; "
               "WITHHELD what is lacking by O and withheld, not owed (docs/rules.md#rule-11); "
               "CREDIT_NOTE a note linked to it; CREDITED an invoice linked to the note; MESSAGE of SDI; MOVEMENT on PCC; BALANCE of an "
               "account of PCC at O, where not zero", required=True, allowed=KINDS),
        Column("row_id", "integer", "Order of arrival of the row that tells it, unique within its kind", required=True),
        Column("day", "date", "When it happened; null where nobody says"),
        Column("first_seen", "boolean", "The day is that of the delivery that said it first", required=True),
        Column("amount", "money", "Amount as that side writes it; negative for a reversal", unit="EUR"),
        Column("code", "text", "State (REGISTERED, STATE), type of message, azione (MOVEMENT), account (BALANCE), what links a credit note"),
        Column("detail", "text", "Outcome of a message, stato_debito of a movement, number of the document linked"),
        Column("words", "text", "Cause, description, errors"),
        Column("reference", "text", "Payment order, protocol number, lot of SDI"),
        Column("reference_day", "date", "Day of that order; the due date that a movement CS tells"),
        Column("linked", "text", "id_documento of the document linked"),
    ),
    key=("ente", "id_documento", "progressivo_registrazione", "kind", "row_id"),
    published=True,
    indexes=(("ente", "progressivo_registrazione"),),
)

FIELDS = (
    "STATE", "LEFT_OUT", "DUE_DATE", "COMMERCIAL_AMOUNT", "SUSPENDED", "NOT_PAYABLE", "NON_COMMERCIAL", "PAID", "PAID_NON_COMMERCIAL",
)  # fmt: skip

PCC_VERSIONS = Table(
    "pcc_versions", "debt", "One row per document of PCC delivered more than once, and delivery: what PCC had told of it by then",
    (
        ENTE,
        Column("progressivo_registrazione", "text", "PCC's key", required=True),
        Column("delivery", "text", "The delivery", required=True),
        Column("received_at", "timestamp", "When it arrived", required=True),
        Column("row_id", "integer", "Order of arrival of its row", required=True),
        Column("stato_documento", "text", "State on PCC", required=True),
        Column("data_scadenza", "date", "Due date as communicated"),
        Column("left_out", "boolean", "Out of stock and times (esclusione)", required=True),
        Column("commercial_amount", "money", "Commercial amount, unsigned", required=True, unit="EUR"),
        Column("suspension", "text", "What is suspended, by kind, with starts and cause, in Italian; null: nothing"),
        Column("excluded", "money", "Of what is suspended, what is out of the stock", required=True, unit="EUR", source="docs/rules.md#rule-4"),
        Column("not_payable", "money", "Account non liquidabile", required=True, unit="EUR"),
        Column("non_commercial", "money", "Non-commercial without a payment", required=True, unit="EUR"),
        Column("paid", "money", "Account pagato", required=True, unit="EUR"),
        Column("paid_non_commercial", "money", "Account pagato, non-commercial", required=True, unit="EUR"),
        Column("open_amount", "money", "What none of these takes", required=True, unit="EUR"),
        Column("sign", "integer", "1, or -1 for a credit note", required=True),
        Column("counts", "integer", "1 where it is stock at D: due, issued, neither rejected nor left out; else 0", required=True),
    ),
    key=("ente", "progressivo_registrazione", "delivery"),
)

PCC_CHANGES = Table(
    "pcc_changes", "debt",
    "One row per document, field and delivery of PCC that changed it, where no operation sent from here and no payment order says why",
    (
        ENTE,
        Column("progressivo_registrazione", "text", "PCC's key", required=True),
        Column("id_documento", "text", "The accounting system's key, where the documents are matched"),
        Column("field", "text", "What changed", required=True, allowed=FIELDS, source="docs/rules.md#rule-11-changes"),
        Column("before", "text", "As the delivery before had it, in Italian; null: nothing"),
        Column("after", "text", "As this delivery has it, in Italian; null: nothing"),
        Column("stock_effect", "money", "What it adds to PCC's stock at D, signed", required=True, unit="EUR"),
        Column("delivery_before", "text", "The delivery before", required=True),
        Column("received_before", "timestamp", "When it arrived", required=True),
        Column("delivery", "text", "The delivery that shows the change", required=True),
        Column("received_at", "timestamp", "When it arrived", required=True),
    ),
    key=("ente", "progressivo_registrazione", "delivery", "field"),
    published=True,
    indexes=(("ente", "delivery"),),
)
