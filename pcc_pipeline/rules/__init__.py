"""The rule book's parameters as data: days, thresholds, causes, buckets, the anomaly catalogue.

Each table is a CSV under `data/`, with its source and, where the law changes with time, its validity.
The SQL models read them as `rule_<name>`; nothing is computed here.
"""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from pathlib import Path

from pcc_pipeline.clock import today

#: What an anomaly may ask for, column by column of the catalogue: Modello 002, RF, CO to non liquidabile, CO LIQdaSOSP,
#: CO LIQdaNL, CO to sospeso, CO LIQ, CS, CP.
ANOMALY_OPERATIONS = ("registers", "refuses", "closes", "lifts", "frees", "suspends", "books", "tells_due_date", "pays")

#: Column types of the rule tables, as DuckDB reads them.
RULE_TABLES: dict[str, dict[str, str]] = {
    # What each type is for the debt: own (a debt of its commercial amount), taxable (stands for a foreign supplier's document:
    # its taxable amount), substitute (stands for the supplier's document where there is none), unless_self (none where the
    # ente is its own supplier), none.
    "document_types": {"code": "VARCHAR", "sign": "INTEGER", "debt": "VARCHAR", "meaning": "VARCHAR", "source": "VARCHAR"},
    # Fiscal codes of authorities that a mandate may always be paid to: withheld tax, VAT of split payment.
    # seizes: what is paid to it on a document was the creditor's (art. 48-bis), not the ente's own tax.
    "tax_authorities": {"code": "VARCHAR", "seizes": "BOOLEAN", "meaning": "VARCHAR", "source": "VARCHAR"},
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
        # Whether PCC is told of it (docs/rules.md#rule-11: not of a DURC that is being checked).
        "told": "BOOLEAN",
        # Of today's kinds of suspension: lawsuit, contested (or regulatory checks); other where PCC has no kind for it.
        "kind": "VARCHAR",
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
        # When a person answers first: always, never, or on what the document is like (anomalies.sql).
        "asks": "VARCHAR",
        # Which facts the two sides are shown with.
        "shows": "VARCHAR",
        # Which fact of the document on PCC is set anew (remedies.sql).
        "corrects": "VARCHAR",
        # Which operations it may ask for: of the codes that a document bears, the least number gives the operation its code.
        **dict.fromkeys(ANOMALY_OPERATIONS, "INTEGER"),
        # No payment is told, and nothing that closes the document, before a person answers.
        "holds_payment": "BOOLEAN",
        "keeps_open": "BOOLEAN",
        # No operation at all on the document before a person answers.
        "holds": "BOOLEAN",
    },
    # What remedies a code under today's models (Area RGS), when a person answers first where that differs, and which code
    # asks for no operation (`silent`).
    "area_rgs_remedies": {"code": "VARCHAR", "remedy": "VARCHAR", "asks": "VARCHAR", "silent": "BOOLEAN", "source": "VARCHAR"},
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
    # Which accounts a line moves money between (CO by its state, CP by its debt), and what PCC wants as NA on it.
    "debt_movements": {
        "azione": "VARCHAR",
        "stato_debito": "VARCHAR",
        "non_commercial": "BOOLEAN",
        "from_account": "VARCHAR",
        "to_account": "VARCHAR",
        "natura_na": "BOOLEAN",
        "cig_na": "BOOLEAN",
        "source": "VARCHAR",
    },
    # Ways of naming a document to today's PCC, the preferred first (formats/pcc/area.py).
    "pcc_identifications": {"identification": "INTEGER", "position": "INTEGER", "source": "VARCHAR"},
    # Which earlier line of its document (by action, 002 for a new document) each action needs: refused, it takes this along.
    "step_needs": {"azione": "VARCHAR", "needs": "VARCHAR", "source": "VARCHAR"},
    # PCC's code of each cause that an accounting system knows, and those that only the remedies give (no cause).
    "pcc_causes": {
        "cause": "VARCHAR",
        "causale": "VARCHAR",
        "words": "VARCHAR",
        "source": "VARCHAR",
    },
    # Which fields of a document on PCC an operation may change (pcc_changes.sql).
    "pcc_action_changes": {"azione": "VARCHAR", "field": "VARCHAR", "source": "VARCHAR"},
    # What to ask a person, with {facts} in it (see questions.sql).
    "questions": {"code": "VARCHAR", "situation": "VARCHAR", "addressee": "VARCHAR", "question": "VARCHAR"},
    # `only_for`: the one code whose question an answer answers; without, any. `for_all`: what says it of many at once.
    "answers": {
        "answer": "VARCHAR",
        "effect": "VARCHAR",
        "value": "VARCHAR",
        "only_for": "VARCHAR",
        "meaning": "VARCHAR",
        "for_all": "VARCHAR",
    },
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
        # YEAR: once a year on month and day. MONTH: on the day of every month, of the month before.
        "every": "VARCHAR",
        "tipo_ente": "VARCHAR",
        "month": "INTEGER",
        "day": "INTEGER",
        "reference_month": "INTEGER",
        "reference_day": "INTEGER",
        "reference_year_offset": "INTEGER",
        "met_by": "VARCHAR",
        # What an ente on SIOPE+ is still told of it: ADVISED, no longer owed; empty: owed all the same.
        "with_siope": "VARCHAR",
        "valid_from": "DATE",
        "valid_to": "DATE",
        "words": "VARCHAR",
        "source": "VARCHAR",
    },
    "deadline_alerts": {"every": "VARCHAR", "days_left": "INTEGER", "severity": "VARCHAR", "words": "VARCHAR"},
    # Where a rule of section 8 can be read in two ways: the one that counts, and the others.
    "indicator_readings": {
        "name": "VARCHAR",
        "value": "VARCHAR",
        "others": "VARCHAR",
        "valid_from": "DATE",
        "valid_to": "DATE",
        "meaning": "VARCHAR",
        "source": "VARCHAR",
    },
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
    # What makes an ente urgent in the provider's table of all (portal/queries/enti.py): 100 a promise or the law is broken,
    # 10 it soon is, 1 something waits.
    "urgency": {"signal": "VARCHAR", "points": "INTEGER", "words": "VARCHAR", "meaning": "VARCHAR"},
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
    """The codes of the anomaly catalogue (docs/rules.md#rule-7), in its order."""
    return tuple(row["code"] for row in rule_rows("anomalies"))


@cache
def anomaly_titles() -> dict[str, str]:
    """What each code of the catalogue is called in Italian, in its order."""
    return {row["code"]: row["title"] for row in rule_rows("anomalies")}


def codes_that(effect: str, value: str | None = None) -> tuple[str, ...]:
    """The codes of the catalogue with an effect (a column of it), the first to be chosen first.

    With `value` those of which the column says just that; else those of which it says a number or true.
    """
    found = [row for row in rule_rows("anomalies") if (row[effect] == value if value else row[effect] not in ("", "false"))]
    if effect in ANOMALY_OPERATIONS:
        found.sort(key=lambda row: int(row[effect]))
    return tuple(row["code"] for row in found)


def match_tiers() -> tuple[str, ...]:
    """The automatic matching tiers (docs/rules.md#rule-6), best first."""
    return tuple(row["tier"] for row in rule_rows("match_tiers"))


def origins() -> tuple[str, ...]:
    """Where a document may come from (docs/readings.md), the surest sign first."""
    return tuple(row["origin"] for row in rule_rows("document_origins"))


def buckets() -> tuple[str, ...]:
    """The due-date buckets (docs/rules.md#rule-4), from not due to the oldest."""
    return tuple(row["bucket"] for row in rule_rows("due_date_buckets"))


def causali() -> tuple[str, ...]:
    """PCC's codes of the reason of a movement."""
    return tuple(dict.fromkeys(row["causale"] for row in rule_rows("pcc_causes") if row["causale"]))


def debt_states(into: str | None = None) -> tuple[str, ...]:
    """The states of debt that a CO may bear: between which accounts it moves; those alone that move `into` one (sospeso)."""
    rows = [row for row in rule_rows("debt_movements") if row["azione"] == "CO"]
    return tuple(row["stato_debito"] for row in rows if into in (None, row["to_account"]))


def threshold(name: str, on: date) -> str:
    """A threshold as it stands on a day; the SQL macro `threshold_on` says the same. Raises ValueError without one."""
    day = on.isoformat()
    rows = [row for row in rule_rows("thresholds") if row["name"] == name]
    valid = [row for row in rows if row["valid_from"] <= day <= (row["valid_to"] or day)]
    return max(valid, key=lambda row: row["valid_from"])["value"]


def second_approval_amount(on: date | None = None) -> str:
    """Amount in euro above which an operation needs a second person on a day (today unless told), where the ente has none
    of its own."""
    return threshold("second_approval_amount", on or today())
