-- materialized: view
-- One row per movement of PCC: of each document, day, action and payment order, the rows of the latest delivery that has them stand.
-- Key: row_id.
with redelivered as (
    select
        progressivo_registrazione,
        data_operazione,
        azione,
        coalesce(numero_mandato, '') as mandato,
        max(sequence) as standing
    from feed_pcc_operations
    where (select count(*) from deliveries where kind = 'pcc_operations') > 1
    group by all
    having min(sequence) < max(sequence)
)

select arrivals.* exclude (sequence, received_at)
from feed_pcc_operations as arrivals
left join redelivered
    on redelivered.progressivo_registrazione = arrivals.progressivo_registrazione
    and redelivered.data_operazione = arrivals.data_operazione
    and redelivered.azione = arrivals.azione
    and redelivered.mandato = coalesce(arrivals.numero_mandato, '')
where redelivered.standing is null or redelivered.standing = arrivals.sequence
