-- One row per pair of documents that no tier took and that may be the same (rules, section 6, tier fuzzy): a proposal.
-- Key: id_documento, progressivo_registrazione. Evidence and its points are data (rule_match_evidence).
-- Never quadratic: within creditor and sign both sides lie in one order, and a document of the accounting system is
-- compared with the eight before and after it in each of three orders (amount and date, amount and number, number).
with settled as (
    select erp_row, pcc_row from pairs where status = 'SETTLED'
),

open_erp as materialized (
    select
        row_id, creditor, sign, total, issue_date, due_date, number_key,
        array_to_string(list_filter(string_split(number_key, '-'), lambda run: regexp_matches(run, '[0-9]')), '-') as core,
        try_cast(right(regexp_replace(number_key, '[^0-9]', '', 'g'), 18) as bigint) as number_value,
        count(*) over (partition by creditor, sign, total) as of_that_amount
    from erp_documents
    anti join settled on settled.erp_row = erp_documents.row_id
    where creditor_known and stato not in ('RIFIUTATA', 'ANNULLATA')
),

open_pcc as materialized (
    select
        row_id, creditor, sign, total, issue_date, due_date, number_key,
        array_to_string(list_filter(string_split(number_key, '-'), lambda run: regexp_matches(run, '[0-9]')), '-') as core,
        try_cast(right(regexp_replace(number_key, '[^0-9]', '', 'g'), 18) as bigint) as number_value,
        count(*) over (partition by creditor, sign, total) as of_that_amount
    from pcc_documents
    anti join settled on settled.pcc_row = pcc_documents.row_id
    where creditor_known and not rejected
),

-- Only creditors open on both sides can have a pair.
both_sides as (
    select row_id, creditor, sign, total, issue_date, number_value, false as of_pcc
    from open_erp semi join open_pcc using (creditor, sign)
    union all
    select row_id, creditor, sign, total, issue_date, number_value, true
    from open_pcc semi join open_erp using (creditor, sign)
),

-- Where each document stands among PCC's, in each order.
placed as materialized (
    select row_id, of_pcc, creditor, sign, 1 as ordering,
        count(*) filter (of_pcc) over (partition by creditor, sign order by total, issue_date, of_pcc, row_id rows unbounded preceding) as place
    from both_sides
    union all
    select row_id, of_pcc, creditor, sign, 2,
        count(*) filter (of_pcc) over (partition by creditor, sign order by total, number_value, of_pcc, row_id rows unbounded preceding)
    from both_sides
    union all
    select row_id, of_pcc, creditor, sign, 3,
        count(*) filter (of_pcc) over (partition by creditor, sign order by number_value, total, of_pcc, row_id rows unbounded preceding)
    from both_sides
),

neighbours as (
    select distinct erp.row_id as erp_row, pcc.row_id as pcc_row
    from (
        select row_id, creditor, sign, ordering, unnest(range(place - 7, place + 9)) as place from placed where not of_pcc
    ) as erp
    join (select * from placed where of_pcc) as pcc using (creditor, sign, ordering, place)
),

-- A person already said that they are not the same.
split as (
    select erp.row_id as erp_row, pcc.row_id as pcc_row
    from decided_match_decisions as decisions
    join erp_documents as erp on erp.id_documento = decisions.id_documento
    join pcc_documents as pcc on pcc.progressivo_registrazione = decisions.progressivo_registrazione
    where decisions.verdict = 'split'
),

near_in_amount as (
    select
        erp.row_id as erp_row,
        pcc.row_id as pcc_row,
        erp.number_key as erp_key,
        pcc.number_key as pcc_key,
        erp.core as erp_core,
        pcc.core as pcc_core,
        erp.issue_date as erp_date,
        pcc.issue_date as pcc_date,
        abs(erp.total - pcc.total) as apart,
        erp.total,
        erp.of_that_amount = 1 and pcc.of_that_amount = 1 as only_ones,
        abs(erp.issue_date - pcc.issue_date) as days,
        erp.due_date = pcc.due_date as same_due_date
    from neighbours
    join open_erp as erp on erp.row_id = neighbours.erp_row
    join open_pcc as pcc on pcc.row_id = neighbours.pcc_row
    anti join split on split.erp_row = neighbours.erp_row and split.pcc_row = neighbours.pcc_row
    where abs(erp.total - pcc.total) <= greatest(threshold('proposal_amount'), erp.total * threshold('proposal_percent') / 100)
),

compared as (
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
    from near_in_amount
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
    where number.points + dates.points + amount.points + due.points >= threshold('proposal_score')
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
        due_meaning, ' (', format('{:+d}', due_points), ')'
    ) as explanation
from ranked
join erp_documents as erp on erp.row_id = ranked.erp_row
join pcc_documents as pcc on pcc.row_id = ranked.pcc_row
-- Beyond the third place a proposal helps nobody.
where ranked.rank <= 3
