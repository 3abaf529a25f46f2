-- materialized: view
-- One row per line to send to PCC (Modello 003, 002), with what it takes from PCC's stock (nothing once it is refused).
-- Key: operation_id.
select
    lines.*,
    coalesce(ledger.stock_effect, 0) as stock_effect,
    reference_date() as reference_date,
    observed_at() as observed_at
from operation_lines as lines
left join ledger using (operation_id)
