"""The columns that lead each delivered row back to the bytes it came from; every feed table opens with them."""

from __future__ import annotations

from pcc_pipeline.tables.describe import Column

LINEAGE = (
    Column("ente", "text", "Tenant code of the ente the row belongs to", required=True, pattern=r"[a-z0-9_]{2,32}"),
    Column("delivery", "text", "Identifier of the delivery the row came in", required=True),
    Column("line", "integer", "Line of the file (record of the sheet; body of a FatturaPA lot), from 1",
           required=True, minimum=1),
)
