-- One row per document of the accounting system: who it is from and what it is, before anything is known of its payments.
-- Key: id_documento; row_id is its number in the joins that follow.
select
    invoices.ente,
    invoices.row_id,
    invoices.id_documento,
    coalesce(subjects.creditor, 'NON_INDICATO') as creditor,
    coalesce(subjects.trusted, false) as creditor_known,
    subjects.vat,
    subjects.code,
    normalised_number(invoices.numero, invoices.data_emissione) as number_key,
    document_sign(types.sign, invoices.importo_totale) as sign,
    invoices.tipo_documento,
    invoices.data_emissione as issue_date,
    abs(invoices.importo_totale) as total,
    invoices.lotto_sdi,
    invoices.id_pcc,
    invoices.stato
from stg_erp_invoices as invoices
left join subjects
    on subjects.piva is not distinct from invoices.piva_fornitore
    and subjects.cf is not distinct from invoices.cf_fornitore
join rule_document_types as types on types.code = invoices.tipo_documento
