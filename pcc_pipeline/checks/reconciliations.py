"""Checks across tables: sums that must agree, rows that must be explained. Data only, run by `run`.

Each is DuckDB SQL that returns the rows in breach. The sums are the database's work; Great Expectations
then judges the count of breaches (it must be 0), so that every check has one kind of verdict and one kind
of result. Great Expectations' own cross-table expectations need its SQL engine, which does not read
Parquet.
"""

from __future__ import annotations

from dataclasses import dataclass

from pcc_pipeline.checks import bonifica
from pcc_pipeline.tables.describe import Table
from pcc_pipeline.tables.feeds import FEEDS
from pcc_pipeline.tables.models import MODELS


@dataclass(frozen=True)
class Reconciliation:
    """A rule over one or more tables, shown on `table`.

    `sql` returns a row for each breach, its first column `ente`, reading `relations` by their names; in
    each of these `ente` is the ente whose files are read. `blocking` says whether a breach stops
    publication.
    """

    name: str
    table: str
    description: str
    blocking: bool
    relations: tuple[str, ...]
    sql: str


def described(table: str) -> Table:
    """The description of a feed's or model's table by its name; KeyError where there is none."""
    return MODELS.get(table) or FEEDS[table]


def relations_of(table: str) -> tuple[str, ...]:
    """The other tables that the reconciliations shown on `table` read, in no special order."""
    names = {name for rule in RECONCILIATIONS if rule.table == table for name in rule.relations}
    return tuple(sorted(names - {table}))


# How many of the rows that were there before a whole delivery it takes away.
_TOO_MANY_GONE = """
WITH taken AS (
    SELECT ente, kind, lacking_sequence AS sequence, count(*) AS gone
    FROM gone_rows WHERE certain GROUP BY ALL
)
SELECT w.ente, w.delivery, w.file, w.kind, w.span_from, w.span_to, t.gone, count(DISTINCT d.key) AS rows
FROM taken t
JOIN whole_deliveries w ON w.ente = t.ente AND w.kind = t.kind AND w.sequence = t.sequence AND NOT w.confirmed AND w.certain
JOIN delivered_rows d
  ON d.ente = w.ente AND d.kind = w.kind AND d.sequence < w.sequence AND d.day BETWEEN w.span_from AND w.span_to
GROUP BY ALL
HAVING t.gone * 100 > count(DISTINCT d.key) * max(w.gone_percent)
"""

# A document is known by both identifiers together; either may be null. One document may bear several
# anomalies, each with the document's whole amount.
_EVERY_CENT = """
WITH at_stake AS (
    SELECT ente, id_documento, progressivo_registrazione,
           coalesce(sum(stock) FILTER ("view" = 'pcc'), 0)
               - coalesce(sum(stock) FILTER ("view" = 'right'), 0) AS at_stake
    FROM debt_positions GROUP BY ALL
), explained AS (
    SELECT ente, id_documento, progressivo_registrazione, min(amount) AS least, max(amount) AS most,
           count(*) FILTER (amount IS NULL) AS without_amount, string_agg(DISTINCT code, ', ') AS codes
    FROM anomalies GROUP BY ALL
), by_document AS (
    SELECT coalesce(s.ente, e.ente) AS ente,
           coalesce(s.id_documento, e.id_documento) AS id_documento,
           coalesce(s.progressivo_registrazione, e.progressivo_registrazione) AS progressivo_registrazione,
           coalesce(s.at_stake, 0) AS at_stake, e.least, e.most, e.codes,
           CASE WHEN e.ente IS NULL THEN 'no anomaly'
                WHEN e.without_amount > 0 THEN 'an anomaly without amount'
                ELSE 'the amount differs' END AS problem
    FROM at_stake s FULL JOIN explained e
      ON s.ente = e.ente AND s.id_documento IS NOT DISTINCT FROM e.id_documento
     AND s.progressivo_registrazione IS NOT DISTINCT FROM e.progressivo_registrazione
    WHERE (e.ente IS NULL AND s.at_stake <> 0)
       OR (e.ente IS NOT NULL AND (e.without_amount > 0 OR e.least <> coalesce(s.at_stake, 0)
                                   OR e.most <> coalesce(s.at_stake, 0)))
), totals AS (
    SELECT w.ente, w.difference, coalesce(x.explained, 0) AS explained
    FROM (SELECT ente, coalesce(sum(amount) FILTER ("view" = 'pcc'), 0)
                     - coalesce(sum(amount) FILTER ("view" = 'right'), 0) AS difference
          FROM stock GROUP BY ente) w
    LEFT JOIN (SELECT ente, sum(least) AS explained FROM explained GROUP BY ente) x ON x.ente = w.ente
)
SELECT ente, problem, id_documento, progressivo_registrazione, at_stake, least AS explained, codes
FROM by_document
UNION ALL BY NAME
SELECT ente, 'the stocks'' difference is not the sum over documents' AS problem,
       difference AS at_stake, explained
FROM totals WHERE difference <> explained
"""

# What readers are told by code is made of the same anomalies, each document in it once.
_BY_CODE = """
WITH parts AS (
    SELECT ente, sum(amount) AS amount, sum(documents) AS documents FROM difference_by_code GROUP BY ente
), whole AS (
    SELECT s.ente, s.amount, coalesce(d.documents, 0) AS documents
    FROM (SELECT ente, coalesce(sum(amount) FILTER ("view" = 'pcc'), 0)
                     - coalesce(sum(amount) FILTER ("view" = 'right'), 0) AS amount
          FROM stock GROUP BY ente) s
    LEFT JOIN (SELECT ente, count(*) AS documents
               FROM (SELECT DISTINCT ente, id_documento, progressivo_registrazione FROM anomalies) GROUP BY ente) d
      ON d.ente = s.ente
)
SELECT coalesce(w.ente, p.ente) AS ente, w.amount AS difference, p.amount AS parts,
       w.documents AS documents, p.documents AS parts_documents
FROM whole w FULL JOIN parts p ON w.ente = p.ente
WHERE coalesce(w.amount, 0) <> coalesce(p.amount, 0) OR coalesce(w.documents, 0) <> coalesce(p.documents, 0)
"""

# Each part beside the whole, per view and date: parts of a view without stock breach too.
# A document in instalments stands in the bucket of each, so the buckets may count more documents than there are.
_PARTS = """
WITH parts AS (
    SELECT 'document' AS part, ente, "view", reference_date, sum(stock) AS amount,
           count(*) FILTER (stock <> 0) AS documents
    FROM debt_positions GROUP BY ALL
    UNION ALL
    SELECT 'creditor', ente, "view", reference_date, sum(amount), sum(documents)
    FROM stock_by_creditor GROUP BY ALL
    UNION ALL
    SELECT 'due date', ente, "view", reference_date, sum(amount), sum(documents)
    FROM stock_by_due_date WHERE bucket <> 'not_due' GROUP BY ALL
    UNION ALL
    SELECT 'year of issue', ente, "view", reference_date, sum(amount), sum(documents)
    FROM stock_by_issue_year GROUP BY ALL
), whole AS (
    SELECT p.part, s.ente, s."view", s.reference_date, sum(s.amount) AS amount, sum(s.documents) AS documents
    FROM stock s
    CROSS JOIN (VALUES ('document'), ('creditor'), ('due date'), ('year of issue')) p(part) GROUP BY ALL
)
SELECT coalesce(w.ente, p.ente) AS ente, coalesce(w.part, p.part) AS part,
       coalesce(w."view", p."view") AS "view", coalesce(w.reference_date, p.reference_date) AS reference_date,
       w.amount AS stock, p.amount AS parts, w.documents AS stock_documents, p.documents AS parts_documents
FROM whole w FULL JOIN parts p
  ON w.part = p.part AND w.ente = p.ente AND w."view" = p."view" AND w.reference_date = p.reference_date
WHERE coalesce(w.amount, 0) <> coalesce(p.amount, 0)
   OR coalesce(w.documents, 0) > coalesce(p.documents, 0)
   OR (coalesce(w.documents, 0) < coalesce(p.documents, 0) AND p.part <> 'due date')
"""

# What the split leaves is presentato or ricevuto (docs/formats.md), so it may not be negative.
_ACCOUNTS = """
SELECT ente, progressivo_registrazione, stato, commercial_amount, unbooked, liquidated, suspended,
       not_payable, paid, paid_non_commercial
FROM pcc_documents
WHERE unbooked + liquidated + suspended + not_payable + paid + paid_non_commercial <> commercial_amount
   OR least(unbooked, liquidated, suspended, not_payable, paid, paid_non_commercial) < 0
"""

_ONE_TO_ONE = """
SELECT ente, progressivo_registrazione, count(*) AS matched, min(id_documento) AS one,
       max(id_documento) AS other
FROM matches GROUP BY ALL HAVING matched > 1
"""

# No document may get lost or be counted twice on its way into `documents`.
_EACH_ONCE = """
SELECT * FROM (
    SELECT coalesce(s.ente, d.ente) AS ente, 'id_documento' AS "key", coalesce(s.k, d.k) AS document,
           coalesce(s.n, 0) AS expected, coalesce(d.n, 0) AS found
    FROM (SELECT ente, id_documento AS k, count(*) AS n FROM erp_documents GROUP BY ALL) s
    FULL JOIN (SELECT ente, id_documento AS k, count(*) AS n FROM documents
               WHERE id_documento IS NOT NULL GROUP BY ALL) d ON s.ente = d.ente AND s.k = d.k
    UNION ALL
    SELECT coalesce(s.ente, d.ente), 'progressivo_registrazione', coalesce(s.k, d.k),
           coalesce(s.n, 0), coalesce(d.n, 0)
    FROM (SELECT ente, progressivo_registrazione AS k, count(*) AS n FROM pcc_documents GROUP BY ALL) s
    FULL JOIN (SELECT ente, progressivo_registrazione AS k, count(*) AS n FROM documents
               WHERE progressivo_registrazione IS NOT NULL GROUP BY ALL) d ON s.ente = d.ente AND s.k = d.k
) WHERE expected <> found
"""


def _row_counts(table: str, source: str, comparison: str) -> Reconciliation:
    """The table's rows against those of the table it is made from, per ente; `comparison` is = or <=."""
    words = "as many rows as" if comparison == "=" else "no more rows than"
    return Reconciliation(
        "row_counts",
        table,
        f"{table} has {words} {source}",
        True,
        (table, source),
        f"""
        SELECT coalesce(t.ente, s.ente) AS ente, coalesce(t.n, 0) AS "rows", coalesce(s.n, 0) AS source_rows
        FROM (SELECT ente, count(*) AS n FROM {table} GROUP BY ente) t
        FULL JOIN (SELECT ente, count(*) AS n FROM {source} GROUP BY ente) s ON t.ente = s.ente
        WHERE NOT coalesce(t.n, 0) {comparison} coalesce(s.n, 0)
        """,
    )


# Figures of more parts than are shown are not judged. Days weigh with cents; interest adds up in euro.
_DRILLDOWN = """
WITH shown AS (
    SELECT ente, name, period, "view", count(*) AS parts,
           sum(CAST(amount * 100 AS HUGEINT) * days) AS cent_days, sum(CAST(amount * 100 AS HUGEINT)) AS cents,
           sum(CAST(contribution * 100 AS HUGEINT)) AS contributed,
           count(*) FILTER (days <> to_day - from_day - suspended_days) AS wrong_days
    FROM indicator_documents GROUP BY ALL
)
SELECT f.ente, f.name, f.period, f."view", f.parts, s.parts AS shown, f.numerator, f.denominator, s.cent_days, s.cents,
       s.contributed, s.wrong_days
FROM indicator_figures f LEFT JOIN shown s
  ON s.ente = f.ente AND s.name = f.name AND s.period = f.period AND s."view" = f."view"
WHERE s.parts IS NULL OR s.parts > f.parts OR s.wrong_days > 0
   OR (s.parts = f.parts AND CASE WHEN f.denominator IS NULL THEN s.contributed <> f.numerator
                                  ELSE s.cent_days <> f.numerator OR s.cents <> f.denominator END)
"""

_OVERDUE = """
SELECT ente, progressivo_registrazione, id_documento, azione, importo, sent_at, state, answer_code, reason, file, line
FROM sent_states WHERE overdue ORDER BY sent_at
"""

_CHANGED_ELSEWHERE = """
SELECT ente, progressivo_registrazione, id_documento, field, before, after, stock_effect, delivery_before, delivery
FROM pcc_changes WHERE stock_effect <> 0 ORDER BY abs(stock_effect) DESC
"""

RECONCILIATIONS: tuple[Reconciliation, ...] = (
    Reconciliation(
        "every_cent_explained",
        "stock",
        "PCC's stock less the right stock is the sum of what anomalies say, and each document that differs "
        "bears an anomaly of just its difference (docs/rules.md#rule-7)",
        True,
        ("anomalies", "debt_positions", "stock"),
        _EVERY_CENT,
    ),
    Reconciliation(
        "parts_make_the_difference",
        "difference_by_code",
        "PCC's stock less the right stock is the sum of its parts by code, and each document with an anomaly counts in just "
        "one of them (docs/rules.md#rule-7)",
        True,
        ("difference_by_code", "anomalies", "stock"),
        _BY_CODE,
    ),
    Reconciliation(
        "accounts_sum",
        "pcc_documents",
        "The accounts of a document on PCC sum to its commercial amount, none of them negative "
        "(docs/rules.md#rule-3); a breach comes from PCC's feed and becomes an anomaly, so publication goes on",
        False,
        ("pcc_documents",),
        _ACCOUNTS,
    ),
    Reconciliation(
        "stock_parts_sum",
        "stock",
        "The stock by document, by creditor, by due date (without what is not due) and by year of issue each "
        "add up to the stock, in amount and in documents; "
        "one in instalments may stand in several buckets of the due date (docs/rules.md#rule-4)",
        True,
        ("stock", "debt_positions", "stock_by_creditor", "stock_by_due_date", "stock_by_issue_year"),
        _PARTS,
    ),
    Reconciliation(
        "accounts_hold",
        "ledger",
        "No operation takes more from an account of PCC than it holds, none loses or makes money (docs/rules.md#rule-3)",
        True,
        ("ledger", "remedies", "operation_lines"),
        bonifica.LEDGER_HOLDS,
    ),
    Reconciliation(
        "targets_sum",
        "document_targets",
        "The state that each document shall have on PCC sums to its commercial amount, nothing in it is negative, and what is "
        "suspended has a start (docs/rules.md#rule-11-target)",
        True,
        ("document_targets",),
        bonifica.TARGETS_SUM,
    ),
    Reconciliation(
        "projection_explained",
        "stock",
        "Once all operations are accepted, PCC's stock is the right one but for what the questions name, document by "
        "document, to the cent (docs/rules.md#rule-4)",
        True,
        ("questions", "debt_positions", "stock", "ledger"),
        bonifica.PROJECTION_EXPLAINED,
    ),
    Reconciliation(
        "one_to_one",
        "matches",
        "No document of PCC is matched twice (docs/rules.md#rule-6)",
        True,
        ("matches",),
        _ONE_TO_ONE,
    ),
    Reconciliation(
        "each_document_once",
        "documents",
        "Each document of the accounting system and each of PCC stands in documents exactly once",
        True,
        ("documents", "erp_documents", "pcc_documents"),
        _EACH_ONCE,
    ),
    Reconciliation(
        "seen_done_in_time",
        "sent_states",
        "Each operation sent to PCC is refused, or a feed of PCC shows it done, within the days allowed "
        "(threshold seen_done_days); a breach is an alert, publication goes on",
        False,
        ("sent_states",),
        _OVERDUE,
    ),
    Reconciliation(
        "stock_moved_on_pcc_alone",
        "pcc_changes",
        "No document's part of PCC's stock moved between two deliveries without an operation sent from here or a payment "
        "order (docs/rules.md#rule-11-changes); a breach is told at the desk, publication goes on",
        False,
        ("pcc_changes",),
        _CHANGED_ELSEWHERE,
    ),
    Reconciliation(
        "outcomes_whole",
        "sent_states",
        "An outcome of PCC answers every row of the file that was sent (docs/formats.md#area-rgs-outcomes); a breach is an "
        "alert, publication goes on",
        False,
        ("sent_states",),
        bonifica.OUTCOMES_WHOLE,
    ),
    # Payments and movements come from several feeds: see opi_accounted.
    *(
        _row_counts(f"stg_{feed}", feed, "<=")
        for feed in FEEDS
        if f"stg_{feed}" in MODELS and feed not in ("erp_payments", "pcc_operations")
    ),
    Reconciliation(
        "gone_rows_confirmed",
        "gone_rows",
        "No whole delivery takes away more of its span's rows than the threshold gone_percent allows, unless a person "
        "confirmed it (pcc confirm, or at the desk): a file that was cut looks like that (docs/rules.md#rule-12)",
        True,
        ("gone_rows", "whole_deliveries", "delivered_rows"),
        _TOO_MANY_GONE,
    ),
    Reconciliation(
        "trend_meets_stock",
        "stock_trend",
        "On the reference date the trend is the stock, view by view (docs/rules.md#rule-4)",
        True,
        ("stock_trend", "stock"),
        """
        SELECT s.ente, s."view", s.reference_date, s.amount AS stock, t.amount AS trend
        FROM stock s LEFT JOIN stock_trend t ON t.ente = s.ente AND t."view" = s."view" AND t."day" = s.reference_date
        WHERE s.amount <> coalesce(t.amount, 0)
        """,
    ),
    Reconciliation(
        "drilldown_makes_the_figure",
        "indicator_documents",
        "Where all the parts of an indicator are shown, their days and amounts are those of the figure; each part's days are "
        "those from one day to the other less those of suspension (docs/rules.md#rule-8)",
        True,
        ("indicator_documents", "indicator_figures"),
        _DRILLDOWN,
    ),
    _row_counts("erp_documents", "stg_erp_invoices", "="),
    _row_counts("pcc_documents", "stg_pcc_invoices", "="),
)
