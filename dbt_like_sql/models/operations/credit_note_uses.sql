-- One row per credit note, used in the accounting system and still open on PCC, and invoice that it closes in part.
-- Key: note, invoice. Which invoices are a note's: credit_note_links.
with notes as materialized (
    select
        documents.id_documento as note,
        documents.erp_paid_at_observation - documents.pcc_paid_at_observation as used
    from documents
    semi join (select id_documento from anomalies where code = 'CREDIT_NOTE_OPEN') as open_notes
        on open_notes.id_documento = documents.id_documento
),

-- What PCC lacks of the invoice's closing by D: later payments keep it in the stock at D, so a CP tells them.
lacking as (
    select
        links.note,
        links.invoice,
        links.found_by,
        notes.used,
        greatest(least(
            documents.erp_paid_at_observation - documents.pcc_paid_at_observation,
            documents.erp_paid_at_reference - documents.pcc_paid_at_reference
        ), 0) as lacking
    from credit_note_links as links
    join notes on notes.note = links.note
    join documents on documents.id_documento = links.invoice and documents.standing = 'MATCHED'
),

shared as (
    select *, coalesce(sum(lacking) over (partition by note order by invoice rows between unbounded preceding and 1 preceding), 0) as before
    from lacking
)

select ente_code() as ente, note, invoice, found_by, greatest(least(lacking, used - before), 0) as amount
from shared
