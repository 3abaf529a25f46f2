-- One row per document of the accounting system that an SDI invoice tells more about.
-- Key: id_documento. Joined by lot (as SDI's messages tell it) and number, else as in the tier exact: creditor,
-- normalised number, issue date and sign, unique there.
with dated as (
    select *, (data_emissione + to_years(threshold('possible_years')::integer))::date as last_due
    from stg_sdi_invoices
),

sdi as (
    select
        states.creditor,
        states.number_key,
        states.issue_date,
        states.sign,
        states.sdi_id,
        states.row_id,
        invoices.file,
        invoices.line,
        invoices.split_payment,
        invoices.reverse_charge,
        abs(invoices.importo_totale) as total,
        unsigned(invoices.imposta, invoices.importo_totale) as vat,
        list_sum(list_transform(invoices.ritenute, lambda kept: kept.importo)) as withholding,
        list_sort(list_distinct(list_filter(
            if(len(invoices.pagamenti) > 0, list_transform(invoices.pagamenti, lambda due: due.data_scadenza), [invoices.data_scadenza]),
            lambda due: due between invoices.data_emissione and invoices.last_due
        ))) as due_dates,
        list_max(list_filter(
            list_transform(invoices.pagamenti, lambda due: due.data_riferimento_termini + due.giorni_termini::integer),
            lambda due: due between invoices.data_emissione and invoices.last_due
        )) as due_by_terms
    from dated as invoices
    join sdi_invoice_states as states using (file, line)
    -- The same invoice may arrive signed and plain: the latest stands.
    qualify row_number() over (
        partition by states.creditor, states.number_key, states.issue_date, states.sign
        order by states.row_id desc
    ) = 1
),

by_lot as (
    select erp_documents.id_documento, sdi.*
    from sdi
    join erp_documents on erp_documents.lotto_sdi = sdi.sdi_id and erp_documents.number_key = sdi.number_key
    where sdi.sdi_id is not null
    qualify count(*) over (partition by sdi.file, sdi.line) = 1
        and count(*) over (partition by erp_documents.id_documento) = 1
),

by_identity as (
    select erp_documents.id_documento, sdi.*
    from sdi
    join erp_documents using (creditor, number_key, issue_date, sign)
    anti join by_lot as taken on taken.file = sdi.file and taken.line = sdi.line
    where erp_documents.creditor_known
    qualify count(*) over (partition by sdi.file, sdi.line) = 1
),

found as (
    select * from by_lot
    union all by name
    select * from by_identity anti join (select id_documento from by_lot) as told using (id_documento)
)

select
    ente_code() as ente,
    id_documento,
    file,
    line,
    split_payment,
    reverse_charge,
    total,
    vat,
    withholding,
    coalesce(due_dates[-1], due_by_terms) as due_date,
    if(len(due_dates) > 1, due_dates, null) as instalments
from found
