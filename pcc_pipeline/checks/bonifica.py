"""The checks of operations and of PCC's simulated ledger, as DuckDB SQL that returns the rows in breach.

They stand among the others in `reconciliations`; nothing is run here.
"""

# PCC would refuse a movement that takes more than its account holds, or that loses or makes money.
LEDGER_HOLDS = """
WITH steps AS (
    SELECT l.*, r.unbooked + r.liquidated + r.suspended + r.not_payable + r.paid + r.paid_non_commercial + r.outside
               - r.commercial_amount AS before,
           l.unbooked + l.liquidated + l.suspended + l.not_payable + l.paid + l.paid_non_commercial + l.outside
               - l.commercial_amount AS after,
           least(l.unbooked, l.liquidated, l.suspended, l.not_payable, l.paid, l.paid_non_commercial) AS lowest,
           least(r.unbooked, r.liquidated, r.suspended, r.not_payable, r.paid, r.paid_non_commercial, 0) AS lowest_before
    FROM ledger l
    JOIN remedies r ON r.ente = l.ente AND r.id_documento IS NOT DISTINCT FROM l.id_documento
     AND r.progressivo_registrazione IS NOT DISTINCT FROM l.progressivo_registrazione
)
SELECT ente, operation_id, id_documento, progressivo_registrazione, step, before, after, lowest,
       CASE WHEN after <> before THEN 'the accounts no longer sum' ELSE 'an account falls below zero' END AS problem
FROM steps
WHERE after <> before OR (lowest < lowest_before)
UNION ALL BY NAME
SELECT o.ente, o.operation_id, o.id_documento, o.progressivo_registrazione, o.step,
       'an amount that is not positive, or a movement that PCC does not know' AS problem
FROM operation_lines o
WHERE (o.azione IN ('CO', 'CP', 'IP') OR o.azione = 'CS' AND o.model = '003') AND NOT coalesce(o.importo > 0, false)
   OR (o.azione = 'CO') <> (o.stato_debito IS NOT NULL)
"""

# What is left between the projected stock and the right one needs a person, document by document; and what the
# operations take from PCC's stock is what lies between it and the projected one.
PROJECTION_EXPLAINED = """
WITH at_stake AS (
    SELECT ente, id_documento, progressivo_registrazione,
           coalesce(sum(stock) FILTER ("view" = 'projected'), 0)
               - coalesce(sum(stock) FILTER ("view" = 'right'), 0) AS remaining
    FROM debt_positions WHERE "view" IN ('projected', 'right') GROUP BY ALL
), asked AS (
    SELECT ente, id_documento, progressivo_registrazione, min(remaining) AS least, max(remaining) AS most
    FROM questions GROUP BY ALL
), by_document AS (
    SELECT coalesce(s.ente, a.ente) AS ente, coalesce(s.id_documento, a.id_documento) AS id_documento,
           coalesce(s.progressivo_registrazione, a.progressivo_registrazione) AS progressivo_registrazione,
           coalesce(s.remaining, 0) AS remaining, a.least, a.most, a.ente IS NULL AS unasked
    FROM at_stake s FULL JOIN asked a
      ON s.ente = a.ente AND s.id_documento IS NOT DISTINCT FROM a.id_documento
     AND s.progressivo_registrazione IS NOT DISTINCT FROM a.progressivo_registrazione
    WHERE coalesce(s.remaining, 0) <> 0 OR a.ente IS NOT NULL
), stocks AS (
    SELECT ente, sum(amount) FILTER ("view" = 'pcc') AS pcc, sum(amount) FILTER ("view" = 'right') AS "right",
           sum(amount) FILTER ("view" = 'projected') AS projected
    FROM stock GROUP BY ente
)
SELECT ente, id_documento, progressivo_registrazione, remaining, least AS asked,
       CASE WHEN unasked THEN 'projected differs from right and no question is asked'
            ELSE 'the question names another amount' END AS problem
FROM by_document WHERE unasked OR least <> remaining OR most <> remaining
UNION ALL BY NAME
SELECT s.ente, s.projected - s."right" AS remaining, coalesce(q.asked, 0) AS asked,
       'projected less right is not the sum over documents with questions' AS problem
FROM stocks s
LEFT JOIN (SELECT ente, sum(least) AS asked FROM asked GROUP BY ente) q ON q.ente = s.ente
WHERE s.projected - s."right" <> coalesce(q.asked, 0)
UNION ALL BY NAME
SELECT s.ente, s.pcc - s.projected AS remaining, coalesce(e.effect, 0) AS asked,
       'PCC''s stock less the projected one is not what the operations take from it' AS problem
FROM stocks s
LEFT JOIN (SELECT ente, sum(stock_effect) AS effect FROM ledger GROUP BY ente) e ON e.ente = s.ente
WHERE s.pcc - s.projected <> coalesce(e.effect, 0)
"""

# The state that a document shall have on PCC is whole: its parts sum to the commercial amount, none of them is negative, and
# what is suspended has a start.
TARGETS_SUM = """
WITH parts AS (
    SELECT *,
           treasury_vat + non_commercial + suspended_lawsuit + suspended_contested + suspended_check + suspended_other
               + not_payable + paid + payments_lacking + payable AS parts,
           least(commercial_amount, treasury_vat, non_commercial, suspended_lawsuit, suspended_contested, suspended_check,
                 suspended_other, not_payable, paid, payments_lacking, payable) AS lowest
    FROM document_targets WHERE movable
)
SELECT ente, id_documento, progressivo_registrazione, commercial_amount, parts, lowest,
       CASE WHEN parts <> commercial_amount THEN 'the parts do not sum to the commercial amount'
            WHEN lowest < 0 THEN 'a part is negative'
            ELSE 'a suspended amount without a start, or a start without an amount' END AS problem
FROM parts
WHERE parts IS DISTINCT FROM commercial_amount OR lowest < 0
   OR (suspended_lawsuit > 0) <> (lawsuit_from IS NOT NULL) OR (suspended_contested > 0) <> (contested_from IS NOT NULL)
   OR (suspended_check > 0) <> (check_from IS NOT NULL)
"""

# PCC hands back every row of a file: one with fewer was cut, or answers another file.
OUTCOMES_WHOLE = """
SELECT s.ente, s.file, count(*) AS sent, count(*) FILTER (s.answered_at IS NOT NULL) AS answered
FROM sent_states s
GROUP BY s.ente, s.file
HAVING count(*) FILTER (s.answered_at IS NOT NULL) BETWEEN 1 AND count(*) - 1
"""
