"""What an operator should know of a delivery and that cost no row of it. Refused rows are in `feeds.QUARANTINE`."""

from __future__ import annotations

from pcc_pipeline.tables.describe import Column, Table

WRONG_TAX_ID, ZEROS_RECOVERED = "WRONG_TAX_ID", "ZEROS_RECOVERED"
TITLE_ROW, REPEATED_HEADER, TOTALS_ROW, OTHER_RECORD = "TITLE_ROW", "REPEATED_HEADER", "TOTALS_ROW", "OTHER_RECORD"
UNKNOWN_COLUMN, SERIAL_DATE, LAYOUT = "UNKNOWN_COLUMN", "SERIAL_DATE", "LAYOUT"
XML_TRAILING, XML_1_1, XML_ENCODING, WRAPPED = "XML_TRAILING", "XML_1_1", "XML_ENCODING", "WRAPPED"
SKIPPED_SHEET, FILE_FORMAT, EMPTY_WORD, WRONG_LOT = "SKIPPED_SHEET", "FILE_FORMAT", "EMPTY_WORD", "WRONG_LOT"
TIME_OF_DAY, SCIENTIFIC, NET_PAYMENTS = "TIME_OF_DAY", "SCIENTIFIC", "NET_PAYMENTS"

CODES = (
    WRONG_TAX_ID, ZEROS_RECOVERED, TITLE_ROW, REPEATED_HEADER, TOTALS_ROW, OTHER_RECORD, UNKNOWN_COLUMN, SERIAL_DATE, LAYOUT,
    XML_TRAILING, XML_1_1, XML_ENCODING, WRAPPED, SKIPPED_SHEET, FILE_FORMAT, EMPTY_WORD, WRONG_LOT, TIME_OF_DAY, SCIENTIFIC,
    NET_PAYMENTS,
)

DELIVERY_NOTES = Table(
    name="delivery_notes",
    layer="staging",
    grain="One row per delivery, code, column and value: what was skipped, mended or kept though doubtful",
    columns=(
        Column("ente", "text", "Tenant code", required=True),
        Column("kind", "text", "Kind of delivery", required=True),
        Column("delivery", "text", "Identifier of the delivery", required=True),
        Column("file", "text", "File name as delivered", required=True),
        Column("code", "text", "What it is about", required=True, allowed=CODES),
        Column("field", "text", "Column, where it is about one"),
        Column("value", "text", "The value, or the skipped row; at most 200 characters. Null where many values share the note"),
        Column("line", "integer", "First line it is about, from 1", minimum=1),
        Column("times", "integer", "How many rows it is about", required=True, minimum=1),
        Column("note", "text", "What was seen and what was done, in plain words", required=True),
    ),
    published=True,
    blocking=False,
    indexes=(("ente", "delivery"),),
)
