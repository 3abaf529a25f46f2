-- materialized: view
-- One row per body of a FatturaPA file: of each file name, the bodies of the latest delivery stand.
-- Key: file, line.
with redelivered as (
    select file, max(sequence) as standing
    from feed_sdi_invoices
    group by file
    having min(sequence) < max(sequence)
)

select arrivals.* exclude (sequence, received_at)
from feed_sdi_invoices as arrivals
left join redelivered using (file)
where redelivered.standing is null or redelivered.standing = arrivals.sequence
