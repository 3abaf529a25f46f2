-- One row per pair of open documents whose amounts are near, of one creditor or probable: those that proposals compare.
-- Key: erp_row, pcc_row. Never quadratic: within creditor and sign both sides lie in one order, and a document of the
-- accounting system is compared with the eight before and after it in each of three orders (amount and date, amount and
-- number, number).
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
    semi join (select row_id from document_keys where not of_pcc and not dead) as alive on alive.row_id = erp_documents.row_id
    where creditor_known or row_id in (select erp_row from probable_pairs where probable)
),

open_pcc as materialized (
    select
        row_id, creditor, sign, total, issue_date, due_date, number_key,
        array_to_string(list_filter(string_split(number_key, '-'), lambda run: regexp_matches(run, '[0-9]')), '-') as core,
        try_cast(right(regexp_replace(number_key, '[^0-9]', '', 'g'), 18) as bigint) as number_value,
        count(*) over (partition by creditor, sign, total) as of_that_amount
    from pcc_documents
    anti join settled on settled.pcc_row = pcc_documents.row_id
    semi join (select row_id from document_keys where of_pcc and not dead) as alive on alive.row_id = pcc_documents.row_id
    where creditor_known or row_id in (select pcc_row from probable_pairs where probable)
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
    select row_id, of_pcc, creditor, sign, total, 1 as ordering,
        count(*) filter (of_pcc) over (partition by creditor, sign order by total, issue_date, of_pcc, row_id rows unbounded preceding) as place
    from both_sides
    union all
    select row_id, of_pcc, creditor, sign, total, 2,
        count(*) filter (of_pcc) over (partition by creditor, sign order by total, number_value, of_pcc, row_id rows unbounded preceding)
    from both_sides
    union all
    select row_id, of_pcc, creditor, sign, total, 3,
        count(*) filter (of_pcc) over (partition by creditor, sign order by number_value, total, of_pcc, row_id rows unbounded preceding)
    from both_sides
),

neighbours as (
    select distinct erp.row_id as erp_row, pcc.row_id as pcc_row
    from (
        select row_id, creditor, sign, total, ordering, unnest(range(place - 7, place + 9)) as place from placed where not of_pcc
    ) as erp
    join (select row_id, creditor, sign, total, ordering, place from placed where of_pcc) as pcc using (creditor, sign, ordering, place)
    where abs(erp.total - pcc.total) <= greatest(threshold('proposal_amount'), erp.total * threshold('proposal_percent') / 100)
    union
    select erp_row, pcc_row from probable_pairs where probable
),

-- A person already said that they are not the same.
split as (
    select erp.row_id as erp_row, pcc.row_id as pcc_row
    from decided_match_decisions as decisions
    join erp_documents as erp on erp.id_documento = decisions.id_documento
    join pcc_documents as pcc on pcc.progressivo_registrazione = decisions.progressivo_registrazione
    where decisions.verdict = 'split'
)

select
    ente_code() as ente,
    erp.row_id as erp_row,
    pcc.row_id as pcc_row,
    erp.number_key as erp_key,
    pcc.number_key as pcc_key,
    erp.core as erp_core,
    pcc.core as pcc_core,
    erp.issue_date as erp_date,
    pcc.issue_date as pcc_date,
    abs(erp.total - pcc.total) as apart,
    erp.of_that_amount = 1 and pcc.of_that_amount = 1 as only_ones,
    abs(erp.issue_date - pcc.issue_date) as days,
    erp.due_date = pcc.due_date as same_due_date,
    erp.creditor = pcc.creditor as same_creditor,
    coalesce(probable.probable, false) as probable
from neighbours
left join probable_pairs as probable on probable.erp_row = neighbours.erp_row and probable.pcc_row = neighbours.pcc_row
join open_erp as erp on erp.row_id = neighbours.erp_row
join open_pcc as pcc on pcc.row_id = neighbours.pcc_row
anti join split on split.erp_row = neighbours.erp_row and split.pcc_row = neighbours.pcc_row
where abs(erp.total - pcc.total) <= greatest(threshold('proposal_amount'), erp.total * threshold('proposal_percent') / 100)
