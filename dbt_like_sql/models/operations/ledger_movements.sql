-- One row per operation by movements: PCC's accounts of the document once it is accepted. PCC's ledger, simulated.
-- Key: operation_id. Sums over the steps, from the accounts as PCC has them now (none for a new document).
-- Under today's models there is none: ledger_amounts.
with movements as (
    select
        lines.operation_id,
        lines.id_documento,
        lines.progressivo_registrazione,
        lines.step,
        lines.azione,
        lines.data_scadenza,
        lines.data_mandato,
        lines.non_commercial,
        movements.from_account,
        movements.to_account,
        if(movements.to_account is null, 0, coalesce(lines.importo, 0)) as moved,
        coalesce(causes.excluded, false) as excludes
    from told_operations as lines
    left join rule_debt_movements as movements
        on movements.azione = lines.azione
        and movements.stato_debito is not distinct from lines.stato_debito
        and coalesce(movements.non_commercial = lines.non_commercial, true)
    left join rule_suspension_causes as causes on causes.cause = lines.causale
    where pcc_models() = '003'
)

select
    ente_code() as ente,
    movements.operation_id,
    movements.id_documento,
    movements.progressivo_registrazione,
    movements.step,
    movements.step = max(movements.step) over (partition by movements.id_documento, movements.progressivo_registrazione) as last,
    remedies.sign,
    remedies.issue_date,
    remedies.commercial_amount,
    remedies.pcc_stock,
    remedies.outside,
    remedies.left_out,
    if(new_on_pcc, 0, remedies.unbooked)
        + sum(case 'ricevuto' when to_account then moved when from_account then -moved else 0 end) over so_far as unbooked,
    remedies.liquidated + sum(case 'liquidato' when to_account then moved when from_account then -moved else 0 end) over so_far
        as liquidated,
    remedies.suspended + sum(case 'sospeso' when to_account then moved when from_account then -moved else 0 end) over so_far
        as suspended,
    remedies.not_payable
        + sum(case 'non_liquidabile' when to_account then moved when from_account then -moved else 0 end) over so_far as not_payable,
    remedies.paid + sum(if(to_account = 'pagato', moved, 0)) over so_far as paid,
    remedies.paid_non_commercial + sum(if(to_account = 'pagato_non_commerciale', moved, 0)) over so_far as paid_non_commercial,
    -- The account pagato non commerciale gives no dates (docs/readings.md).
    remedies.paid_at_reference
        + sum(if(azione = 'CP' and (movements.non_commercial or data_mandato <= reference_date()), moved, 0)) over so_far as paid_at_reference,
    -- Kinds of suspension that count stand beside those that do not: never below zero.
    greatest(remedies.excluded_now + sum(case 'sospeso'
        when to_account then if(excludes, moved, 0)
        when from_account then if(remedies.excluded_cause, -moved, 0)
        else 0
    end) over so_far, 0) as excluded,
    coalesce(last_value(data_scadenza ignore nulls) over so_far, remedies.due_date) as due_date,
    bool_or(azione = 'RF') over so_far as rejected
from movements
join remedies
    on remedies.id_documento is not distinct from movements.id_documento
    and remedies.progressivo_registrazione is not distinct from movements.progressivo_registrazione
window so_far as (
    partition by movements.id_documento, movements.progressivo_registrazione order by movements.step
    rows between unbounded preceding and current row
)
