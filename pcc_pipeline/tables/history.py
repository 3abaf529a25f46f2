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
