-- materialized: view
-- One row per movement of PCC that stands: not corrected by a later delivery (corrected_rows), nor gone (gone_rows).
-- Key: row_id. Two orders 15 of two years are two payments: the day tells them apart.
select arrivals.* exclude (sequence)
from pcc_movements as arrivals
anti join (select row_id from corrected_rows where kind = 'pcc_operations') as corrected using (row_id)
anti join (select row_id from gone_rows where kind = 'pcc_operations' and state = 'GONE') as gone using (row_id)
