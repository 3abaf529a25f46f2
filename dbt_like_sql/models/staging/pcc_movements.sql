-- materialized: view
-- One row per movement of PCC as delivered: those of its own feed, and those that its answers in XML carry with a document.
-- Key: row_id. Which of them stand: stg_pcc_operations.
with answers as (
    select
        feed_pcc_invoices.* exclude (movimenti),
        unnest(feed_pcc_invoices.movimenti) as movement,
        generate_subscripts(feed_pcc_invoices.movimenti, 1) as place
    from feed_pcc_invoices
    where feed_pcc_invoices.movimenti is not null
)

select
    ente, delivery, line, progressivo_registrazione, data_operazione, azione, importo, stato_debito, causale, data_scadenza,
    numero_mandato, data_pagamento, id_fiscale_iva_beneficiario, row_id, sequence
from feed_pcc_operations
union all
select
    ente, delivery, line, progressivo_registrazione, movement.data_operazione, movement.azione, movement.importo,
    movement.stato_debito, movement.causale, null, null, null, null,
    -- Of a delivery of documents: 511 movements a document keep their own places.
    sequence * 4294967296 + line * 512 + least(place, 511), sequence
from answers
-- A payment told by the movements themselves has its order and day: the answer's own is the same one.
left join (
    select distinct progressivo_registrazione as paid
    from feed_pcc_operations
    where azione = 'CP' and progressivo_registrazione in (select progressivo_registrazione from answers)
) as told
    on told.paid = answers.progressivo_registrazione and answers.movement.azione = 'CP'
where told.paid is null
