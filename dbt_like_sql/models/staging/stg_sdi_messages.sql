-- materialized: view
-- One row per message of SDI: of each file name the latest delivery stands.
-- Key: row_id.
with redelivered as (
    select file, max(row_id) as standing
    from feed_sdi_messages
    group by file
    having count(*) > 1
)

select arrivals.* exclude (sequence, received_at)
from feed_sdi_messages as arrivals
left join redelivered using (file)
where redelivered.standing is null or redelivered.standing = arrivals.row_id
