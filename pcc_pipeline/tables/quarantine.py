"""Quarantine as readers see it: each defect with how often it occurs, and the defects folded by reason.

What parsers write is `feeds.QUARANTINE`; how both tables are made is in `pcc_pipeline.arrival.quarantine`.
"""

from __future__ import annotations

from dataclasses import replace

from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.feeds import QUARANTINE

QUARANTINED = replace(
    QUARANTINE,
    columns=(
        *QUARANTINE.columns,
        Column("times", "integer", "How often this reason holds for this field in the ente's deliveries of this kind",
               required=True, minimum=1),
    ),
)

QUARANTINE_SUMMARY = Table(
    name="quarantine_summary",
    layer="staging",
    grain="One row per delivery, field and reason: repeats folded",
    columns=(
        *(column for column in QUARANTINE.columns if column.name not in ("line", "value", "reason")),
        QUARANTINE.column("reason"),
        Column("times", "integer", "How often", required=True, minimum=1),
        Column("first_line", "integer", "The first line; null when the whole file is refused"),
        Column("examples", "text", "Up to three of the values found, the most frequent first"),
        Column("rows", "integer", "Rows of the delivery that were accepted", minimum=0),
        Column("received_at", "timestamp", "When the delivery was registered", required=True),
    ),
    published=True,
    blocking=False,
    indexes=(("ente", "delivery"),),
)

FORMER_READINGS = Table(
    name="former_readings",
    layer="register",
    grain="One row per reading of a delivery that a later reading of the same bytes replaced (pcc quarantine release)",
    columns=(
        Column("delivery", "text", "Identifier of the delivery", required=True),
        Column("ente", "text", "Tenant code", required=True),
        Column("superseded_at", "timestamp", "Until when this reading stood", required=True),
        Column("status", "text", "What it gave: staged or refused", required=True),
        Column("rows", "integer", "Rows accepted", minimum=0),
        Column("refused", "integer", "Rows refused", minimum=0),
        Column("defects", "integer", "Defects found", minimum=0),
        Column("reason", "text", "Why the whole delivery was refused"),
        Column("part", "text", "Its staging Parquet, which is kept"),
        Column("reread", "integer", "Its own number, as in deliveries; null for the first reading"),
    ),
    key=("delivery", "superseded_at"),
    indexes=(("ente", "superseded_at"),),
)
