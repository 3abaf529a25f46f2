"""What persons are asked of a document, and why. The SQL is in dbt_like_sql/models/operations."""

from __future__ import annotations

from dataclasses import replace

from pcc_pipeline import rules
from pcc_pipeline.tables.common import ENTE, ID_DOCUMENTO, OBSERVED_AT, PROGRESSIVO, REFERENCE_DATE, SEVERITIES, money
from pcc_pipeline.tables.describe import Column, Paging, Table

_CODE = Column("code", "text", "The anomaly that it asks about", required=True, allowed=rules.anomaly_codes(), source="docs/rules.md#rule-7")

OPEN_POINTS = Table(
    "open_points", "operations", "One row per document and anomaly: whether a person is needed, and in which situation",
    (
        ENTE, replace(_CODE, required=False, allowed=()), ID_DOCUMENTO, PROGRESSIVO,
        Column("severity", "text", "high, medium or low"), money("amount", "PCC's stock less the right one", required=False),
        Column("question", "text", "What was asked with the anomaly"),
        Column("erp_says", "text", "The accounting system's fact"), Column("pcc_says", "text", "PCC's fact"),
        money("remaining", "What is left once all operations are accepted", required=False),
        Column("situation", "text", "Which words of rules/data/questions.csv; null: nothing to ask"),
        Column("words", "text", "What the words name: orders, a cause"),
    ),
    key=("ente", "code", "id_documento", "progressivo_registrazione"),
)

QUESTIONS = Table(
    "questions", "operations", "One row per document and anomaly that needs a person's answer",
    (
        ENTE, _CODE, ID_DOCUMENTO, PROGRESSIVO,
        Column("addressee", "text", "Who can answer: the ente's office, or the operator", required=True, allowed=("ENTE", "OPERATORE")),
        Column("severity", "text", "high, medium or low", required=True, allowed=SEVERITIES),
        Column("question", "text", "The question in plain Italian, with the facts", required=True),
        money("amount", "What the document adds to PCC's stock less what it adds to the right stock"),
        money("remaining", "The same once all operations are accepted: what only the answer can settle"),
        Column("numero", "text", "Invoice number", required=True),
        Column("data_emissione", "date", "Date of issue", required=True),
        Column("original_creditor", "text", "The supplier, normalised", required=True),
        Column("creditor", "text", "The present creditor", required=True, source="docs/rules.md#rule-5"),
        Column("creditor_name", "text", "Name of the creditor"),
        REFERENCE_DATE, OBSERVED_AT,
    ),
    key=("ente", "code", "id_documento", "progressivo_registrazione"),
    published=True,
    paging=(
        Paging("largest", ("addressee", "abs(amount)")),
        Paging("of_kind", ("addressee", "code", "abs(amount) DESC", "id_documento", "progressivo_registrazione")),
    ),
)

TABLES = (OPEN_POINTS, QUESTIONS)
