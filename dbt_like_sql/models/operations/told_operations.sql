-- One row per operation that counts: a person's word on it in place.
-- Key: operation_id. What was refused is not told, nor what needs it; what was changed is told as changed.
with refused as (
    select
        lines.id_documento,
        lines.progressivo_registrazione,
        lines.step,
        case lines.model when '002' then lines.model else lines.azione end as needed,
        lines.operation_id
    from operation_lines as lines
    semi join (select operation_id from decided_operation_decisions where state = 'refused') as decided using (operation_id)
),

left_out as (
    select operation_id from refused
    union
    select lines.operation_id
    from operation_lines as lines
    join refused
        on refused.id_documento is not distinct from lines.id_documento
        and refused.progressivo_registrazione is not distinct from lines.progressivo_registrazione
        and refused.step < lines.step
    join rule_step_needs as needs on needs.azione in ('*', lines.azione) and needs.needs = refused.needed
)

select
    ente_code() as ente,
    lines.operation_id,
    lines.id_documento,
    lines.progressivo_registrazione,
    lines.step,
    lines.azione,
    coalesce(decided.changed_importo, lines.importo) as importo,
    lines.stato_debito,
    if(decided.changed_causale is null, lines.causale, nullif(decided.changed_causale, '')) as causale,
    coalesce(decided.changed_data_scadenza, lines.data_scadenza) as data_scadenza,
    coalesce(decided.changed_data_mandato, lines.data_mandato) as data_mandato,
    lines.non_commercial,
    lines.importo_non_commerciale,
    lines.importo_sospeso_contenzioso,
    lines.importo_sospeso_contestazione,
    lines.importo_sospeso_verifica,
    lines.importo_non_liquidabile
from operation_lines as lines
anti join left_out using (operation_id)
left join decided_operation_decisions as decided using (operation_id)
