-- One row per credit note of the accounting system and invoice of the same supplier that it belongs to.
-- Key: note, invoice. The note's own reference (SDI) tells; a note whose reference finds no invoice belongs to those that
-- its payment order bears. Orders are numbered anew each year (docs/rules.md#rule-12).
with notes as materialized (
    select id_documento as note, creditor
    from erp_documents
    where sign = -1
),

note_orders as (
    select distinct
        notes.note,
        notes.creditor,
        payments.numero_mandato,
        year(coalesce(payments.data_mandato, payments.data_pagamento)) as order_year
    from notes
    join payments on payments.id_documento = notes.note
),

by_order as (
    select note_orders.note, invoices.id_documento as invoice
    from note_orders
    join payments
        on payments.numero_mandato = note_orders.numero_mandato
        and year(coalesce(payments.data_mandato, payments.data_pagamento)) = note_orders.order_year
    join erp_documents as invoices
        on invoices.id_documento = payments.id_documento and invoices.sign = 1 and invoices.creditor = note_orders.creditor
),

referred as (
    select notes.note, notes.creditor, unnest(sdi.riferimenti) as reference
    from notes
    join sdi_documents on sdi_documents.id_documento = notes.note
    join stg_sdi_invoices as sdi on sdi.file = sdi_documents.file and sdi.line = sdi_documents.line
),

by_reference as (
    select referred.note, invoices.id_documento as invoice
    from referred
    join erp_documents as invoices
        on invoices.sign = 1
        and invoices.creditor = referred.creditor
        and invoices.number_key
            = normalised_number(referred.reference.documento, coalesce(referred.reference.data, invoices.issue_date))
        and coalesce(referred.reference.data, invoices.issue_date) = invoices.issue_date
    where referred.reference.tipo = 'fatture_collegate'
),

linked as (
    select distinct note, invoice, 'SDI' as found_by
    from by_reference
    union all
    select distinct note, invoice, 'MANDATO'
    from by_order
    anti join by_reference as told using (note)
)

select ente_code() as ente, note, invoice, found_by
from linked
