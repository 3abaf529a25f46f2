-- One row per operation under today's models: PCC's accounts of the document once it is accepted (docs/rules.md#rule-11-state).
-- Key: operation_id. What a SID sets (RS and RT: nothing), an MI takes out, a CH closes and an IP pays; what nothing takes is payable, and stands
-- as liquidato as far as it was, else as ricevuto.
with told as (
    select
        lines.operation_id,
        lines.id_documento,
        lines.progressivo_registrazione,
        lines.step,
        lines.azione,
        lines.data_scadenza,
        if(lines.azione = 'IP', lines.importo, 0) as pays,
        lines.azione = 'IP' and lines.data_mandato <= reference_date() as pays_by_reference,
        lines.azione = 'MI' as sets_regime,
        lines.azione = 'SID' as sets,
        lines.azione = 'CH' as closes,
        lines.azione = 'RF' as refuses,
        lines.azione in ('RS', 'RT') as restarts,
        if(restarts, 0, lines.importo_non_commerciale) as importo_non_commerciale,
        if(restarts, 0, lines.importo_sospeso_contenzioso + lines.importo_sospeso_contestazione + lines.importo_sospeso_verifica) as set_suspended,
        if(restarts, 0, excluded_kinds(lines.importo_sospeso_contenzioso, lines.importo_sospeso_contestazione, lines.importo_sospeso_verifica))
            as set_excluded,
        if(restarts, 0, lines.importo_non_liquidabile) as importo_non_liquidabile
    from told_operations as lines
    where pcc_models() <> '003'
),

so_far as (
    select
        told.*,
        told.step = max(told.step) over (partition by told.id_documento, told.progressivo_registrazione) as last,
        remedies.sign,
        remedies.issue_date,
        remedies.pcc_stock,
        remedies.left_out,
        remedies.liquidated as liquidated_now,
        remedies.paid_non_commercial,
        remedies.commercial_amount - if(coalesce(bool_or(sets_regime) over so_far, false), targets.treasury_vat, 0) as commercial_amount,
        bool_or(closes) over so_far as closed,
        coalesce(max(importo_non_commerciale) over so_far, remedies.outside) as outside,
        coalesce(max(set_suspended) over so_far, remedies.suspended) as suspended_before,
        coalesce(max(set_excluded) over so_far, remedies.excluded_now) as excluded_before,
        coalesce(max(importo_non_liquidabile) over so_far, remedies.not_payable) as not_payable_before,
        remedies.paid + sum(pays) over so_far as paid,
        remedies.paid_at_reference + sum(if(pays_by_reference, pays, 0)) over so_far as paid_at_reference,
        coalesce(last_value(data_scadenza ignore nulls) over so_far, remedies.due_date) as due_date,
        bool_or(refuses) over so_far as rejected
    from told
    join remedies
        on remedies.id_documento is not distinct from told.id_documento
        and remedies.progressivo_registrazione is not distinct from told.progressivo_registrazione
    join document_targets as targets
        on targets.id_documento is not distinct from told.id_documento
        and targets.progressivo_registrazione is not distinct from told.progressivo_registrazione
    window so_far as (
        partition by told.id_documento, told.progressivo_registrazione order by told.step
        rows between unbounded preceding and current row
    )
),

accounts as (
    select
        *,
        if(closed, 0, suspended_before) as suspended,
        if(closed, 0, excluded_before) as excluded,
        if(closed, commercial_amount - outside - paid - paid_non_commercial, not_payable_before) as not_payable,
        commercial_amount - outside - suspended - not_payable - paid - paid_non_commercial as payable,
        greatest(least(liquidated_now, payable), 0) as liquidated,
        payable - liquidated as unbooked
    from so_far
)

select
    ente_code() as ente, operation_id, id_documento, progressivo_registrazione, step, last, sign, issue_date, pcc_stock, left_out,
    unbooked, liquidated, suspended, not_payable, paid, paid_non_commercial, paid_at_reference, excluded, outside, due_date, rejected,
    commercial_amount
from accounts
