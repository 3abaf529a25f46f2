"""What decides which delivered rows stand (docs/rules.md#rule-12): corrected by a later delivery, or gone from a whole one."""

from __future__ import annotations

from pcc_pipeline.tables.common import ENTE, ID_DOCUMENTO, PROGRESSIVO
from pcc_pipeline.tables.describe import Column, Table

KIND = Column("kind", "text", "Kind of delivery", required=True)
ROW_ID = Column("row_id", "integer", "Order of arrival of the row", required=True)

DELIVERED_ROWS = Table(
    "delivered_rows", "staging",
    "One row per delivered row of a kind of which several deliveries came: what tells it apart, and its content",
    (
        ENTE, KIND, ROW_ID,
        Column("sequence", "integer", "Order of arrival of its delivery", required=True),
        Column("document", "text", "id_documento, or PCC's progressivo_registrazione", required=True),
        Column("order_number", "text", "Payment order, of payments and movements"),
        Column("order_year", "integer", "Year of the order, where the row has its date"),
        Column("day", "date", "Day by which a span has it: of issue, of payment, of the movement", required=True),
        Column("amount", "money", "Total, or amount paid or moved", unit="EUR"),
        Column("beneficiary", "text", "Who was paid, normalised, where the row says it"),
        Column("storno", "boolean", "The row reverses a payment", required=True),
        Column("key", "text", "Rows of one kind and key may be the same (year and beneficiary beside)", required=True, source="docs/rules.md#rule-12"),
        Column("content", "integer", "A number made from all that the row says", required=True),
    ),
    key=("ente", "kind", "row_id"),
)

CORRECTED_ROWS = Table(
    "corrected_rows", "staging", "One row per delivered row that a later one takes the place of",
    (ENTE, KIND, ROW_ID),
    key=("ente", "kind", "row_id"),
)

_SEQUENCE = Column("sequence", "integer", "Order of arrival of its delivery", required=True)

WHOLE_DELIVERIES = Table(
    "whole_deliveries", "staging", "One row per delivery that tells all there is in a span, as said or by its looks",
    (
        ENTE, KIND, _SEQUENCE,
        Column("delivery", "text", "The delivery", required=True),
        Column("file", "text", "Its file name"),
        Column("received_at", "timestamp", "When it was registered", required=True),
        Column("said", "boolean", "Who delivered it said that it is whole; else it looks so", required=True),
        Column("certain", "boolean", "It was said, and every row could be read: what it lacks is gone", required=True),
        Column("confirmed", "boolean", "A person confirmed that what it lacks is gone, however much", required=True),
        Column("span_from", "date", "First day of the span (of issue, of payment, of movement)"),
        Column("span_to", "date", "Last day of the span"),
        Column("gone_percent", "decimal", "Share of the span's rows that may go without a confirmation", required=True, unit="%",
               source="docs/rules.md#rule-12"),
    ),
    key=("ente", "kind", "sequence"),
)

GONE_ROWS = Table(
    "gone_rows", "staging", "One row per row that a later whole delivery, or one that looks whole, does not have in its span",
    (
        ENTE, KIND, ROW_ID, ID_DOCUMENTO, PROGRESSIVO,
        Column("order_number", "text", "Payment order, of payments and movements"),
        Column("day", "date", "Day of issue, of payment, of movement", required=True),
        Column("amount", "money", "Total, or amount paid or moved", unit="EUR"),
        Column("numero", "text", "Number, of documents"),
        Column("creditor", "text", "Supplier, of documents, normalised"),
        Column("creditor_name", "text", "Name of the supplier"),
        Column("lacking_delivery", "text", "First delivery that does not have it", required=True),
        Column("lacking_sequence", "integer", "Order of arrival of that delivery", required=True),
        Column("lacking_file", "text", "Its file name"),
        Column("certain", "boolean", "A delivery that was said to be whole does not have it", required=True),
        Column("state", "text", "GONE out of the figures; ASKED in them until answered; KEPT a person said that it stays",
               required=True, allowed=("GONE", "ASKED", "KEPT"), source="docs/rules.md#rule-12"),
        Column("open", "boolean", "No person has answered", required=True),
    ),
    key=("ente", "kind", "row_id"),
)

GONE_DOCUMENTS = Table(
    "gone_documents", "reconciliation",
    "One row per document of which later deliveries lack something on which money depends, until a person answers",
    (
        ENTE, ID_DOCUMENTO, PROGRESSIVO,
        Column("words", "text", "What is lacking, in Italian", required=True),
        Column("wholly", "boolean", "The document itself is gone from a side", required=True),
        Column("numero", "text", "Its number, where the document itself is lacking"),
        Column("issue_date", "date", "Its date of issue, likewise"),
        Column("creditor", "text", "Its supplier, likewise, normalised"),
        Column("creditor_name", "text", "Name of the supplier"),
    ),
    key=("ente", "id_documento", "progressivo_registrazione"),
)

TABLES = (GONE_DOCUMENTS, DELIVERED_ROWS, CORRECTED_ROWS, WHOLE_DELIVERIES, GONE_ROWS)
