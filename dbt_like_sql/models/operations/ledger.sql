-- materialized: view
-- One row per operation: PCC's accounts of the document once it is accepted, by movements (ledger_movements) or by amounts
-- set (ledger_amounts). Key: operation_id.
select * from ledger_movements
union all by name
select * from ledger_amounts
