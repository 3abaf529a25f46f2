-- One row per document of the accounting system that an SDI invoice tells more about.
-- Key: id_documento. Joined as in the tier exact: creditor, normalised number, issue date and sign, unique there.
with sdi as (
    select
        coalesce(subjects.creditor, 'NON_INDICATO') as creditor,
        normalised_number(invoices.numero, invoices.data_emissione) as number_key,
        invoices.data_emissione as issue_date,
        types.sign,
        invoices.file,
        invoices.line,
        invoices.split_payment,
        invoices.reverse_charge,
        invoices.importo_totale as total,
        invoices.data_scadenza as due_date
    from stg_sdi_invoices as invoices
    left join subjects
        on subjects.piva is not distinct from invoices.id_fiscale_iva
        and subjects.cf is not distinct from invoices.cf_fornitore
    join rule_document_types as types on types.code = invoices.tipo_documento
    -- The same invoice may arrive signed and plain: the latest stands.
    qualify row_number() over (partition by 1, creditor, number_key, invoices.data_emissione, types.sign order by invoices.row_id desc) = 1
),

found as (
    select
        erp_documents.id_documento,
        sdi.*,
        count(*) over (partition by sdi.file, sdi.line) as claimants
    from sdi
    join erp_documents using (creditor, number_key, issue_date, sign)
    where sdi.creditor <> 'NON_INDICATO'
)

select
    ente_code() as ente,
    id_documento,
    file,
    line,
    split_payment,
    reverse_charge,
    total,
    due_date
from found
where claimants = 1
