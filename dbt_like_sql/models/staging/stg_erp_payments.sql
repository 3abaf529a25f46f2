-- One row per payment: of each mandate on a document, the rows of the latest delivery that names it stand.
-- Key: row_id. A delivery may be an extract of all payments or of the new ones only.
with arrivals as (
    select
        feed_erp_payments.*,
        deliveries.sequence,
        deliveries.sequence * 4294967296 + feed_erp_payments.line as row_id
    from feed_erp_payments
    join deliveries using (delivery)
),

redelivered as (
    select id_documento, numero_mandato, coalesce(storno, false) as storno, max(sequence) as standing
    from arrivals
    where (select count(*) from deliveries where kind = 'erp_payments') > 1
    group by all
    having min(sequence) < max(sequence)
)

select arrivals.* exclude (sequence)
from arrivals
left join redelivered
    on redelivered.id_documento = arrivals.id_documento
    and redelivered.numero_mandato = arrivals.numero_mandato
    and redelivered.storno = coalesce(arrivals.storno, false)
where redelivered.standing is null or redelivered.standing = arrivals.sequence
