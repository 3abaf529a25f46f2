"""What people decided: on pairs of documents, on operations to send, on the ente's answers. Append-only.

Nothing here is ever changed or deleted but with its ente: an undo is a row of its own. `DECISIONS` are the tables of
PostgreSQL; `DECIDED` the relations `decided_<table>` in which the SQL models see what stood at the knowledge time.
The functions that write and read them are in `pcc_pipeline.review.pairs` and its fellows.
"""

from __future__ import annotations

from dataclasses import replace

from pcc_pipeline.tables.common import ENTE, NATURES
from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.sending import DECIDED_SENT
from pcc_pipeline.tables.support import DECIDED_SUPPORT

_DECISION = Column("decision", "integer", "Order of decision", required=True)
_WHO = Column("decided_by", "text", "Who decided", required=True)
_WHEN = Column("decided_at", "timestamp", "When it was decided", required=True)
_REASON = Column("reason", "text", "Why, in the words of who decided")
_UNDOES = Column("undoes", "integer", "With verdict undo: the decision that no longer stands")

MATCH_VERDICTS = ("pair", "accept", "split", "undo")
OPERATION_VERDICTS = ("approve", "refuse", "change", "undo")

#: What a person may change of an operation: never whose or which document it is, nor the action.
CHANGES = (
    Column("importo", "money", "Amount instead of the proposed one", unit="EUR"),
    Column("natura_spesa", "text", "Nature of the expense instead", allowed=NATURES),
    Column("causale", "text", "Cause instead; empty: none"),
    Column("descrizione", "text", "Description instead; empty: none"),
    Column("cig", "text", "Tender code instead"),
    Column("cup", "text", "Project code instead"),
    Column("data_scadenza", "date", "Due date instead (CS)"),
    Column("data_mandato", "date", "Date of the payment order instead (CP)"),
    Column("data_ricezione", "date", "Date of reception instead (RC)"),
    Column("data_rifiuto", "date", "Date of refusal instead (RF)"),
)

MATCH_DECISIONS = Table(
    "match_decisions", "register",
    "One row per decision of a person on a pair of documents; the latest that nobody undid stands",
    (
        _DECISION, ENTE,
        Column("verdict", "text", "pair by hand, accept a proposal, split (no tier may pair them), undo", required=True,
               allowed=MATCH_VERDICTS, source="docs/rules.md#rule-6"),
        Column("id_documento", "text", "The accounting system's document", required=True),
        Column("progressivo_registrazione", "text", "PCC's document", required=True),
        _UNDOES, _REASON, _WHO, _WHEN,
    ),
    key=("decision",),
    indexes=(("ente", "id_documento"), ("ente", "progressivo_registrazione")),
)

OPERATION_DECISIONS = Table(
    "operation_decisions", "register",
    "One row per decision of a person on a proposed operation; those that nobody undid make its state",
    (
        _DECISION, ENTE,
        Column("verdict", "text", "approve, refuse, change (the changed columns), undo", required=True,
               allowed=OPERATION_VERDICTS),
        Column("operation_id", "text", "The operation", required=True),
        Column("code", "text", "Its anomaly, when it was decided"),
        Column("id_documento", "text", "Its document in the accounting system"),
        Column("progressivo_registrazione", "text", "Its document on PCC"),
        Column("azione", "text", "Its action", required=True),
        Column("amount", "money", "What it was about when it was decided: its amount, else the document's total", unit="EUR"),
        *CHANGES,
        _UNDOES, _REASON, _WHO, _WHEN,
    ),
    key=("decision",),
    indexes=(("ente", "operation_id"),),
)

APPROVAL_LIMITS = Table(
    "approval_limits", "register",
    "One row per change of the amount above which an operation of the ente needs a second person's approval",
    (
        _DECISION, ENTE,
        Column("amount", "money", "Above it two persons approve", required=True, minimum=0, unit="EUR"),
        _REASON, _WHO, _WHEN,
    ),
    key=("decision",),
    indexes=(("ente", "decision"),),
)

ANSWERS = Table(
    "answers", "register", "One row per answer to a question (model questions), or per answer taken back; the latest of a question counts",
    (
        _DECISION, ENTE,
        Column("code", "text", "The anomaly asked about", required=True),
        Column("id_documento", "text", "The accounting system's document"),
        Column("progressivo_registrazione", "text", "PCC's document"),
        Column("answer", "text", "The answer (rule_answers)", required=True),
        Column("value", "text", "What it names: a document, a creditor"),
        Column("in_force_from", "date", "From when it holds"),
        Column("whole_supplier", "boolean", "It holds for all documents of the supplier", required=True),
        Column("original_creditor", "text", "The supplier, as the question named it; null: an older version did not keep it"),
        Column("numero", "text", "Invoice number, as the question named it"),
        Column("data_emissione", "date", "Date of issue, as the question named it"),
        Column("decisions", "text", "Numbers of the decisions on pairs or operations that it made, with commas; null: none"),
        Column("withdrawn", "boolean", "The answer is taken back, with what it did; null: no"),
        _REASON, _WHO, _WHEN,
    ),
    key=("decision",),
    indexes=(("ente", "code"),),
)

ANSWER_ATTACHMENTS = Table(
    "answer_attachments", "register", "One row per file attached to an answer; its bytes are in the store, among the ente's own",
    (
        Column("attachment", "integer", "Number of the attachment", required=True), ENTE,
        replace(_DECISION, meaning="The answer (answers)"),
        Column("name", "text", "File name, made safe", required=True),
        Column("sha256", "text", "SHA-256 of the bytes, hexadecimal", required=True, pattern=r"[0-9a-f]{64}"),
        Column("size", "integer", "Size", required=True, minimum=0, unit="bytes"),
    ),
    key=("attachment",),
    indexes=(("ente", "decision"),),
)

DELIVERY_CONFIRMATIONS = Table(
    "delivery_confirmations", "register",
    "One row per whole delivery of which a person confirmed that what it does not have any more is gone, however much",
    (
        _DECISION, ENTE,
        Column("delivery", "text", "The delivery", required=True, source="docs/rules.md#rule-12"),
        _WHO, _WHEN,
    ),
    key=("decision",),
    indexes=(("ente", "delivery"),),
)

MODEL_UPLOADS = Table(
    "model_uploads", "register",
    "One row per model file of which a person said that it was uploaded to PCC: the first to say so",
    (
        _DECISION, ENTE,
        Column("file", "text", "Name of the model file", required=True, source="docs/rules.md#rule-11-uploaded"),
        _WHO, _WHEN,
    ),
    key=("decision",),
    indexes=(("ente", "file"),),
)

OPERATION_REQUESTS = Table(
    "operation_requests", "register",
    "One row per row of today's models that a person asked for and the program never proposes (RS, RT), or took back; the latest of "
    "a document counts",
    (
        _DECISION, ENTE,
        Column("progressivo_registrazione", "text", "The document on PCC", required=True),
        Column("azione", "text", "RS restore, RT reset", required=True, allowed=("RS", "RT"), source="docs/rules.md#rule-11-order"),
        Column("withdrawn", "boolean", "It is taken back", required=True),
        _REASON, _WHO, _WHEN,
    ),
    key=("decision",),
    indexes=(("ente", "progressivo_registrazione"),),
)

#: Tables of PostgreSQL.
DECISIONS = (
    MATCH_DECISIONS, OPERATION_DECISIONS, APPROVAL_LIMITS, ANSWERS, DELIVERY_CONFIRMATIONS, MODEL_UPLOADS, OPERATION_REQUESTS,
)

DECIDED_MATCH_DECISIONS = Table(
    "decided_match_decisions", "reconciliation", "One row per pair of documents on which a person's word stands",
    (
        ENTE, _DECISION,
        Column("verdict", "text", "pair, or split", required=True, allowed=("pair", "split")),
        *MATCH_DECISIONS.columns[3:5],
        _WHO, _WHEN,
    ),
    key=("ente", "id_documento", "progressivo_registrazione"),
)

OPERATION_STATES = ("proposed", "waiting", "approved", "refused")

DECIDED_OPERATION_DECISIONS = Table(
    "decided_operation_decisions", "reconciliation", "One row per operation on which a person's word stands",
    (
        ENTE,
        Column("operation_id", "text", "The operation", required=True),
        Column("state", "text", "proposed (only changed), waiting for a second person, approved, refused", required=True,
               allowed=OPERATION_STATES),
        Column("approvals", "integer", "Persons who approve", required=True, minimum=0),
        Column("approvals_needed", "integer", "Persons who must approve", required=True, minimum=1),
        *(replace(column, name=f"changed_{column.name}") for column in CHANGES),
        _WHO, _WHEN,
    ),
    key=("ente", "operation_id"),
)

DECIDED_ANSWERS = Table(
    "decided_answers", "staging", "One row per question that was answered: the latest answer",
    (ENTE, _DECISION, *ANSWERS.columns[2:6], _WHO, _WHEN),
    key=("ente", "code", "id_documento", "progressivo_registrazione"),
)

DECIDED_OPERATION_REQUESTS = Table(
    "decided_operation_requests", "reconciliation", "One row per document that a person asked to restore or reset",
    (ENTE, _DECISION, *OPERATION_REQUESTS.columns[2:4], _WHO, _WHEN),
    key=("ente", "progressivo_registrazione"),
)

#: What the SQL models may read of decisions, of what was sent and of the support desk, by relation; empty where there is nothing.
DECIDED: dict[str, Table] = {
    table.name: table
    for table in (
        DECIDED_MATCH_DECISIONS, DECIDED_OPERATION_DECISIONS, DECIDED_SENT, DECIDED_ANSWERS, DECIDED_OPERATION_REQUESTS,
        *DECIDED_SUPPORT,
    )
}
