-- One row per pair of documents that no tier took and that may be the same (docs/rules.md#rule-6, tier fuzzy): a proposal.
-- Key: id_documento, progressivo_registrazione. Which pairs are compared: match_neighbours. Evidence and its points are
-- data (rule_match_evidence).
with compared as (
    select
        *,
        case
            when erp_key = pcc_key and erp_key <> '' then 'same'
            when erp_core = '' or pcc_core = '' then 'unlike'
            when starts_with(erp_key, pcc_key || '-') or starts_with(pcc_key, erp_key || '-')
                or ends_with(erp_key, '-' || pcc_key) or ends_with(pcc_key, '-' || erp_key) then 'part'
            when erp_core = pcc_core then 'other_letters'
            when damerau_levenshtein(erp_core, pcc_core) = 1 and levenshtein(erp_core, pcc_core) = 2 then 'swapped'
            when damerau_levenshtein(erp_core, pcc_core) = 1
                then if(least(len(erp_core), len(pcc_core)) >= 3, 'one_edit', 'short_edit')
            when damerau_levenshtein(erp_core, pcc_core) = 2 and least(len(erp_core), len(pcc_core)) >= 5 then 'two_edits'
            else 'unlike'
        end as number_evidence,
        case
            when days = 0 then 'same'
            when days <= 5 then 'near'
            when day(erp_date) <= 12 and day(pcc_date) <= 12 and day(erp_date) = month(pcc_date)
                and month(erp_date) = day(pcc_date) and year(erp_date) = year(pcc_date) then 'swapped'
            when days <= 10 then 'ten_days'
            when days <= 40 then 'forty_days'
            when day(erp_date) = day(pcc_date) and month(erp_date) = month(pcc_date) and days < 800 then 'other_year'
            else 'far'
        end as date_evidence,
        case when apart = 0 then if(only_ones, 'only', 'same') when apart <= threshold('proposal_amount') then 'near' else 'tolerance' end as amount_evidence,
        case when same_due_date is null then 'unknown' when same_due_date then 'same' else 'unlike' end as due_date_evidence
    from match_neighbours
),

scored as (
    select
        compared.*,
        least(100, number.points + dates.points + amount.points + due.points) as score,
        number.points as number_points, number.meaning as number_meaning,
        dates.points as date_points, dates.meaning as date_meaning,
        amount.points as amount_points, amount.meaning as amount_meaning,
        due.points as due_points, due.meaning as due_meaning
    from compared
    join rule_match_evidence as number on number.field = 'number' and number.level = number_evidence
    join rule_match_evidence as dates on dates.field = 'date' and dates.level = date_evidence
    join rule_match_evidence as amount on amount.field = 'amount' and amount.level = amount_evidence
    join rule_match_evidence as due on due.field = 'due_date' and due.level = due_date_evidence
    where probable or number.points + dates.points + amount.points + due.points >= threshold('proposal_score')
),

ranked as (
    select
        *,
        greatest(
            rank() over (partition by erp_row order by score desc),
            rank() over (partition by pcc_row order by score desc)
        ) as rank,
        count(*) over (partition by erp_row) + count(*) over (partition by pcc_row) - 2 as alternatives
    from scored
)

select
    ente_code() as ente,
    erp.id_documento,
    pcc.progressivo_registrazione,
    ranked.score,
    ranked.rank,
    ranked.alternatives,
    erp.creditor,
    coalesce(erp.supplier_name, pcc.supplier_name) as creditor_name,
    erp.numero as erp_number,
    pcc.numero as pcc_number,
    ranked.number_evidence,
    erp.issue_date as erp_issue_date,
    pcc.issue_date as pcc_issue_date,
    ranked.date_evidence,
    erp.total as erp_total,
    pcc.total as pcc_total,
    ranked.amount_evidence,
    ranked.due_date_evidence,
    concat(
        'numero ', erp.numero, ' / ', pcc.numero, ': ', number_meaning, ' (', format('{:+d}', number_points), '); ',
        'data ', strftime(erp.issue_date, '%d/%m/%Y'), ' / ', strftime(pcc.issue_date, '%d/%m/%Y'), ': ', date_meaning,
        ' (', format('{:+d}', date_points), '); ',
        'importo ', erp.total, ' / ', pcc.total, ': ', amount_meaning, ' (', format('{:+d}', amount_points), '); ',
        due_meaning, ' (', format('{:+d}', due_points), ')',
        if(same_creditor, null, '; fornitore scritto in modo diverso: ' || erp.creditor || ' / ' || pcc.creditor)
    ) as explanation
from ranked
join erp_documents as erp on erp.row_id = ranked.erp_row
join pcc_documents as pcc on pcc.row_id = ranked.pcc_row
-- Beyond the third place a proposal helps nobody.
where ranked.rank <= 3
