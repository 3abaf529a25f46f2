-- One row per document and anomaly code that it bears (docs/rules.md#rule-7): the conditions alone.
-- Key: code, id_documento, progressivo_registrazione. A rejected document of the accounting system bears only
-- REJECTED_STILL_OPEN and MUST_STAY_OPEN. Some codes are ours (docs/readings.md): they name differences that the
-- catalogue leaves without a name. Each code of the catalogue is a column here, under its name.
with list_sent as (
    select count(*) > 0 as list_sent, threshold('amount_tolerance') as amount_tolerance from stg_open_list
),

repeated as (
    select distinct id_documento, true as paid_twice from set_aside_payments where reason = 'REPEATED'
),

misnamed as (
    select distinct id_documento, true as order_misnames from opi_documents where misnamed
),

-- A person said since the last list came that they are still owed.
owed as (
    select answers.id_documento from decided_answers as answers
    join rule_answers on rule_answers.answer = answers.answer and rule_answers.only_for = answers.code and rule_answers.effect = 'owed'
    where answers.decided_at >= (select max(received_at) from deliveries where kind = 'open_list')
),

-- Today's platform tells of which kind a suspension is, and since when.
pcc_kinds as (
    select * from pcc_suspensions where tells_kinds and suspended > 0
),

facts as (
    select
        documents.*,
        case if(documents.dispute, 'lawsuit', causes.kind)
            when 'lawsuit' then pcc_kinds.lawsuit <> documents.pcc_suspended
                or not documents.dispute and pcc_kinds.lawsuit_from <> documents.erp_suspended_from
            when 'contested' then pcc_kinds.contested <> documents.pcc_suspended
                or pcc_kinds.contested_from <> documents.erp_suspended_from
        end as suspended_otherwise,
        list_sent.list_sent,
        documents.id_documento in (select id_documento from gone_documents where id_documento is not null)
            or documents.progressivo_registrazione in (select progressivo_registrazione from gone_documents where progressivo_registrazione is not null)
            as gone,
        wrong_beneficiaries.id_documento is not null as paid_to_another,
        coalesce(repeated.paid_twice, false) as paid_twice,
        coalesce(misnamed.order_misnames, false) as order_misnames,
        coalesce(erp_dates.dates, pcc_dates.dates) is not null as bears_impossible_date,
        -- What a credit note closed on PCC is told.
        coalesce(documents.pcc_paid_at_observation + coalesce(closed.amount, 0), 0) as pcc_settled,
        coalesce(documents.pcc_paid_at_reference + coalesce(closed.amount, 0), 0) as pcc_settled_at_reference,
        coalesce(closed.amount, 0) as closed_by_note,
        pcc_stock - right_stock as amount,
        standing = 'MATCHED' and not erp_rejected and debt <> 'none' as live,
        erp_commercial_amount - erp_paid_at_observation - erp_not_payable as erp_left,
        pcc_unbooked + pcc_liquidated + pcc_suspended as pcc_left,
        -- The VAT that the ente pays to the treasury, not yet out of PCC's commercial amount.
        vat_to_free > 0 and erp_sign = pcc_sign
            and abs(erp_commercial_amount + vat_to_free - pcc_commercial_amount) <= amount_tolerance as split_vat,
        vat_to_free as vat_of_split
    from documents
    cross join list_sent
    left join wrong_beneficiaries on wrong_beneficiaries.id_documento = documents.id_documento
    left join repeated on repeated.id_documento = documents.id_documento
    left join misnamed on misnamed.id_documento = documents.id_documento
    left join impossible_dates as erp_dates on erp_dates.id_documento = documents.id_documento
    left join impossible_dates as pcc_dates on pcc_dates.progressivo_registrazione = documents.progressivo_registrazione
    left join credit_notes_closed as closed on closed.id_documento = documents.id_documento
    left join pcc_kinds on pcc_kinds.progressivo_registrazione = documents.progressivo_registrazione
    left join rule_suspension_causes as causes on causes.cause = documents.erp_cause
),

conditions as (
    select
        id_documento,
        progressivo_registrazione,
        live and erp_sign = 1 and erp_paid_at_observation > pcc_settled as PAID_NOT_REPORTED,
        live and erp_sign = -1 and erp_paid_at_observation > pcc_settled as CREDIT_NOTE_OPEN,
        live and if(erp_overpaid > 0, erp_written_paid_at_observation, erp_paid_at_observation) < pcc_paid_at_observation
            as PAID_TOO_MUCH_ON_PCC,
        live and erp_paid_at_observation = pcc_settled and amount <> 0
            and (erp_paid_at_reference <> pcc_settled_at_reference or pcc_sign * pcc_open < 0) as PAYMENT_DATE_DIFFERS,
        -- What is booked is to be paid: a credit note is not.
        live and erp_sign = 1 and erp_stato = 'LIQUIDATA' and not pcc_rejected and erp_paid_at_observation <= pcc_paid_at_observation
            and pcc_unbooked > 0 and pcc_liquidated = 0 and pcc_suspended = 0 and pcc_not_payable = 0
            -- What PCC calls paid with empty accounts is a fault of its own.
            and pcc_paid_at_observation = 0 and accounts_fault is distinct from 'EMPTY' as NOT_BOOKED,
        live and not pcc_rejected and to_suspend > pcc_suspended as SUSPENSION_NOT_REPORTED,
        live and to_suspend < pcc_suspended as SUSPENSION_NOT_LIFTED,
        live and to_suspend = pcc_suspended and erp_excluded <> pcc_excluded as SUSPENSION_CAUSE_DIFFERS,
        live and not pcc_rejected and to_suspend = pcc_suspended and erp_excluded = pcc_excluded and not suspended_too_early
            and coalesce(suspended_otherwise, false) as SUSPENSION_DETAILS_DIFFER,
        live and not pcc_rejected and erp_not_payable > pcc_not_payable as NOT_PAYABLE_NOT_REPORTED,
        live and erp_not_payable + vat_of_split + closed_by_note < pcc_not_payable as NOT_PAYABLE_NOT_LIFTED,
        standing in ('MATCHED', 'PCC_ONLY') and erp_rejected and not pcc_rejected and (pcc_left > 0 or pcc_stock <> 0)
            as REJECTED_STILL_OPEN,
        live and pcc_rejected as REJECTED_ON_PCC,
        live and erp_due_date is not null and erp_paid_at_observation + erp_not_payable < erp_commercial_amount
            and coalesce(pcc_row_due_date <> right_due_date, true) as DUE_DATE_DIFFERS,
        live and not DUE_DATE_DIFFERS and amount <> 0
            and (right_due_date <= reference_date()) <> (pcc_due_date <= reference_date()) as DUE_DATE_SHIFTS_STOCK,
        live and amount <> 0 and (erp_issue_date <= reference_date()) <> (pcc_issue_date <= reference_date()) as ISSUE_DATE_DIFFERS,
        live and not split_vat and abs(erp_amount - pcc_amount) > threshold('amount_tolerance') as AMOUNT_DIFFERS,
        live and not split_vat and erp_amount <> pcc_amount and abs(erp_amount - pcc_amount) <= threshold('amount_tolerance')
            as ROUNDING_DIFFERS,
        live and split_vat and pcc_not_payable < erp_not_payable + vat_of_split as SPLIT_VAT_OPEN,
        standing = 'PCC_DUPLICATE'
            or standing = 'MATCHED' and debt = 'none' and not erp_rejected and not pcc_rejected and (pcc_left > 0 or amount <> 0)
            as DUPLICATE_ON_PCC,
        standing = 'ERP_ONLY' and not erp_rejected and debt <> 'none' as MISSING_ON_PCC,
        standing = 'PCC_ONLY' and not pcc_rejected and not erp_rejected as MISSING_IN_ERP,
        paid_to_another as WRONG_BENEFICIARY,
        listed and (coalesce(erp_left <= 0 or erp_rejected, false) or coalesce(pcc_left <= 0 or pcc_rejected, false)) as MUST_STAY_OPEN,
        live and list_sent and not listed and commercial and not pcc_rejected and erp_left > 0 and pcc_left > 0
            and reference_date() - right_due_date > threshold('open_list_days')
            and id_documento not in (select id_documento from owed where id_documento is not null) as NOT_ON_OPEN_LIST,
        (standing = 'ERP_AMBIGUOUS' and not erp_rejected) or standing = 'PCC_AMBIGUOUS' as AMBIGUOUS_MATCH,
        not erp_rejected and accounts_fault is not null as ACCOUNTS_DO_NOT_SUM,
        live and upper(erp_office) <> upper(pcc_office) as WRONG_OFFICE,
        live and not commercial and not pcc_rejected
            and (pcc_paid_non_commercial + pcc_non_commercial = 0 and not pcc_left_out or amount <> 0) as NON_COMMERCIAL_NOT_REPORTED,
        facts.creditor_loop and not erp_rejected as CREDITOR_LOOP,
        (standing = 'ERP_PROBABLE' and not erp_rejected) or standing = 'PCC_PROBABLE' as PROBABLE_MATCH,
        standing = 'ERP_DUPLICATE' as DUPLICATE_IN_ERP,
        facts.ambiguous_case and not erp_rejected and not coalesce(pcc_rejected, false)
            and standing in ('MATCHED', 'ERP_ONLY', 'PCC_ONLY') as AMBIGUOUS_CASE,
        not erp_rejected and (erp_overpaid > 0 or paid_twice) as PAID_MORE_THAN_OWED,
        -- A payment without a document: below.
        false as PAYMENT_WITHOUT_DOCUMENT,
        not erp_rejected and (bears_impossible_date or suspended_too_early) as IMPOSSIBLE_DATE,
        not erp_rejected and commercial and not einvoice_known and supplier_total is null and erp_treasury_vat = 0 and erp_vat > 0
            and erp_written_paid_at_observation = erp_commercial_amount - erp_vat and erp_left = erp_vat as REVERSE_CHARGE_UNSURE,
        live and commercial and not pcc_rejected and (pcc_left_out or pcc_non_commercial > 0) and (erp_left > 0 or amount <> 0)
            as OUT_OF_STOCK_ON_PCC,
        order_misnames and not erp_rejected as ORDER_NUMBER_DIFFERS,
        coalesce(facts.gone, false) as GONE_FROM_ERP
    from facts
),

-- Most documents bear none: they are left before the codes become rows.
differing as (
    select id_documento, progressivo_registrazione, {{ anomaly_codes() | join(", ") }}
    from conditions
    where true in ({{ anomaly_codes() | join(", ") }})
)

select ente_code() as ente, code, id_documento, progressivo_registrazione
from differing
unpivot (holds for code in ({{ anomaly_codes() | join(", ") }}))
where holds
union all
select ente_code(), 'PAYMENT_WITHOUT_DOCUMENT', id_documento, null
from payments_without_document
