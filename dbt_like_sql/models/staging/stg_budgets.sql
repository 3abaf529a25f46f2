-- materialized: view
-- One row per year: the budget that the ente stated last.
-- Key: anno.
select * exclude (sequence, received_at)
from feed_budgets
qualify row_number() over (partition by anno order by row_id desc) = 1
