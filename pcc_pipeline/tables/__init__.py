"""Every table described once: the source of schemas, DDL, checks, UI metadata and the data dictionary.

`describe` has the vocabulary; `feeds` what arrives; `models` what the SQL models make. What only
PostgreSQL holds (register, publications) is in `register`.
"""

from __future__ import annotations

from pcc_pipeline.tables.decisions import DECIDED
from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.feeds import FEEDS, QUARANTINE
from pcc_pipeline.tables.models import MODELS
from pcc_pipeline.tables.notes import DELIVERY_NOTES
from pcc_pipeline.tables.quarantine import QUARANTINE_SUMMARY, QUARANTINED
from pcc_pipeline.tables.service import PROVIDER_TABLES

#: Every table that lives in the store, by name.
TABLES: dict[str, Table] = {
    **FEEDS,
    **{table.name: table for table in (QUARANTINED, QUARANTINE_SUMMARY, DELIVERY_NOTES)},
    **MODELS,
    **PROVIDER_TABLES,
}

__all__ = ["DECIDED", "DELIVERY_NOTES", "FEEDS", "MODELS", "PROVIDER_TABLES", "QUARANTINE", "TABLES", "Column", "Table"]
