-- One row per document that bears an anomaly: the state that it shall have on PCC, whatever language PCC is spoken to in
-- (docs/rules.md#rule-11-target). Key: id_documento, progressivo_registrazione.
-- The commercial amount as PCC has it now = VAT that leaves + non-commercial + suspended + non liquidabile + paid + payments
-- that PCC lacks + payable. Amounts unsigned; `now_` is what PCC has. Written from it: remedies (movements), amount_moves.
with told as (
    select
        targets.id_documento,
        list_contains(targets.codes, 'CREDIT_NOTE_OPEN') as offsets,
        count(*) as payments,
        sum(if(payments.data_mandato <= reference_date(), payments.amount, 0)) as by_reference
    from remedy_targets as targets
    join unreported_payments as payments on payments.id_documento = targets.id_documento
    group by targets.id_documento, targets.codes
),

standing as (
    select
        targets.*,
        if(dispute, 'lawsuit', coalesce(causes.kind, 'other')) as erp_kind,
        coalesce(kinds.lawsuit, 0) as now_lawsuit,
        coalesce(kinds.contested, 0) as now_contested,
        coalesce(kinds."check", 0) as now_check,
        targets.suspended - now_lawsuit - now_contested - now_check as now_other,
        coalesce(kinds.lawsuit_from, suspended_from) as now_lawsuit_from,
        coalesce(kinds.contested_from, suspended_from) as now_contested_from,
        coalesce(kinds.check_from, suspended_from) as now_check_from,
        if(dispute, suspended_from, coalesce(
            erp_suspended_from, case erp_kind when 'lawsuit' then kinds.lawsuit_from when 'contested' then kinds.contested_from end,
            suspended_from
        )) as starts_on,
        coalesce(told.payments, 0) as payments,
        if(told.offsets, told.by_reference, 0) as offset_amount,
        -- No due date before PCC's date of issue is told; a suspension that would move it waits until the dates are settled.
        on_pcc and right_due_date >= issue_date as due_date_can_be_told,
        on_pcc and not due_date_can_be_told and not erp_rejected and to_pay = 0 and target_not_payable <= not_payable as waits,
        -- The cause belongs to the whole: what stands under another one is taken out and suspended anew.
        movable and suspension_wrong and not waits and not suspended_too_early and targets.suspended > 0 and target_suspended > 0
            and erp_excludes <> pcc_excludes as suspended_anew,
        if(waits, greatest(targets.suspended, target_suspended), target_suspended) as to_suspend,
        new_on_pcc or suspension_wrong and not waits and not suspended_too_early as told_anew,
        -- The same amount of the same kind, since another day.
        told_anew and kinds.tells_kinds and target_suspended > 0 and starts_on is distinct from
            case erp_kind when 'lawsuit' then kinds.lawsuit_from when 'contested' then kinds.contested_from else starts_on end
            as starts_differ,
        targets.suspended > 0 and (suspended_anew or not waits and targets.suspended > target_suspended) as lifts,
        movable and not refused as changes,
        -- All of that VAT leaves, or none does.
        if(changes and split_vat > 0 and split_vat <= target_not_payable, split_vat, 0) as treasury_vat
    from remedy_targets as targets
    left join pcc_suspensions as kinds on kinds.progressivo_registrazione = targets.progressivo_registrazione
    left join told on told.id_documento = targets.id_documento
    left join rule_suspension_causes as causes on causes.cause = targets.erp_cause
),

-- What a payment takes out of what is suspended goes from the kinds in this order.
freed as (
    select
        *,
        greatest(suspended - to_suspend, 0) as freed,
        greatest(now_other - freed, 0) as left_other,
        greatest(now_check - greatest(freed - now_other, 0), 0) as left_check,
        greatest(now_contested - greatest(freed - now_other - now_check, 0), 0) as left_contested,
        greatest(now_lawsuit - greatest(freed - now_other - now_check - now_contested, 0), 0) as left_lawsuit
    from standing
),

placed as (
    select
        *,
        if(told_anew, if(erp_kind = 'lawsuit', to_suspend, 0), left_lawsuit) as to_lawsuit,
        if(told_anew, if(erp_kind = 'contested', to_suspend, 0), left_contested) as to_contested,
        if(told_anew, 0, left_check) as to_check,
        to_suspend - to_lawsuit - to_contested - to_check as to_other,
        if(changes, to_pay, 0) as lacking,
        commercial_amount - outside - treasury_vat - to_suspend - (target_not_payable - treasury_vat) - paid - paid_non_commercial
            - lacking as rest,
        changes and list_contains(codes, 'NON_COMMERCIAL_NOT_REPORTED') as no_debt
    from freed
)

select
    ente_code() as ente,
    id_documento,
    progressivo_registrazione,
    codes,
    sign,
    coalesce(movable, false) as movable,
    coalesce(changes, false) as changes,
    new_on_pcc,
    commercial_amount,
    if(treasury_vat > 0, true, null) as split_payment,
    treasury_vat,
    outside + if(no_debt, greatest(rest, 0), 0) as non_commercial,
    to_lawsuit as suspended_lawsuit,
    if(to_lawsuit > 0, if(told_anew, starts_on, now_lawsuit_from), null) as lawsuit_from,
    to_contested as suspended_contested,
    if(to_contested > 0, if(told_anew, starts_on, now_contested_from), null) as contested_from,
    to_check as suspended_check,
    if(to_check > 0, now_check_from, null) as check_from,
    to_other as suspended_other,
    target_not_payable - treasury_vat as not_payable,
    placed.paid + paid_non_commercial as paid,
    lacking as payments_lacking,
    if(changes, payments, 0) as payments_lacking_count,
    if(changes, offset_amount, 0) as offset_lacking,
    coalesce(no_debt, false) as payments_non_commercial,
    rest - if(no_debt, greatest(rest, 0), 0) as payable,
    case
        when new_on_pcc then right_due_date
        -- A due date told after the end of a suspension has it in it already: without, PCC's suspension would move it.
        -- None where nothing is left open.
        when due_date_can_be_told and movable and not erp_rejected
            and (due_date_wrong or lifts and unpaid > target_not_payable)
            then right_due_date
    end as due_date,
    coalesce(suspended_anew, false) as suspended_anew,
    coalesce(starts_differ, false) as starts_differ,
    coalesce(refused, false) as rejected,
    coalesce(changes and (placed.rejected or duplicate), false) as closed,
    coalesce(on_pcc and pcc_stato = 'PRESENTATO' and not refused, false) as received_first,
    outside as now_non_commercial,
    now_lawsuit as now_suspended_lawsuit,
    now_contested as now_suspended_contested,
    now_check as now_suspended_check,
    now_other as now_suspended_other,
    placed.not_payable as now_not_payable,
    reference_date() as reference_date,
    observed_at() as observed_at
from placed
