-- materialized: view
-- One row per payment of the accounting system that stands: not corrected by a later delivery (corrected_rows), nor gone (gone_rows).
-- Key: row_id.
select arrivals.* exclude (sequence, received_at)
from feed_erp_payments as arrivals
anti join (select row_id from corrected_rows where kind = 'erp_payments') as corrected using (row_id)
anti join (select row_id from gone_rows where kind = 'erp_payments' and state = 'GONE') as gone using (row_id)
