"""The tables of proposed pairs (docs/rules.md#rule-6, tier `fuzzy`): what a person is asked to accept or split."""

from __future__ import annotations

from pcc_pipeline.rules import rule_rows
from pcc_pipeline.tables.common import ENTE
from pcc_pipeline.tables.describe import Column, Table


def _levels(field: str) -> tuple[str, ...]:
    return tuple(row["level"] for row in rule_rows("match_evidence") if row["field"] == field)


MATCH_NEIGHBOURS = Table(
    "match_neighbours", "reconciliation", "One row per pair of open documents whose amounts are near, of one creditor or probable: what proposals compare",
    (
        ENTE,
        Column("erp_row", "integer", "row_id of the accounting system's document"),
        Column("pcc_row", "integer", "row_id of PCC's document"),
        *(column for side, of in (("erp", "accounting system"), ("pcc", "PCC")) for column in (
            Column(f"{side}_key", "text", f"Normalised number ({of})"),
            Column(f"{side}_core", "text", f"Its runs with digits ({of})"),
            Column(f"{side}_date", "date", f"Date of issue ({of})"),
        )),
        Column("apart", "money", "Difference of the totals", unit="EUR"),
        Column("only_ones", "boolean", "No other open document of the creditor has that total, on either side"),
        Column("days", "integer", "Days between the dates of issue", unit="days"),
        Column("same_due_date", "boolean", "The due dates are the same; null where one is not known"),
        Column("same_creditor", "boolean", "Both sides name the same supplier"),
        Column("probable", "boolean", "A probable pair (PROBABLE_MATCH): proposed whatever its points", source="docs/rules.md#rule-6"),
    ),
    key=("ente", "erp_row", "pcc_row"),
)

MATCH_PROPOSALS = Table(
    "match_proposals", "reconciliation",
    "One row per pair of documents that no tier took and that may be the same: for a person, never applied alone",
    (
        ENTE,
        Column("id_documento", "text", "The accounting system's document", required=True),
        Column("progressivo_registrazione", "text", "PCC's document", required=True),
        Column("score", "integer", "Points of all evidence (rule_match_evidence), at most 100", required=True, unit="points"),
        Column("rank", "integer", "Place among the proposals of either document, the worse of the two", required=True, minimum=1),
        Column("alternatives", "integer", "Other proposals that name either document", required=True, minimum=0),
        Column("creditor", "text", "The supplier in the accounting system", required=True),
        Column("creditor_name", "text", "Its name"),
        Column("erp_number", "text", "Number in the accounting system", required=True),
        Column("pcc_number", "text", "Number on PCC", required=True),
        Column("number_evidence", "text", "How the numbers compare", required=True, allowed=_levels("number")),
        Column("erp_issue_date", "date", "Date of issue in the accounting system", required=True),
        Column("pcc_issue_date", "date", "Date of issue on PCC", required=True),
        Column("date_evidence", "text", "How the dates of issue compare", required=True, allowed=_levels("date")),
        Column("erp_total", "money", "Total in the accounting system", required=True, unit="EUR"),
        Column("pcc_total", "money", "Total on PCC", required=True, unit="EUR"),
        Column("amount_evidence", "text", "How the totals compare", required=True, allowed=_levels("amount")),
        Column("due_date_evidence", "text", "How the due dates compare", required=True, allowed=_levels("due_date")),
        Column("explanation", "text", "The evidence field by field, in Italian, with its points", required=True),
    ),
    key=("ente", "id_documento", "progressivo_registrazione"),
    published=True,
)

#: In reading order.
TABLES = (MATCH_NEIGHBOURS, MATCH_PROPOSALS)
