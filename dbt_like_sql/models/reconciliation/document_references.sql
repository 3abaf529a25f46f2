-- One row per self-invoice (TD17 and its like, TD20) of either side and document that its e-invoice names: whose document
-- it stands for (docs/rules.md#rule-6). Key: erp_row, pcc_row, creditor, number_key, issue_date.
with told as (
    select
        states.sdi_id,
        states.creditor,
        states.number_key,
        states.issue_date,
        states.sign,
        types.debt,
        unnest(invoices.riferimenti) as reference
    from stg_sdi_invoices as invoices
    join sdi_invoice_states as states using (file, line)
    join rule_document_types as types on types.code = invoices.tipo_documento
    where types.debt in ('taxable', 'substitute')
),

dated as (
    select
        sdi_id, creditor, number_key, issue_date, sign, debt,
        normalised_number(reference.documento, reference.data) as reference_key,
        reference.data as reference_date
    from told
    where reference.tipo = 'fatture_collegate' and reference.documento is not null and reference.data is not null
),

sides as (
    select row_id as erp_row, cast(null as bigint) as pcc_row, lotto_sdi, creditor, creditor_known, number_key, issue_date, sign
    from erp_identities
    union all
    select null, row_id, lotto_sdi, creditor, creditor_known, number_key, issue_date, sign
    from pcc_documents
)

select distinct
    ente_code() as ente,
    sides.erp_row,
    sides.pcc_row,
    dated.debt,
    dated.creditor,
    dated.reference_key as number_key,
    dated.reference_date as issue_date,
    sides.sign
from sides
join dated
    on dated.number_key = sides.number_key
    and (
        dated.sdi_id = sides.lotto_sdi
        or dated.creditor = sides.creditor and dated.issue_date = sides.issue_date and dated.sign = sides.sign
            and coalesce(dated.sdi_id = sides.lotto_sdi, true)
    )
where dated.reference_key <> ''
