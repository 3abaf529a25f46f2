"""The rule book's parameters as data: days, thresholds, causes, buckets, the anomaly catalogue.

Each table is a CSV under `data/`, with its source and, where the law changes with time, its validity.
The SQL models read them as `rule_<name>`; nothing is computed here.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

#: Column types of the rule tables, as DuckDB reads them.
RULE_TABLES: dict[str, dict[str, str]] = {
    "document_types": {"code": "VARCHAR", "sign": "INTEGER", "meaning": "VARCHAR"},
    "payment_terms": {
        "tipo_ente": "VARCHAR",
        "valid_from": "DATE",
        "valid_to": "DATE",
        "days": "INTEGER",
        "source": "VARCHAR",
    },
    "suspension_causes": {
        "cause": "VARCHAR",
        "excluded": "BOOLEAN",
        "meaning": "VARCHAR",
        "source": "VARCHAR",
    },
    "due_date_buckets": {"bucket": "VARCHAR", "from_days": "INTEGER", "to_days": "INTEGER"},
    "special_case_effects": {"caso": "VARCHAR", "effect": "VARCHAR", "meaning": "VARCHAR"},
    "thresholds": {
        "name": "VARCHAR",
        "valid_from": "DATE",
        "valid_to": "DATE",
        "value": "DECIMAL(18,2)",
        "source": "VARCHAR",
    },
    "number_prefixes": {"prefix": "VARCHAR"},
    "anomalies": {
        "code": "VARCHAR",
        "title": "VARCHAR",
        "severity": "VARCHAR",
        "remedy": "VARCHAR",
        "manual": "BOOLEAN",
        "question": "VARCHAR",
    },
    "duties": {"duty": "VARCHAR", "tipo_ente": "VARCHAR", "starts_on": "DATE", "source": "VARCHAR"},
    "erp_releases": {
        "gestionale": "VARCHAR",
        "versione": "VARCHAR",
        "valid_from": "DATE",
        "source": "VARCHAR",
    },
    "document_origins": {
        "origin": "VARCHAR",
        "ordinal": "INTEGER",
        "outside_sdi": "BOOLEAN",
        "meaning": "VARCHAR",
    },
    "document_type_origins": {"tipo_documento": "VARCHAR", "origin": "VARCHAR", "source": "VARCHAR"},
    "match_evidence": {"field": "VARCHAR", "level": "VARCHAR", "points": "INTEGER", "meaning": "VARCHAR"},
    # Which accounts a CO moves money between, and what PCC wants as NA on it.
    "debt_movements": {
        "stato_debito": "VARCHAR",
        "from_account": "VARCHAR",
        "to_account": "VARCHAR",
        "natura_na": "BOOLEAN",
        "cig_na": "BOOLEAN",
        "source": "VARCHAR",
    },
    "pcc_causes": {
        "cause": "VARCHAR",
        "causale": "VARCHAR",
        "words": "VARCHAR",
        "source": "VARCHAR",
    },
    # What to ask a person, with {facts} in it (see questions.sql).
    "questions": {"code": "VARCHAR", "situation": "VARCHAR", "addressee": "VARCHAR", "question": "VARCHAR"},
    "answers": {"answer": "VARCHAR", "effect": "VARCHAR", "value": "VARCHAR", "meaning": "VARCHAR"},
    "opi_states": {"stato": "VARCHAR", "meaning": "VARCHAR"},
    # How easily a document's difference is settled: one factor of its priority in the report.
    "work_ease": {"kind": "VARCHAR", "ease": "DECIMAL(18,2)", "meaning": "VARCHAR"},
    "interest_rates": {
        "valid_from": "DATE",
        "valid_to": "DATE",
        "reference_rate": "DECIMAL(5,2)",
        "surcharge": "DECIMAL(5,2)",
        "source": "VARCHAR",
    },
    "deadlines": {
        "duty": "VARCHAR",
        "tipo_ente": "VARCHAR",
        "month": "INTEGER",
        "day": "INTEGER",
        "reference_month": "INTEGER",
        "reference_day": "INTEGER",
        "reference_year_offset": "INTEGER",
        "met_by": "VARCHAR",
        "valid_from": "DATE",
        "valid_to": "DATE",
        "words": "VARCHAR",
        "source": "VARCHAR",
    },
    "deadline_alerts": {"days_left": "INTEGER", "severity": "VARCHAR", "words": "VARCHAR"},
    "fgdc_rates": {
        "test": "VARCHAR",
        "from_days": "INTEGER",
        "to_days": "INTEGER",
        "rate": "DECIMAL(5,2)",
        "valid_from": "DATE",
        "valid_to": "DATE",
        "source": "VARCHAR",
    },
    "support_hours": {
        "weekday": "INTEGER",
        "valid_from": "DATE",
        "valid_to": "DATE",
        "opens": "TIME",
        "closes": "TIME",
        "source": "VARCHAR",
    },
    "service_deadlines": {
        "name": "VARCHAR",
        "valid_from": "DATE",
        "valid_to": "DATE",
        "days": "INTEGER",
        "working": "BOOLEAN",
        "responsible": "VARCHAR",
        "meaning": "VARCHAR",
        "source": "VARCHAR",
    },
    # What stands in a cell for no value; a word of one type only is so in columns of that type.
    "empty_words": {"word": "VARCHAR", "type": "VARCHAR", "written_by": "VARCHAR"},
    "match_tiers": {"tier": "VARCHAR", "ordinal": "INTEGER", "meaning": "VARCHAR"},
    "pcc_answer_codes": {"prefix": "VARCHAR", "outcome": "VARCHAR", "meaning": "VARCHAR", "source": "VARCHAR"},
    "pcc_model_checks": {
        "check": "VARCHAR",
        "pcc_code": "VARCHAR",
        "severity": "VARCHAR",
        "valid_from": "DATE",
        "message": "VARCHAR",
        "source": "VARCHAR",
    },
}


def rule_path(name: str) -> Path:
    """The CSV file of a rule table."""
    return Path(__file__).parent / "data" / f"{name}.csv"


@cache
def rule_rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a rule table as text, for what is read outside SQL (docs, labels)."""
    with rule_path(name).open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def anomaly_codes() -> tuple[str, ...]:
    """The codes of the anomaly catalogue (rules, section 7), in its order."""
    return tuple(row["code"] for row in rule_rows("anomalies"))


@cache
def anomaly_titles() -> dict[str, str]:
    """What each code of the catalogue is called in Italian, in its order."""
    return {row["code"]: row["title"] for row in rule_rows("anomalies")}


def match_tiers() -> tuple[str, ...]:
    """The automatic matching tiers (rules, section 6), best first."""
    return tuple(row["tier"] for row in rule_rows("match_tiers"))


def origins() -> tuple[str, ...]:
    """Where a document may come from (docs/readings.md), the surest sign first."""
    return tuple(row["origin"] for row in rule_rows("document_origins"))


def buckets() -> tuple[str, ...]:
    """The due-date buckets (rules, section 4), from not due to the oldest."""
    return tuple(row["bucket"] for row in rule_rows("due_date_buckets"))


def second_approval_amount() -> str:
    """Amount in euro above which an operation needs a second person, where the ente has none of its own (`thresholds`)."""
    values = [row for row in rule_rows("thresholds") if row["name"] == "second_approval_amount"]
    return max(values, key=lambda row: row["valid_from"])["value"]
