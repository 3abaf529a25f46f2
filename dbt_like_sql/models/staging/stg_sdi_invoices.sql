-- One row per body of a FatturaPA file: of each file name, the bodies of the latest delivery stand.
-- Key: file, line.
with arrivals as (
    select
        feed_sdi_invoices.*,
        deliveries.sequence,
        deliveries.sequence * 4294967296 + feed_sdi_invoices.line as row_id
    from feed_sdi_invoices
    join deliveries using (delivery)
),

redelivered as (
    select file, max(sequence) as standing
    from arrivals
    group by file
    having min(sequence) < max(sequence)
)

select arrivals.* exclude (sequence)
from arrivals
left join redelivered using (file)
where redelivered.standing is null or redelivered.standing = arrivals.sequence
