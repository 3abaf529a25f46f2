-- One row per document that bears an anomaly: what is to move between its accounts on PCC.
-- Key: id_documento, progressivo_registrazione. The accounts now: remedy_targets; where the money shall stand: document_targets.
-- Amounts of the accounts are unsigned.
with flows as (
    select
        accounts.*,
        targets.due_date as due_date_told,
        targets.suspended_anew as new_cause,
        targets.not_payable + targets.treasury_vat as to_be_not_payable,
        targets.suspended_lawsuit + targets.suspended_contested + targets.suspended_check + targets.suspended_other as to_be_suspended,
        if(new_cause, suspended, greatest(suspended - to_be_suspended, 0)) as suspended_out,
        if(new_cause, to_be_suspended, greatest(to_be_suspended - suspended, 0)) as suspended_in,
        greatest(accounts.not_payable - to_be_not_payable, 0) as not_payable_out,
        greatest(to_be_not_payable - accounts.not_payable, 0) as not_payable_in
    from remedy_targets as accounts
    join document_targets as targets
        on targets.id_documento is not distinct from accounts.id_documento
        and targets.progressivo_registrazione is not distinct from accounts.progressivo_registrazione
),

moves as (
    select
        *,
        least(suspended_out, not_payable_in) as nl_da_sosp,
        suspended_out - nl_da_sosp as liq_da_sosp,
        least(not_payable_out, suspended_in) as sosp_da_nl,
        not_payable_out - sosp_da_nl as liq_da_nl,
        least(not_payable_in - nl_da_sosp, greatest(unbooked, 0)) as noliq,
        not_payable_in - nl_da_sosp - noliq as nl_da_liq,
        least(suspended_in - sosp_da_nl, greatest(unbooked, 0) - noliq) as sosp,
        suspended_in - sosp_da_nl - sosp as sosp_da_liq,
        greatest(unbooked, 0) - noliq - sosp as still_unbooked,
        if(
            movable and not refused and (booking_wrong or new_on_pcc and erp_stato = 'LIQUIDATA'),
            still_unbooked,
            greatest(least(to_pay - (liquidated + liq_da_sosp + liq_da_nl - nl_da_liq - sosp_da_liq), still_unbooked), 0)
        ) as liq
    from flows
)

select
    ente_code() as ente,
    moves.id_documento,
    moves.progressivo_registrazione,
    moves.codes,
    moves.original_creditor,
    moves.pcc_stato,
    moves.sign,
    moves.new_on_pcc,
    moves.on_pcc and moves.pcc_stato = 'PRESENTATO' and not moves.refused as booked_first,
    moves.refused,
    moves.due_date_told,
    moves.issue_date,
    moves.due_date,
    moves.commercial_amount,
    moves.unbooked,
    moves.liquidated,
    moves.suspended,
    moves.not_payable,
    moves.paid,
    moves.paid_non_commercial,
    moves.paid_at_reference,
    moves.pcc_excludes as excluded_cause,
    moves.excluded_now,
    moves.outside,
    moves.left_out,
    moves.nl_da_sosp,
    moves.liq_da_sosp,
    moves.liq_da_nl,
    moves.sosp_da_nl,
    moves.noliq,
    moves.nl_da_liq,
    moves.sosp,
    moves.sosp_da_liq,
    moves.liq,
    if(moves.movable and not moves.refused, moves.to_pay, 0) as to_pay,
    list_contains(moves.codes, 'NON_COMMERCIAL_NOT_REPORTED') as non_commercial,
    suspension.causale as causale_sospensione,
    moves.suspended_from,
    coalesce(suspension.words, 'Altra causa') as suspension_words,
    case
        when moves.credited > 0 or moves.credit_note_linked and moves.not_payable_wrong then 'NCRED'
        when moves.erp_stato = 'NON_LIQUIDABILE' then causes.causale
    end as causale_non_liquidabile,
    moves.pcc_stock,
    moves.right_stock,
    greatest(coalesce(
        if(moves.paid_more > 0 and not moves.erp_rejected, moves.paid_more - moves.to_pay - moves.credited, 0), 0
    ), 0) as paid_short,
    moves.credit_note_linked
from moves
left join rule_pcc_causes as causes on causes.cause = moves.erp_cause
left join rule_pcc_causes as suspension on suspension.cause = if(moves.dispute, 'CONTENZIOSO', moves.erp_cause)
