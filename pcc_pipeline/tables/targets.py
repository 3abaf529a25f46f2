"""What each document with an anomaly shall be on PCC (docs/rules.md#rule-11-target), whatever language PCC is spoken to in.

The SQL is in dbt_like_sql/models/operations: document_targets, from remedy_targets. What is told of it to PCC: `operations`.
"""

from __future__ import annotations

from pcc_pipeline.tables.common import ENTE, ID_DOCUMENTO, OBSERVED_AT, PROGRESSIVO, REFERENCE_DATE, money
from pcc_pipeline.tables.describe import Column, Table

_KINDS = (("lawsuit", "lawsuit"), ("contested", "contested, or regulatory checks"), ("check", "awaiting the conformity check"))

DOCUMENT_TARGETS = Table(
    "document_targets", "operations",
    "One row per document that bears an anomaly: the state that it shall have on PCC. The commercial amount is the sum of the "
    "VAT that leaves, non-commercial, suspended, non liquidabile, paid, payments lacking and payable",
    (
        ENTE, ID_DOCUMENTO, PROGRESSIVO,
        Column("codes", "texts", "Its anomalies"),
        Column("sign", "integer", "−1 for a credit note"),
        Column("movable", "boolean", "PCC takes operations on it, and its accounts sum", required=True),
        Column("changes", "boolean", "Its amounts may be set: movable and not to be refused by RF", required=True),
        Column("new_on_pcc", "boolean", "Goes out by Modello 002 first"),
        money("commercial_amount", "PCC's commercial amount now, unsigned", required=False),
        Column("split_payment", "boolean", "The VAT regime to tell: split payment; null: as it is"),
        money("treasury_vat", "VAT that leaves the commercial amount with it"),
        money("non_commercial", "Out of the commercial debt without a payment", required=False),
        *(column for name, words in _KINDS for column in (
            money(f"suspended_{name}", f"Suspended: {words}", required=False),
            Column(f"{name}_from", "date", "Since when"),
        )),
        money("suspended_other", "Suspended for a cause of which today's PCC has no kind", required=False),
        money("not_payable", "Non liquidabile", required=False),
        money("paid", "Paid on PCC now, both accounts", required=False),
        money("payments_lacking", "Payments of which PCC is to be told (unreported_payments)", required=False),
        Column("payments_lacking_count", "integer", "How many", minimum=0),
        money("offset_lacking", "Of payments_lacking: a credit note's use by D", required=False),
        Column("payments_non_commercial", "boolean", "The debt is not commercial: so are its payments", required=True),
        money("payable", "What nothing else takes", required=False),
        Column("due_date", "date", "The due date to tell; null: as it is"),
        Column("suspended_anew", "boolean", "What is suspended stands under another cause: all of it is suspended anew", required=True),
        Column("starts_differ", "boolean", "What is suspended stands since another day: it is told anew", required=True),
        Column("rejected", "boolean", "RF is the remedy", required=True),
        Column("closed", "boolean", "The whole of it is to be closed: a copy, or rejected past RF", required=True),
        Column("received_first", "boolean", "PCC has it as PRESENTATO: RC comes first", required=True),
        *(money(f"now_{name}", f"{words} now", required=False) for name, words in (
            ("non_commercial", "Non-commercial"), *((f"suspended_{name}", f"Suspended: {words},") for name, words in _KINDS),
            ("suspended_other", "Suspended for another cause"), ("not_payable", "Non liquidabile"),
        )),
        REFERENCE_DATE, OBSERVED_AT,
    ),
    key=("ente", "id_documento", "progressivo_registrazione"),
    published=True,
    indexes=(("ente", "progressivo_registrazione"), ("ente", "id_documento")),
)

SPOKEN_REMEDIES = Table(
    "spoken_remedies", "reconciliation", "One row per anomaly code whose remedy the ente's models of PCC say otherwise than the catalogue",
    (
        ENTE, Column("code", "text", "The anomaly", required=True),
        Column("remedy", "text", "What remedies it on PCC", required=True),
        Column("asks", "text", "When a person answers first; null: as the catalogue says"),
        Column("silent", "boolean", "It asks for no operation", required=True, source="docs/rules.md#rule-11-state"),
    ),
    key=("ente", "code"),
)

TABLES = (SPOKEN_REMEDIES, DOCUMENT_TARGETS)
