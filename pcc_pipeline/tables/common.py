"""Columns that tables of several layers share, described once."""

from __future__ import annotations

from pcc_pipeline.codes import ENTE as CODE
from pcc_pipeline.tables.area import AREA_ACTIONS, AREA_MODELS
from pcc_pipeline.tables.describe import Column

#: Actions of Modello 003, and the natures of an expense: current, capital, none.
ACTIONS = ("RC", "RF", "CO", "CS", "CP")
#: Those of whatever language PCC is spoken to in.
ALL_ACTIONS = (*ACTIONS, *AREA_ACTIONS)
NATURES = ("CO", "CA", "NA")
#: Model files: today's, of movements, and of documents that never passed SDI.
PCC_MODELS = (*AREA_MODELS, "003", "002")
#: How much an anomaly weighs.
SEVERITIES = ("high", "medium", "low")
#: What tells that a credit note belongs to an invoice: one payment order, or the e-invoice.
LINKED_BY = ("MANDATO", "SDI")

ENTE = Column("ente", "text", "Tenant code", required=True, pattern=CODE.pattern)
ID_DOCUMENTO = Column("id_documento", "text", "The accounting system's key; null where it has no such document")
PROGRESSIVO = Column("progressivo_registrazione", "text", "PCC's key; null where PCC has no such document")
VIEW = Column("view", "text", "Whose figure: pcc as PCC shows it, right after reconciliation, projected once the operations are accepted",
              required=True, allowed=("pcc", "right", "projected"), source="docs/rules.md#rule-4")
REFERENCE_DATE = Column("reference_date", "date", "Day the figures are asked for (D)", required=True)
OBSERVED_AT = Column("observed_at", "date", "Day up to which facts are seen (O)", required=True)


def money(name: str, meaning: str, *, required: bool = True, source: str = "") -> Column:
    """A column of euro."""
    return Column(name, "money", meaning, required=required, unit="EUR", source=source)
