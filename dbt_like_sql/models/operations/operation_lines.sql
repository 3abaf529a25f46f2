-- materialized: view
-- One row per line to send to PCC, in whatever language: movements of Modello 003 and documents of 002 (movement_lines),
-- amounts of today's models (amount_lines). Key: operation_id.
select * from movement_lines
union all by name
select * from amount_lines
