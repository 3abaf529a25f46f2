"""The provider's letters to enti: what was prepared, what went out, when and to whom (docs/rules.md#rule-10)."""

from __future__ import annotations

from pcc_pipeline.tables.common import ENTE
from pcc_pipeline.tables.describe import Column, Table

TAKEN_IN_CHARGE, REMINDER, DEACTIVATION, ERASURE = "TAKEN_IN_CHARGE", "REMINDER", "DEACTIVATION", "ERASURE"
LETTER_KINDS = (TAKEN_IN_CHARGE, REMINDER, DEACTIVATION, ERASURE)
#: How a letter went out: by the certified server, by the plain one, or by a person with other means.
PEC, MAIL, HAND = "PEC", "MAIL", "HAND"

LETTERS = Table(
    "letters", "register", "One row per letter prepared for an ente",
    (
        Column("letter", "integer", "Order", required=True),
        ENTE,
        Column("kind", "text", "Taking in charge, reminder of what is missing, PEC of deactivation, receipt of erasure", required=True,
               allowed=LETTER_KINDS, source="docs/rules.md#rule-10"),
        Column("reference", "text", "Receipt of erasure: its name, and nothing of the ente"),
        Column("subject", "text", "Its subject", required=True),
        Column("recipient", "text", "Address it goes to; null for a receipt of erasure"),
        Column("dated", "date", "Its date, from which its deadlines run", required=True),
        Column("sha256", "text", "SHA-256 of the mail, hexadecimal; the store keeps it under that, but for a receipt of erasure",
               required=True, pattern=r"[0-9a-f]{64}"),
        Column("made_by", "text", "Who prepared it", required=True),
        Column("made_at", "timestamp", "When", required=True),
        Column("sent_by", "text", "Who sent it"),
        Column("sent_at", "timestamp", "When it went out; null: not yet"),
        Column("channel", "text", "How: the certified mail server, the plain one, or by hand", allowed=(PEC, MAIL, HAND)),
    ),
    key=("letter",),
    indexes=(("ente", "letter"),),
)  # fmt: skip
