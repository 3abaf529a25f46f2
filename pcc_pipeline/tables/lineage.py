"""The columns that every feed table opens with: they lead a row back to the bytes it came from."""

from __future__ import annotations

from pcc_pipeline.tables.common import ENTE
from pcc_pipeline.tables.describe import Column, Table

LINEAGE = (
    ENTE,
    Column("delivery", "text", "Identifier of the delivery the row came in", required=True),
    Column("line", "integer", "Line of the file (record of the sheet; body of a FatturaPA lot), from 1",
           required=True, minimum=1),
)


def feed(name: str, grain: str, *columns: Column, **more: object) -> Table:
    """A feed's table: the lineage columns, then its own."""
    return Table(name=name, layer="staging", grain=grain, columns=(*LINEAGE, *columns), **more)  # type: ignore[arg-type]
