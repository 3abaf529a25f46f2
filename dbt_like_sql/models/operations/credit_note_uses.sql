-- One row per credit note, used in the accounting system and still open on PCC, and invoice that it closes in part.
-- Key: note, invoice. The two are linked by a payment order that bears both, else by the note's own reference (SDI).
with notes as materialized (
    select
        documents.id_documento as note,
        documents.original_creditor,
        documents.erp_paid_at_observation - documents.pcc_paid_at_observation as used
    from documents
    semi join (select id_documento from anomalies where code = 'CREDIT_NOTE_OPEN') as open_notes
        on open_notes.id_documento = documents.id_documento
),

note_orders as (
    select distinct notes.note, payments.numero_mandato
    from notes
    join stg_erp_payments as payments on payments.id_documento = notes.note
),

by_order as (
    select note_orders.note, payments.id_documento as invoice
    from note_orders
    join stg_erp_payments as payments using (numero_mandato)
    where payments.id_documento <> note_orders.note
),

note_files as (
    select notes.note, notes.original_creditor, sdi_documents.file, sdi_documents.line
    from notes
    join sdi_documents on sdi_documents.id_documento = notes.note
),

referred as (
    select note_files.note, note_files.original_creditor, unnest(sdi.riferimenti) as reference
    from note_files
    join stg_sdi_invoices as sdi on sdi.file = note_files.file and sdi.line = note_files.line
),

by_reference as (
    select referred.note, erp_documents.id_documento as invoice
    from referred
    join erp_documents
        on erp_documents.creditor = referred.original_creditor
        and erp_documents.number_key = normalised_number(referred.reference.documento, coalesce(referred.reference.data, erp_documents.issue_date))
        and coalesce(referred.reference.data, erp_documents.issue_date) = erp_documents.issue_date
    where referred.reference.tipo = 'fatture_collegate'
),

linked as (
    select note, invoice, min(found_by) as found_by
    from (
        select note, invoice, 'MANDATO' as found_by from by_order
        union all
        select note, invoice, 'SDI' from by_reference
    )
    group by note, invoice
),

-- What PCC lacks of the invoice's closing by D: later payments keep it in the stock at D, so a CP tells them.
lacking as (
    select
        linked.note,
        linked.invoice,
        linked.found_by,
        notes.used,
        greatest(least(
            documents.erp_paid_at_observation - documents.pcc_paid_at_observation,
            documents.erp_paid_at_reference - documents.pcc_paid_at_reference
        ), 0) as lacking
    from linked
    join notes on notes.note = linked.note
    join documents
        on documents.id_documento = linked.invoice
        and documents.original_creditor = notes.original_creditor
        and documents.erp_sign = 1
        and documents.standing = 'MATCHED'
),

shared as (
    select *, coalesce(sum(lacking) over (partition by note order by invoice rows between unbounded preceding and 1 preceding), 0) as before
    from lacking
)

select ente_code() as ente, note, invoice, found_by, greatest(least(lacking, used - before), 0) as amount
from shared
