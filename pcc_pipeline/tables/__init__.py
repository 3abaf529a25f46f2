"""Every table described once: the source of schemas, DDL, checks, UI metadata and the data dictionary.

`describe` has the vocabulary; `feeds` what arrives; `models` what the SQL models make. What only
PostgreSQL holds (register, publications) is in `register`.
"""

from __future__ import annotations

from pcc_pipeline.tables.decisions import DECIDED
from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.feeds import FEEDS, QUARANTINE
from pcc_pipeline.tables.models import MODELS
from pcc_pipeline.tables.quarantine import QUARANTINE_SUMMARY, QUARANTINED

#: Every table that lives in the store, by name.
TABLES: dict[str, Table] = {**FEEDS, QUARANTINED.name: QUARANTINED, QUARANTINE_SUMMARY.name: QUARANTINE_SUMMARY, **MODELS}

__all__ = ["DECIDED", "FEEDS", "MODELS", "QUARANTINE", "TABLES", "Column", "Table"]
