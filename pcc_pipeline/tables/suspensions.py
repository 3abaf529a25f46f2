"""What is suspended of a document, by kind, on either side (docs/rules.md#rule-11-state)."""

from __future__ import annotations

from pcc_pipeline.tables.common import ENTE, ID_DOCUMENTO, OBSERVED_AT, PROGRESSIVO, REFERENCE_DATE, money
from pcc_pipeline.tables.describe import Column, Table

#: Lawsuit; contested or regulatory checks; awaiting the conformity check; a cause that today's PCC has no kind for.
KINDS = ("lawsuit", "contested", "check", "other")

DISPUTES = Table(
    "disputes", "reconciliation", "One row per document of the accounting system that a special case CONTENZIOSO holds",
    (
        ENTE, Column("id_documento", "text", "The document", required=True),
        Column("dispute_from", "date", "Day from which it does"),
    ),
    key=("ente", "id_documento"),
)

PCC_SUSPENSIONS = Table(
    "pcc_suspensions", "reconciliation", "One row per document of PCC with something suspended, or whose feed tells the kinds",
    (
        ENTE, Column("progressivo_registrazione", "text", "PCC's key", required=True),
        Column("tells_kinds", "boolean", "The feed has the amount of each kind", required=True),
        money("lawsuit", "Suspended: lawsuit"), money("contested", "Suspended: contested, or regulatory checks"),
        money("check", "Suspended: awaiting the conformity check"), money("other", "Suspended: another cause"),
        Column("lawsuit_from", "date", "Since when"), Column("contested_from", "date", "Since when"),
        Column("check_from", "date", "Since when"), money("suspended", "All of it"),
    ),
    key=("ente", "progressivo_registrazione"),
)

SUSPENSION_KINDS = Table(
    "suspension_kinds", "debt", "One row per document and kind of suspension: what each side has suspended of it, and since when",
    (
        ENTE, ID_DOCUMENTO, PROGRESSIVO,
        Column("numero", "text", "Number (the accounting system's, else PCC's)", required=True),
        Column("kind", "text", "lawsuit; contested or regulatory checks; awaiting the conformity check; other cause", required=True,
               allowed=KINDS, source="docs/rules.md#rule-11-state"),
        money("erp_amount", "Suspended in the accounting system, signed"),
        Column("erp_since", "date", "Since when there"),
        money("pcc_amount", "Suspended on PCC, signed"),
        Column("pcc_since", "date", "Since when there; null where its feed does not tell"),
        REFERENCE_DATE, OBSERVED_AT,
    ),
    key=("ente", "id_documento", "progressivo_registrazione", "kind"),
    published=True,
    indexes=(("ente", "id_documento"), ("ente", "progressivo_registrazione")),
)
