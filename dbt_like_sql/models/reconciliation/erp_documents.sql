-- One row per document of the accounting system, ready to compare, with what was paid of it.
-- Key: id_documento; row_id is its number in the joins that follow.
with paid as (
    select
        id_documento,
        sum(case when storno then -importo else importo end) filter (data_pagamento <= reference_date()) as paid_at_reference,
        sum(case when storno then -importo else importo end) as paid_at_observation,
        min(cf_beneficiario) as least_beneficiary,
        max(cf_beneficiario) as greatest_beneficiary,
        sum(case when storno then -importo_ritenute else importo_ritenute end) as withheld
    from payments
    where data_pagamento <= observed_at()
    group by id_documento
)

select
    invoices.ente,
    invoices.row_id,
    invoices.id_documento,
    identities.creditor,
    identities.creditor_known,
    identities.number_key,
    invoices.numero,
    invoices.tipo_documento,
    identities.sign,
    identities.issue_date,
    possible_day(invoices.data_ricezione) as reception_date,
    possible_due(invoices.data_scadenza, invoices.data_emissione) as due_date,
    abs(invoices.importo_totale) as total,
    invoices.split_payment,
    unsigned(coalesce(invoices.iva, invoices.importo_totale - invoices.imponibile), invoices.importo_totale) as vat,
    invoices.codice_ufficio,
    invoices.lotto_sdi,
    invoices.denominazione_fornitore as supplier_name,
    invoices.stato,
    invoices.causale,
    invoices.importo_non_liquidabile as not_payable,
    possible_day(invoices.data_sospensione) as suspended_from,
    invoices.importo_sospeso as suspended,
    coalesce(invoices.commerciale, true) as commercial,
    coalesce(nullif(invoices.importo_ritenuta, 0), nullif(paid.withheld, 0)) as withholding,
    coalesce(paid.paid_at_reference, 0) as paid_at_reference,
    coalesce(paid.paid_at_observation, 0) as paid_at_observation,
    coalesce(paid.least_beneficiary <> identities.creditor or paid.greatest_beneficiary <> identities.creditor, false)
        as other_beneficiary,
    document_origin(
        invoices.lotto_sdi, identities.vat, identities.code, nullif(identities.creditor, 'NON_INDICATO'), type_origins.origin,
        invoices.data_emissione
    ) as origin,
    copies.original as copy_of
from stg_erp_invoices as invoices
join erp_identities as identities on identities.row_id = invoices.row_id
left join erp_copies as copies on copies.id_documento = invoices.id_documento
left join paid on paid.id_documento = invoices.id_documento
left join rule_document_type_origins as type_origins on type_origins.tipo_documento = invoices.tipo_documento
