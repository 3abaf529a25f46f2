-- materialized: view
-- One row per payment of the accounting system: of each mandate on a document, the rows of the latest delivery stand.
-- Key: row_id. A delivery may be an extract of all payments or of the new ones only.
with redelivered as (
    select id_documento, numero_mandato, coalesce(storno, false) as storno, max(sequence) as standing
    from feed_erp_payments
    where (select count(*) from deliveries where kind = 'erp_payments') > 1
    group by all
    having min(sequence) < max(sequence)
)

select arrivals.* exclude (sequence, received_at)
from feed_erp_payments as arrivals
left join redelivered
    on redelivered.id_documento = arrivals.id_documento
    and redelivered.numero_mandato = arrivals.numero_mandato
    and redelivered.storno = coalesce(arrivals.storno, false)
where redelivered.standing is null or redelivered.standing = arrivals.sequence
