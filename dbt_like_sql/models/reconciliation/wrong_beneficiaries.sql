-- One row per document with payments to someone who was not its creditor that day.
-- Key: id_documento. Who a beneficiary is, its tax id tells (identifiers); how it is written may differ.
with suspected as (
    select id_documento, creditor, original_creditor, new_creditor_from, other_beneficiaries
    from documents
    where other_beneficiary and not erp_rejected
),

-- Named first, so that only these few payments are read by tax_id.
paid as materialized (
    select
        suspected.id_documento,
        suspected.creditor,
        suspected.original_creditor,
        suspected.new_creditor_from,
        suspected.other_beneficiaries,
        payments.numero_mandato,
        payments.cf_beneficiario,
        payments.data_pagamento
    from suspected
    join payments on payments.id_documento = suspected.id_documento
    where payments.data_pagamento <= observed_at()
      and not coalesce(payments.storno, false)
),

paid_to as (
    select
        paid.id_documento,
        paid.creditor,
        paid.original_creditor,
        paid.new_creditor_from,
        paid.other_beneficiaries,
        paid.numero_mandato || ': ' || paid.cf_beneficiario as payment,
        paid.data_pagamento,
        identifiers.creditor as known_beneficiary,
        coalesce(identifiers.creditor, tax_id(paid.cf_beneficiario)) as beneficiary
    from paid
    left join identifiers on identifiers.identifier = tax_id(paid.cf_beneficiario)
)

select
    ente_code() as ente,
    id_documento,
    string_agg(distinct payment, ', ' order by payment) as beneficiaries
from paid_to
where beneficiary <> creditor
  and not coalesce(list_contains(other_beneficiaries, known_beneficiary), false)
  -- Before the case held, the supplier was the creditor.
  and not (beneficiary = original_creditor and coalesce(data_pagamento < new_creditor_from, true))
group by id_documento
