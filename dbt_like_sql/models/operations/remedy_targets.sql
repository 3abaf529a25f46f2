-- One row per document that bears an anomaly: its accounts on PCC now, and where the money shall stand.
-- Key: id_documento, progressivo_registrazione. Paid first, then non liquidabile, then sospeso, none beyond what the
-- accounts hold. Amounts of the accounts are unsigned. The moves that lead there: remedies.
with borne as (
    select
        id_documento,
        progressivo_registrazione,
        list(code order by code) as codes,
        list_has_any(list(code), {{ codes_that("keeps_open") }}) as keep_open,
        list_has_any(list(code), {{ codes_that("corrects", "rejection") }}) as bears_rejection,
        list_has_any(list(code), {{ codes_that("corrects", "suspension") }}) as suspension_wrong,
        list_has_any(list(code), {{ codes_that("corrects", "not_payable") }}) as not_payable_wrong,
        list_has_any(list(code), {{ codes_that("corrects", "due_date") }}) as due_date_wrong,
        list_has_any(list(code), {{ codes_that("corrects", "booking") }}) as booking_wrong
    from anomalies
    group by id_documento, progressivo_registrazione
),

to_tell as (
    select id_documento, sum(amount) as to_pay from unreported_payments group by id_documento
),

credit_notes as (
    select invoice as id_documento, sum(amount) as credited, true as linked from credit_note_uses group by invoice
    union all
    select note, 0, true from credit_note_uses group by note
),

-- On which documents PCC takes operations, and which of them it takes at all.
accounts as (
    select
        documents.id_documento,
        documents.progressivo_registrazione,
        documents.standing,
        documents.original_creditor,
        coalesce(documents.pcc_sign, documents.erp_sign) as sign,
        documents.to_communicate as new_on_pcc,
        -- A document refused through SDI need not be known to the accounting system.
        (documents.standing = 'MATCHED' or documents.standing = 'PCC_ONLY' and documents.erp_rejected) and not documents.pcc_rejected as on_pcc,
        borne.codes,
        borne.keep_open,
        borne.bears_rejection and not borne.keep_open as rejected,
        list_contains(borne.codes, 'DUPLICATE_ON_PCC') as duplicate,
        borne.suspension_wrong,
        borne.not_payable_wrong,
        borne.due_date_wrong,
        borne.booking_wrong,
        documents.erp_stato,
        documents.pcc_stato,
        documents.erp_cause,
        documents.erp_rejected,
        documents.dispute,
        -- What the ente declares of a supplier holds for each document from its reception.
        coalesce(
            if(documents.dispute, greatest(disputes.dispute_from, documents.right_reception_date), null),
            documents.erp_suspended_from, documents.right_reception_date
        ) as suspended_from,
        documents.suspended_too_early,
        coalesce(documents.pcc_issue_date, documents.erp_issue_date) as issue_date,
        if(new_on_pcc, null, documents.pcc_due_date) as due_date,
        documents.right_due_date,
        if(new_on_pcc, abs(documents.erp_total), documents.pcc_commercial_amount) as commercial_amount,
        if(new_on_pcc, abs(documents.erp_total), documents.pcc_unbooked) as unbooked,
        coalesce(documents.pcc_liquidated, 0) as liquidated,
        coalesce(documents.pcc_suspended, 0) as suspended,
        coalesce(documents.pcc_excluded, 0) as excluded_now,
        coalesce(documents.pcc_non_commercial, 0) as outside,
        documents.pcc_left_out as left_out,
        coalesce(documents.pcc_not_payable, 0) as not_payable,
        coalesce(documents.pcc_paid_at_observation - documents.pcc_paid_non_commercial, 0) as paid,
        coalesce(documents.pcc_paid_non_commercial, 0) as paid_non_commercial,
        coalesce(documents.pcc_paid_at_reference, 0) as paid_at_reference,
        unbooked + liquidated + suspended + not_payable as unpaid,
        -- Accounts that do not sum: PCC mends them first (docs/rules.md#rule-3).
        documents.accounts_fault is not null as broken,
        (new_on_pcc or on_pcc or list_contains(borne.codes, 'DUPLICATE_ON_PCC') and documents.pcc_operations = 0)
            and not documents.copy_of_another and not broken as movable,
        rejected and not broken and on_pcc and documents.pcc_stato in ('PRESENTATO', 'RICEVUTO') and unbooked = commercial_amount
            as refused,
        if(
            list_contains(borne.codes, 'SPLIT_VAT_OPEN')
            or list_contains(borne.codes, 'NOT_PAYABLE_NOT_LIFTED'),
            coalesce(documents.vat_to_free, 0), 0
        ) + coalesce(closed.amount, 0) as vat_too,
        -- The VAT that leaves by PCC's VAT regime: split payment alone; of reverse charge it becomes non liquidabile.
        if(documents.erp_split_payment and documents.supplier_total is null and not rejected and not duplicate, case
            when new_on_pcc then abs(documents.erp_total) - documents.erp_commercial_amount
            when list_contains(borne.codes, 'SPLIT_VAT_OPEN') then documents.vat_to_free
        end, null) as split_vat,
        documents.erp_suspended_from,
        documents.erp_not_payable,
        documents.erp_commercial_amount,
        documents.to_suspend,
        documents.dispute or documents.erp_excluded > 0 as erp_excludes,
        coalesce(documents.pcc_excluded > 0, false) as pcc_excludes,
        coalesce(to_tell.to_pay, 0) as to_pay,
        coalesce(credit_notes.credited, 0) as credited,
        coalesce(credit_notes.linked, false) as credit_note_linked,
        documents.erp_paid_at_observation - coalesce(documents.pcc_paid_at_observation, 0) - coalesce(closed.amount, 0) as paid_more,
        documents.pcc_stock,
        documents.right_stock
    from documents
    join borne
        on borne.id_documento is not distinct from documents.id_documento
        and borne.progressivo_registrazione is not distinct from documents.progressivo_registrazione
    left join to_tell on to_tell.id_documento = documents.id_documento
    left join credit_notes on credit_notes.id_documento = documents.id_documento
    left join disputes on disputes.id_documento = documents.id_documento
    left join credit_notes_closed as closed on closed.id_documento = documents.id_documento
)

select
    ente_code() as ente,
    *,
    case
        when not movable or refused then not_payable
        when rejected or duplicate then unpaid
        when new_on_pcc then erp_not_payable + commercial_amount - erp_commercial_amount
        when not_payable_wrong and keep_open then least(erp_not_payable + vat_too, not_payable)
        when not_payable_wrong then erp_not_payable + vat_too
        else not_payable
    end + if(movable and not keep_open, credited, 0) as wanted_not_payable,
    case
        when not movable or refused then suspended
        when rejected or duplicate then 0
        when suspended_too_early and (new_on_pcc or suspension_wrong) then least(to_suspend, suspended)
        when new_on_pcc or suspension_wrong then to_suspend
        else suspended
    end as wanted_suspended,
    -- Never more than the accounts hold.
    if(movable, greatest(least(wanted_not_payable, unpaid - to_pay), 0), not_payable) as target_not_payable,
    if(movable, greatest(least(wanted_suspended, unpaid - to_pay - target_not_payable), 0), suspended) as target_suspended
from accounts
