-- materialized: view
-- One row per line to send to PCC (Modello 003, 002), with what it takes from PCC's stock (nothing once it is refused).
-- Key: operation_id. A document with operations sent and neither refused nor seen done gets none anew; a line that PCC
-- refused before comes with its reason.
with in_flight as (
    select id_documento, progressivo_registrazione from sent_states where in_flight
),

refused_before as (
    select
        operation_id,
        max_by(concat_ws(': ', answer_code, reason), attempt) as refused_reason
    from sent_states
    where state = 'refused'
    group by operation_id
)

select
    lines.*,
    refused_before.refused_reason,
    coalesce(ledger.stock_effect, 0) as stock_effect,
    reference_date() as reference_date,
    observed_at() as observed_at
from operation_lines as lines
left join ledger using (operation_id)
left join refused_before using (operation_id)
anti join in_flight as on_pcc on on_pcc.progressivo_registrazione = lines.progressivo_registrazione
anti join in_flight as in_erp on in_erp.id_documento = lines.id_documento
