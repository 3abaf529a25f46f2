-- One row per document that a special case or the open list names: the ente's own word on it at D.
-- Key: erp_row, pcc_row (one of the two). Which case fits which document: case_documents.
with documents_named as (
    select row_id as erp_row, cast(null as bigint) as pcc_row, creditor, number_key, issue_date from erp_identities
    union all
    select null, row_id, creditor, number_key, issue_date from pcc_documents
),

years as (
    select distinct date_trunc('year', issue_date)::date as year_start from documents_named
),

list_words as (
    select subjects.creditor, listed.numero, listed.data_emissione as issue_date
    from stg_open_list as listed
    left join subjects
        on subjects.piva is not distinct from listed.piva_fornitore
        and subjects.cf is not distinct from listed.cf_fornitore
    where subjects.creditor is not null or listed.data_emissione is not null
),

-- Without its own date a number is normalised for each year of issue in use.
numbered as (
    select list_words.*, years.year_start, normalised_number(list_words.numero, years.year_start) as number_key
    from list_words
    join years on list_words.issue_date is null or date_trunc('year', list_words.issue_date)::date = years.year_start
    where list_words.numero is not null
),

listed as (
    select named.erp_row, named.pcc_row
    from documents_named as named
    join numbered
        on numbered.number_key = named.number_key
        and numbered.year_start = date_trunc('year', named.issue_date)::date
        and coalesce(numbered.creditor, named.creditor) = named.creditor
        and coalesce(numbered.issue_date, named.issue_date) = named.issue_date
    union
    select named.erp_row, named.pcc_row
    from documents_named as named
    join list_words on list_words.creditor = named.creditor
    where list_words.numero is null
),

said as (
    select erp_row, pcc_row, effect, in_force_from, doubtful
    from case_documents
    where in_force_from <= reference_date()
    union all
    select erp_row, pcc_row, 'LISTED', null, false
    from listed
),

summed as (
    select
        erp_row,
        pcc_row,
        bool_or(effect = 'EXCLUDED' and not doubtful) as dispute,
        min(in_force_from) filter (effect = 'EXCLUDED' and not doubtful) as dispute_from,
        bool_or(effect = 'NON_COMMERCIAL' and not doubtful) as non_commercial,
        bool_or(effect = 'LISTED') as listed,
        bool_or(doubtful and effect <> 'NONE') as ambiguous_case
    from said
    group by erp_row, pcc_row
)

select
    ente_code() as ente,
    summed.erp_row,
    summed.pcc_row,
    present.creditor as new_creditor,
    present.creditor_name as new_creditor_name,
    summed.dispute,
    summed.dispute_from,
    summed.non_commercial,
    summed.listed,
    summed.ambiguous_case,
    coalesce(present.loop, false) as creditor_loop
from summed
left join present_creditors as present
    on present.erp_row is not distinct from summed.erp_row
    and present.pcc_row is not distinct from summed.pcc_row
    and present.on_day = reference_date()
