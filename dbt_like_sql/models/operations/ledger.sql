-- materialized: view
-- One row per operation: PCC's accounts of the document once it is accepted, by movements (ledger_movements) or by amounts
-- set (ledger_amounts), and what the document then adds to the stock. Key: operation_id.
with accounts as (
    select * from ledger_movements
    union all by name
    select * from ledger_amounts
),

opened as (
    select
        *,
        if(
            rejected or left_out or issue_date > reference_date(),
            0, sign * (commercial_amount - outside - paid_at_reference - not_payable - excluded)
        ) as open_amount,
        if(due_date <= reference_date(), open_amount, 0) as stock
    from accounts
)

select
    * exclude (left_out),
    coalesce(lag(stock) over (partition by id_documento, progressivo_registrazione order by step), pcc_stock) - stock as stock_effect
from opened
