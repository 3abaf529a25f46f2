-- One row per document that bears an anomaly: what is to move between its accounts on PCC.
-- Key: id_documento, progressivo_registrazione. First where the money shall stand (paid, then non liquidabile, then
-- sospeso, none beyond what the accounts hold), then the moves that bring it there. Amounts of the accounts are unsigned.
with borne as (
    select id_documento, progressivo_registrazione, list(code order by code) as codes
    from anomalies
    group by all
),

payments as (
    select id_documento, sum(amount) as to_pay from unreported_payments group by id_documento
),

credit_notes as (
    select invoice as id_documento, sum(amount) as credited, true as linked from credit_note_uses group by invoice
    union all
    select note, 0, true from credit_note_uses group by note
),

facts as (
    select
        documents.*,
        borne.codes,
        documents.to_communicate as new_on_pcc,
        list_contains(codes, 'MUST_STAY_OPEN') as keep_open,
        if(documents.to_communicate, abs(documents.erp_total), documents.pcc_commercial_amount) as commercial_amount,
        if(documents.to_communicate, abs(documents.erp_total), documents.pcc_unbooked) as unbooked,
        coalesce(documents.pcc_liquidated, 0) as liquidated,
        coalesce(documents.pcc_suspended, 0) as suspended,
        coalesce(documents.pcc_not_payable, 0) as not_payable,
        coalesce(documents.pcc_paid_at_observation - documents.pcc_paid_non_commercial, 0) as paid,
        coalesce(documents.pcc_paid_non_commercial, 0) as paid_non_commercial,
        coalesce(payments.to_pay, 0) as to_pay,
        coalesce(credit_notes.credited, 0) as credited,
        coalesce(credit_notes.linked, false) as credit_note_linked,
        erp_cases.dispute_from,
        erp.data_sospensione,
        coalesce(erp.data_ricezione, documents.erp_issue_date) as erp_received
    from documents
    join borne
        on borne.id_documento is not distinct from documents.id_documento
        and borne.progressivo_registrazione is not distinct from documents.progressivo_registrazione
    left join payments on payments.id_documento = documents.id_documento
    left join credit_notes on credit_notes.id_documento = documents.id_documento
    left join (
        select erp_documents.id_documento, min(document_cases.dispute_from) as dispute_from
        from document_cases
        join erp_documents on erp_documents.row_id = document_cases.erp_row
        where document_cases.dispute
        group by erp_documents.id_documento
    ) as erp_cases on erp_cases.id_documento = documents.id_documento
    left join (
        select invoices.id_documento, invoices.data_sospensione, invoices.data_ricezione
        from stg_erp_invoices as invoices
        semi join borne on borne.id_documento = invoices.id_documento
    ) as erp on erp.id_documento = documents.id_documento
),

-- On which documents PCC takes operations, and which of them it takes at all.
reachable as (
    select
        *,
        unbooked + liquidated + suspended + not_payable as unpaid,
        -- Accounts that do not sum: PCC mends them first (section 3).
        least(unbooked, liquidated, suspended, not_payable, paid, paid_non_commercial) < 0 as broken,
        -- A document refused through SDI need not be known to the accounting system.
        (standing = 'MATCHED' or standing = 'PCC_ONLY' and erp_rejected) and not pcc_rejected as answerable,
        answerable as on_pcc,
        (new_on_pcc or answerable or list_contains(codes, 'DUPLICATE_ON_PCC') and pcc_operations = 0) and not broken as movable,
        list_contains(codes, 'REJECTED_STILL_OPEN') and not keep_open as rejected,
        list_contains(codes, 'REJECTED_STILL_OPEN') and not keep_open and not broken and answerable
            and pcc_stato in ('PRESENTATO', 'RICEVUTO') and unbooked = commercial_amount as refused,
        list_contains(codes, 'SUSPENSION_NOT_REPORTED') or list_contains(codes, 'SUSPENSION_NOT_LIFTED')
            or list_contains(codes, 'SUSPENSION_CAUSE_DIFFERS') as suspension_wrong,
        list_contains(codes, 'NOT_PAYABLE_NOT_REPORTED') or list_contains(codes, 'NOT_PAYABLE_NOT_LIFTED')
            or list_contains(codes, 'SPLIT_VAT_OPEN') as not_payable_wrong,
        list_contains(codes, 'SPLIT_VAT_OPEN') or list_contains(codes, 'NOT_PAYABLE_NOT_LIFTED') and not pcc_split_payment and erp_split_payment
            as vat_too,
        greatest(erp_suspended, if(dispute, erp_commercial_amount - erp_paid_at_reference - erp_not_payable, 0)) as to_suspend,
        dispute or erp_excluded > 0 as erp_excludes,
        pcc_excluded > 0 as pcc_excludes
    from facts
),

wanted as (
    select
        *,
        case
            when not movable or refused then not_payable
            when rejected or standing = 'PCC_DUPLICATE' then unpaid
            when new_on_pcc then erp_not_payable + commercial_amount - erp_commercial_amount
            when not_payable_wrong
                then if(keep_open, least(erp_not_payable + if(vat_too, coalesce(erp_vat, 0), 0), not_payable),
                        erp_not_payable + if(vat_too, coalesce(erp_vat, 0), 0))
            else not_payable
        end + if(movable and not keep_open, credited, 0) as wanted_not_payable,
        case
            when not movable or refused then suspended
            when rejected or standing = 'PCC_DUPLICATE' then 0
            when new_on_pcc or suspension_wrong then to_suspend
            else suspended
        end as wanted_suspended
    from reachable
),

-- Never more than the accounts hold.
targets as (
    select
        *,
        if(movable, greatest(least(wanted_not_payable, unpaid - to_pay), 0), not_payable) as target_not_payable,
        if(movable, greatest(least(wanted_suspended, unpaid - to_pay - target_not_payable), 0), suspended) as target_suspended,
        -- The cause belongs to the whole: what stands under another one is taken out and suspended anew.
        movable and suspension_wrong and suspended > 0 and target_suspended > 0 and erp_excludes <> coalesce(pcc_excludes, false) as new_cause,
        if(new_cause, suspended, greatest(suspended - target_suspended, 0)) as suspended_out,
        if(new_cause, target_suspended, greatest(target_suspended - suspended, 0)) as suspended_in,
        greatest(not_payable - target_not_payable, 0) as not_payable_out,
        greatest(target_not_payable - not_payable, 0) as not_payable_in
    from wanted
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
            movable and not refused and (list_contains(codes, 'NOT_BOOKED') or new_on_pcc and erp_stato = 'LIQUIDATA'),
            still_unbooked,
            greatest(least(to_pay - (liquidated + liq_da_sosp + liq_da_nl - nl_da_liq - sosp_da_liq), still_unbooked), 0)
        ) as liq
    from targets
),

told as (
    select
        *,
        case
            when new_on_pcc then right_due_date
            when on_pcc and not erp_rejected and (
                list_contains(codes, 'DUE_DATE_DIFFERS') or list_contains(codes, 'DUE_DATE_SHIFTS_STOCK')
                -- A due date told after the end of a suspension has it in it already: without, PCC's suspension would move it.
                or liq_da_sosp + nl_da_sosp > 0
            ) then right_due_date
        end as due_date_told
    from moves
)

select
    ente_code() as ente,
    told.id_documento,
    told.progressivo_registrazione,
    told.codes,
    told.original_creditor,
    told.pcc_stato,
    coalesce(told.pcc_sign, told.erp_sign) as sign,
    told.new_on_pcc,
    told.on_pcc and told.pcc_stato = 'PRESENTATO' and not told.refused as booked_first,
    told.refused,
    told.due_date_told,
    coalesce(told.pcc_issue_date, told.erp_issue_date) as issue_date,
    if(told.new_on_pcc, null, told.pcc_due_date) as due_date,
    told.commercial_amount,
    told.unbooked,
    told.liquidated,
    told.suspended,
    told.not_payable,
    told.paid,
    told.paid_non_commercial,
    coalesce(told.pcc_paid_at_reference, 0) as paid_at_reference,
    coalesce(told.pcc_excludes, false) as excluded_cause,
    told.nl_da_sosp, told.liq_da_sosp, told.liq_da_nl, told.sosp_da_nl, told.noliq, told.nl_da_liq, told.sosp, told.sosp_da_liq, told.liq,
    if(told.movable and not told.refused, told.to_pay, 0) as to_pay,
    list_contains(told.codes, 'NON_COMMERCIAL_NOT_REPORTED') as non_commercial,
    if(told.dispute, 'CONT', causes.causale) as causale_sospensione,
    coalesce(if(told.dispute, told.dispute_from, null), told.data_sospensione, told.erp_received) as suspended_from,
    if(told.dispute, 'Contenzioso', coalesce(causes.words, 'Altra causa')) as suspension_words,
    case
        when told.credited > 0 or told.credit_note_linked and told.not_payable_wrong then 'NCRED'
        when told.erp_stato = 'NON_LIQUIDABILE' then causes.causale
    end as causale_non_liquidabile,
    told.pcc_stock,
    told.right_stock,
    greatest(coalesce(
        if(told.erp_paid_at_observation > coalesce(told.pcc_paid_at_observation, 0) and not told.erp_rejected,
           told.erp_paid_at_observation - coalesce(told.pcc_paid_at_observation, 0) - told.to_pay - told.credited, 0), 0), 0) as paid_short,
    told.credited as credit_note_amount,
    told.credit_note_linked
from told
left join rule_pcc_causes as causes on causes.cause = told.erp_cause
