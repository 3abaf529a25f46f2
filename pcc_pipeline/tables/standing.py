"""What decides which delivered rows stand (rules, section 12): corrected by a later delivery, or gone from a whole one."""

from __future__ import annotations

from pcc_pipeline.tables.common import ENTE
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
        Column("key", "text", "Rows of one kind and key may be the same (year and beneficiary beside)", required=True, source="rules section 12"),
        Column("content", "integer", "A number made from all that the row says", required=True),
    ),
    key=("ente", "kind", "row_id"),
)

CORRECTED_ROWS = Table(
    "corrected_rows", "staging", "One row per delivered row that a later one takes the place of",
    (ENTE, KIND, ROW_ID),
    key=("ente", "kind", "row_id"),
)

TABLES = (DELIVERED_ROWS, CORRECTED_ROWS)
