-- One row per document that a special case or the open list names: the ente's own word on it.
-- Key: erp_row, pcc_row (one of the two).
with documents_named as (
    select row_id as erp_row, cast(null as bigint) as pcc_row, creditor, number_key, issue_date from erp_documents
    union all
    select null, row_id, creditor, number_key, issue_date from pcc_documents
),

years as (
    select distinct date_trunc('year', issue_date)::date as year_start from documents_named
),

-- Without its own date a number is normalised for each year of issue in use.
words as (
    select
        original_creditor as creditor, numero, issue_date, in_force_from, effect, creditor as new_creditor, creditor_name, loop
    from creditors
    union all
    select
        subjects.creditor, listed.numero, listed.data_emissione, cast(null as date), 'LISTED', null, null, false
    from stg_open_list as listed
    left join subjects
        on subjects.piva is not distinct from listed.piva_fornitore
        and subjects.cf is not distinct from listed.cf_fornitore
    where subjects.creditor is not null or listed.data_emissione is not null
),

numbered as (
    select
        words.*,
        years.year_start,
        normalised_number(words.numero, years.year_start) as number_key
    from words
    join years on words.issue_date is null or date_trunc('year', words.issue_date)::date = years.year_start
    where words.numero is not null
),

said as (
    select named.erp_row, named.pcc_row, numbered.* exclude (creditor, number_key, year_start, numero, issue_date), true as of_document
    from documents_named as named
    join numbered
        on numbered.number_key = named.number_key
        and numbered.year_start = date_trunc('year', named.issue_date)::date
        and coalesce(numbered.creditor, named.creditor) = named.creditor
        and coalesce(numbered.issue_date, named.issue_date) = named.issue_date
    union all
    select named.erp_row, named.pcc_row, words.* exclude (creditor, numero, issue_date), false
    from documents_named as named
    join words on words.creditor = named.creditor
    where words.numero is null
)

select
    ente_code() as ente,
    erp_row,
    pcc_row,
    arg_max(new_creditor, (of_document, in_force_from)) filter (effect = 'NEW_CREDITOR') as new_creditor,
    arg_max(creditor_name, (of_document, in_force_from)) filter (effect = 'NEW_CREDITOR') as new_creditor_name,
    arg_max(in_force_from, (of_document, in_force_from)) filter (effect = 'NEW_CREDITOR') as new_creditor_from,
    list(distinct new_creditor) filter (effect = 'ALSO_BENEFICIARY' and new_creditor is not null) as other_beneficiaries,
    coalesce(bool_or(effect = 'EXCLUDED'), false) as dispute,
    min(in_force_from) filter (effect = 'EXCLUDED') as dispute_from,
    coalesce(bool_or(effect = 'NON_COMMERCIAL'), false) as non_commercial,
    coalesce(bool_or(effect = 'LISTED'), false) as listed,
    coalesce(bool_or(loop) filter (effect = 'NEW_CREDITOR'), false) as creditor_loop
from said
group by erp_row, pcc_row
