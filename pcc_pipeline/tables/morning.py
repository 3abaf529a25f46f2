"""What the provider sees of all enti at once: how each stands, since when its questions wait, which checks fail.

Tables of PostgreSQL, one small row an ente, so that two thousand are read, sorted and searched at once; and one of each
operation, so that a list is read in its order. Each is written in the transaction of what it tells of: `review.standing`
with a publication or a decision, `checks.failing` with the checks.
"""

from __future__ import annotations

from pcc_pipeline.tables.common import ENTE, ID_DOCUMENTO, PROGRESSIVO, money
from pcc_pipeline.tables.describe import Column, Paging, Table


def _count(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning, required=True, minimum=0)


ENTE_STANDING = Table(
    "ente_standing", "register", "One row per ente published: its figures in short, and what waits for a person",
    (
        ENTE,
        Column("reference_date", "date", "Date the stock refers to", required=True, source="docs/rules.md#rule-4"),
        Column("published_at", "timestamp", "When readers began to see it", required=True),
        money("pcc_amount", "Stock on PCC"), money("right_amount", "The right stock"),
        money("projected_amount", "Stock expected on PCC once all operations are accepted"),
        money("explained_amount", "What the anomalies explain of PCC's stock less the right one"),
        _count("questions", "Questions to the ente without an answer"),
        money("answers_move", "The most that the answers to them can move in the stock, each document once"),
        Column("questions_since", "timestamp", "When the oldest of them was first published"),
        _count("operations", "Operations that wait for a person: nobody decided, a second person is missing, or PCC refused"),
        _count("to_upload", "Files for PCC written and not uploaded"),
        Column("to_upload_since", "timestamp", "When the oldest of them was written"),
        _count("to_answer", "Files for PCC uploaded and not answered whole"),
        Column("to_answer_since", "timestamp", "When the oldest of them was uploaded"),
        Column("duty_on", "date", "Day of the first legal deadline that is not met"),
        Column("duty", "text", "What is due then, in Italian"),
    ),
    key=("ente",),
)  # fmt: skip

QUESTIONS_ASKED = Table(
    "questions_asked", "register", "One row per question published now: since when it is asked",
    (
        ENTE,
        Column("code", "text", "The anomaly that it asks about", required=True),
        Column("id_documento", "text", "The accounting system's document"),
        Column("progressivo_registrazione", "text", "PCC's document"),
        Column("asked_at", "timestamp", "When it was first published without a pause since", required=True),
    ),
    key=("ente", "code", "id_documento", "progressivo_registrazione"),
)  # fmt: skip

OPERATION_STANDING = Table(
    "operation_standing", "register", "One row per operation published now: how it stands, and its place among the others",
    (
        ENTE,
        Column("operation_id", "text", "The operation (operations)", required=True),
        Column("shown", "text", "How it stands, in the word that readers are told (review.states)", required=True),
        Column("code", "text", "The anomaly that it remedies", required=True),
        Column("original_creditor", "text", "The supplier, normalised", required=True, source="docs/rules.md#rule-5"),
        money("stock_effect", "What it takes from PCC's stock, signed; negative where it adds", source="docs/rules.md#rule-4"),
        money("moved", "What the operations of its document move in PCC's stock, whichever the sign"),
        ID_DOCUMENTO, PROGRESSIVO,
        Column("step", "integer", "Order within the document, from 1", required=True, minimum=1),
    ),
    key=("ente", "operation_id"),
    paging=(
        Paging("largest", ("moved DESC", "id_documento", "progressivo_registrazione", "step")),
        Paging("shown", ("shown", "moved DESC", "id_documento", "progressivo_registrazione", "step")),
    ),
)  # fmt: skip

FAILING_CHECKS = Table(
    "failing_checks", "register", "One row per ente and check that failed when it last ran",
    (
        ENTE,
        Column("step", "text", "The step whose check it is", required=True),
        Column("check", "text", "Table and demand", required=True),
        Column("blocking", "boolean", "It keeps the ente's new figures from being published", required=True),
        Column("failing_rows", "integer", "Rows that fail", required=True, minimum=0),
        Column("words", "text", "What it demands", required=True),
        Column("since", "timestamp", "Since when it fails", required=True),
    ),
    key=("ente", "check"),
)  # fmt: skip

MORNING = (ENTE_STANDING, QUESTIONS_ASKED, OPERATION_STANDING, FAILING_CHECKS)
