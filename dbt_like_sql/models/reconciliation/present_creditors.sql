-- One row per document whose creditor a special case changes, and day (issue, D, O): who was creditor then.
-- Key: erp_row, pcc_row, on_day (docs/rules.md#rule-5). Payments are judged by their own days: wrong_beneficiaries.
{% from "creditor_walk.jinja" import creditor_walk %}
with recursive documents_named as (
    select row_id as erp_row, cast(null as bigint) as pcc_row, creditor, number_key, issue_date from erp_identities
    union all
    select null, row_id, creditor, number_key, issue_date from pcc_documents
),

held as (
    select struct_pack(erp_row := erp_row, pcc_row := pcc_row) as document, case_row
    from case_documents
    where effect = 'NEW_CREDITOR' and not doubtful
),

asked as (
    select document, creditor, number_key, issue_date, unnest(list_distinct([issue_date, reference_date(), observed_at()])) as on_day
    from (select struct_pack(erp_row := erp_row, pcc_row := pcc_row) as document, * from documents_named)
    where document in (select document from held)
),

{{ creditor_walk() }}

select
    ente_code() as ente,
    document.erp_row as erp_row,
    document.pcc_row as pcc_row,
    on_day,
    creditor,
    creditor_name,
    since,
    loop
from walked
