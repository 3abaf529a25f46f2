-- materialized: view
-- One row per document of the latest open list: a later list replaces the earlier one as a whole.
-- Key: row_id. Files delivered together (same received_at) are one list.
with latest as (
    select max(received_at) as received_at
    from deliveries
    where kind = 'open_list'
)

select arrivals.* exclude (sequence, received_at)
from feed_open_list as arrivals
semi join latest using (received_at)
