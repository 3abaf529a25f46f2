-- One row per credit note, and invoice on which it was used, of which PCC has a part as non liquidabile that the accounting
-- system has as paid: what the note closed there (NCRED). A note closes itself, whether or not its invoice is known.
-- Key: id_documento. That part is told already: neither a payment that PCC lacks, nor non liquidabile without a reason.
with used as (
    select id_documento, id_documento as note from erp_documents where sign = -1
    union
    select invoice, note from credit_note_links
),

paid as (
    select id_documento, erp_paid_at_observation as amount from documents where erp_sign = -1 and erp_paid_at_observation > 0
),

notes as (
    select used.id_documento, sum(paid.amount) as used_in_erp
    from used
    join paid on paid.id_documento = used.note
    group by used.id_documento
)

select
    ente_code() as ente,
    documents.id_documento,
    least(
        notes.used_in_erp,
        documents.pcc_not_payable - documents.erp_not_payable,
        documents.erp_paid_at_observation - documents.pcc_paid_at_observation
    ) as amount
from documents
join notes on notes.id_documento = documents.id_documento
where documents.standing = 'MATCHED'
  and documents.pcc_not_payable > documents.erp_not_payable
  and documents.erp_paid_at_observation > documents.pcc_paid_at_observation
