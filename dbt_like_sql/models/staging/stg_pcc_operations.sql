-- One row per movement of PCC: of each document, day and action, the rows of the latest delivery that has them stand.
-- Key: row_id.
with arrivals as (
    select
        feed_pcc_operations.*,
        deliveries.sequence,
        deliveries.sequence * 4294967296 + feed_pcc_operations.line as row_id
    from feed_pcc_operations
    join deliveries using (delivery)
),

redelivered as (
    select progressivo_registrazione, data_operazione, azione, max(sequence) as standing
    from arrivals
    where (select count(*) from deliveries where kind = 'pcc_operations') > 1
    group by all
    having min(sequence) < max(sequence)
)

select arrivals.* exclude (sequence)
from arrivals
left join redelivered using (progressivo_registrazione, data_operazione, azione)
where redelivered.standing is null or redelivered.standing = arrivals.sequence
