-- materialized: view
-- One row per payment that counts for its document.
-- Key: row_id. What does not count, and why: set_aside_payments.
select delivered_payments.*
from delivered_payments
anti join set_aside_payments on set_aside_payments.row_id = delivered_payments.row_id
