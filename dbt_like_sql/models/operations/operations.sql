-- materialized: view
-- One row per line to send to PCC (today's models, Modello 003 and 002), with what it takes from PCC's stock (nothing once it is refused).
-- Key: operation_id. A document with operations sent and neither refused nor seen done gets none anew; a line that PCC
-- refused before comes with its reason.
with in_flight as (
    select operation_id, id_documento, progressivo_registrazione, azione = 'MI' and state = 'accepted' as lets_others_go
    from sent_states
    where in_flight
),

-- What follows a change of VAT regime waits for PCC's answer alone (docs/rules.md#rule-11-order).
waited_for as (
    select id_documento, progressivo_registrazione from in_flight where not lets_others_go
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
anti join in_flight as itself on itself.operation_id = lines.operation_id
anti join waited_for as on_pcc on on_pcc.progressivo_registrazione = lines.progressivo_registrazione
anti join waited_for as in_erp on in_erp.id_documento = lines.id_documento
