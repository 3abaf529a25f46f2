-- One row per document and anomaly code (rules, section 7).
-- Key: code, id_documento, progressivo_registrazione. A rejected document of the accounting system bears only
-- REJECTED_STILL_OPEN and MUST_STAY_OPEN. Seven codes are ours: they name differences that the catalogue leaves
-- without a name (payment, issue and due dates that move a document across D, roundings, PCC's own refusals).
with list_sent as (
    select count(*) > 0 as list_sent from stg_open_list
),

facts as (
    select
        documents.*,
        list_sent.list_sent,
        pcc_stock - right_stock as amount,
        standing = 'MATCHED' as matched,
        standing = 'MATCHED' and not erp_rejected as live,
        erp_commercial_amount - erp_paid_at_observation - erp_not_payable as erp_left,
        pcc_unbooked + pcc_liquidated + pcc_suspended as pcc_left,
        greatest(erp_suspended, if(dispute, erp_commercial_amount - erp_paid_at_reference - erp_not_payable, 0)) as to_suspend,
        -- Same total, the VAT of split payment not yet out of PCC's commercial amount.
        erp_split_payment and not pcc_split_payment and abs(erp_total - pcc_total) <= threshold('amount_tolerance') as split_vat,
        if(erp_split_payment and not pcc_split_payment, coalesce(erp_vat, 0), 0) as vat_of_split
    from documents
    cross join list_sent
),

-- Mandates whose beneficiary is not written as the supplier: who was it, and was it the creditor that day?
identifiers as (
    select tax_id(piva) as identifier, any_value(creditor) as creditor from subjects where tax_id(piva) is not null group by 1
    union
    select tax_id(cf), any_value(creditor) from subjects where tax_id(cf) is not null group by 1
),

-- Named first, so that only these few payments are read by tax_id.
other_beneficiaries_paid as materialized (
    select
        documents.id_documento,
        documents.creditor,
        documents.original_creditor,
        documents.new_creditor_from,
        documents.other_beneficiaries,
        payments.numero_mandato,
        payments.cf_beneficiario,
        payments.data_pagamento
    from (select * from documents where other_beneficiary and not erp_rejected) as documents
    join stg_erp_payments as payments on payments.id_documento = documents.id_documento
    where payments.data_pagamento <= observed_at()
      and not coalesce(payments.storno, false)
),

paid_to as materialized (
    select *, tax_id(cf_beneficiario) as beneficiary from other_beneficiaries_paid
),

wrong_beneficiaries as (
    select
        paid_to.id_documento,
        string_agg(distinct paid_to.numero_mandato || ': ' || paid_to.cf_beneficiario, ', ') as beneficiaries
    from paid_to
    left join identifiers on identifiers.identifier = paid_to.beneficiary
    where paid_to.beneficiary is not null
      and coalesce(identifiers.creditor, paid_to.beneficiary) <> paid_to.creditor
      and not coalesce(list_contains(paid_to.other_beneficiaries, identifiers.creditor), false)
      -- Before the case held, the supplier was the creditor.
      and not (
          coalesce(identifiers.creditor, paid_to.beneficiary) = paid_to.original_creditor
          and coalesce(paid_to.data_pagamento < paid_to.new_creditor_from, true)
      )
    group by paid_to.id_documento
),

conditions as (
    select
        facts.* exclude (creditor_loop),
        wrong_beneficiaries.beneficiaries,
        live and erp_sign = 1 and erp_paid_at_observation > pcc_paid_at_observation as PAID_NOT_REPORTED,
        live and erp_sign = -1 and erp_paid_at_observation > pcc_paid_at_observation as CREDIT_NOTE_OPEN,
        live and erp_paid_at_observation < pcc_paid_at_observation as PAID_TOO_MUCH_ON_PCC,
        live and erp_paid_at_observation = pcc_paid_at_observation and erp_paid_at_reference <> pcc_paid_at_reference
            and amount <> 0 as PAYMENT_DATE_DIFFERS,
        live and erp_stato = 'LIQUIDATA' and not pcc_rejected and erp_paid_at_observation <= pcc_paid_at_observation
            and pcc_liquidated = 0 and pcc_suspended = 0 and pcc_not_payable = 0 and pcc_paid_at_observation = 0 as NOT_BOOKED,
        live and not pcc_rejected and to_suspend > pcc_suspended as SUSPENSION_NOT_REPORTED,
        live and to_suspend < pcc_suspended as SUSPENSION_NOT_LIFTED,
        live and to_suspend = pcc_suspended and erp_excluded <> pcc_excluded as SUSPENSION_CAUSE_DIFFERS,
        live and not pcc_rejected and erp_not_payable > pcc_not_payable as NOT_PAYABLE_NOT_REPORTED,
        live and erp_not_payable + vat_of_split < pcc_not_payable as NOT_PAYABLE_NOT_LIFTED,
        standing in ('MATCHED', 'PCC_ONLY') and erp_rejected and not pcc_rejected and (pcc_left > 0 or pcc_stock <> 0)
            as REJECTED_STILL_OPEN,
        live and pcc_rejected as REJECTED_ON_PCC,
        live and erp_due_date is not null and erp_paid_at_observation < erp_commercial_amount
            and coalesce(pcc_row_due_date <> right_due_date, true) as DUE_DATE_DIFFERS,
        live and not DUE_DATE_DIFFERS and amount <> 0
            and (right_due_date <= reference_date()) <> (pcc_due_date <= reference_date()) as DUE_DATE_SHIFTS_STOCK,
        live and amount <> 0 and (erp_issue_date <= reference_date()) <> (pcc_issue_date <= reference_date()) as ISSUE_DATE_DIFFERS,
        live and not split_vat and abs(erp_amount - pcc_amount) > threshold('amount_tolerance') as AMOUNT_DIFFERS,
        live and not split_vat and erp_amount <> pcc_amount and abs(erp_amount - pcc_amount) <= threshold('amount_tolerance')
            as ROUNDING_DIFFERS,
        live and split_vat and pcc_not_payable < erp_not_payable + vat_of_split as SPLIT_VAT_OPEN,
        standing = 'PCC_DUPLICATE' and (not pcc_rejected or amount <> 0) as DUPLICATE_ON_PCC,
        standing = 'ERP_ONLY' and not erp_rejected as MISSING_ON_PCC,
        standing = 'PCC_ONLY' and not pcc_rejected and not erp_rejected as MISSING_IN_ERP,
        beneficiaries is not null as WRONG_BENEFICIARY,
        listed and (coalesce(erp_left <= 0 or erp_rejected, false) or coalesce(pcc_left <= 0 or pcc_rejected, false)) as MUST_STAY_OPEN,
        live and list_sent and not listed and commercial and not pcc_rejected and erp_left > 0 and pcc_left > 0
            and reference_date() - right_due_date > threshold('open_list_days') as NOT_ON_OPEN_LIST,
        (standing = 'ERP_AMBIGUOUS' and not erp_rejected) or standing = 'PCC_AMBIGUOUS' as AMBIGUOUS_MATCH,
        not erp_rejected and coalesce(least(pcc_unbooked, pcc_liquidated, pcc_suspended, pcc_not_payable, pcc_paid_at_observation) < 0, false)
            as ACCOUNTS_DO_NOT_SUM,
        live and upper(erp_office) <> upper(pcc_office) as WRONG_OFFICE,
        live and not commercial and not pcc_rejected and (pcc_paid_non_commercial = 0 or amount <> 0) as NON_COMMERCIAL_NOT_REPORTED,
        facts.creditor_loop and not erp_rejected as CREDITOR_LOOP
    from facts
    left join wrong_beneficiaries on wrong_beneficiaries.id_documento = facts.id_documento
),

-- Most documents bear none: they are left before the codes become rows.
differing as (
    select *
    from conditions
    where true in (
       PAID_NOT_REPORTED, CREDIT_NOTE_OPEN, PAID_TOO_MUCH_ON_PCC, PAYMENT_DATE_DIFFERS, NOT_BOOKED, SUSPENSION_NOT_REPORTED,
       SUSPENSION_NOT_LIFTED, SUSPENSION_CAUSE_DIFFERS, NOT_PAYABLE_NOT_REPORTED, NOT_PAYABLE_NOT_LIFTED, REJECTED_STILL_OPEN,
       REJECTED_ON_PCC, DUE_DATE_DIFFERS, DUE_DATE_SHIFTS_STOCK, ISSUE_DATE_DIFFERS, AMOUNT_DIFFERS, ROUNDING_DIFFERS,
       SPLIT_VAT_OPEN, DUPLICATE_ON_PCC, MISSING_ON_PCC, MISSING_IN_ERP, WRONG_BENEFICIARY, MUST_STAY_OPEN, NOT_ON_OPEN_LIST,
       AMBIGUOUS_MATCH, ACCOUNTS_DO_NOT_SUM, WRONG_OFFICE, NON_COMMERCIAL_NOT_REPORTED, CREDITOR_LOOP
    )
),

borne as (
    select *
    from differing
    unpivot (holds for code in (
       PAID_NOT_REPORTED, CREDIT_NOTE_OPEN, PAID_TOO_MUCH_ON_PCC, PAYMENT_DATE_DIFFERS, NOT_BOOKED, SUSPENSION_NOT_REPORTED,
       SUSPENSION_NOT_LIFTED, SUSPENSION_CAUSE_DIFFERS, NOT_PAYABLE_NOT_REPORTED, NOT_PAYABLE_NOT_LIFTED, REJECTED_STILL_OPEN,
       REJECTED_ON_PCC, DUE_DATE_DIFFERS, DUE_DATE_SHIFTS_STOCK, ISSUE_DATE_DIFFERS, AMOUNT_DIFFERS, ROUNDING_DIFFERS,
       SPLIT_VAT_OPEN, DUPLICATE_ON_PCC, MISSING_ON_PCC, MISSING_IN_ERP, WRONG_BENEFICIARY, MUST_STAY_OPEN, NOT_ON_OPEN_LIST,
       AMBIGUOUS_MATCH, ACCOUNTS_DO_NOT_SUM, WRONG_OFFICE, NON_COMMERCIAL_NOT_REPORTED, CREDITOR_LOOP
    ))
)

select
    ente_code() as ente,
    borne.code,
    borne.id_documento,
    borne.progressivo_registrazione,
    borne.amount,
    catalogue.severity,
    case
        when borne.code = 'MISSING_ON_PCC' then if(borne.to_communicate, 'Modello 002', 'manual')
        when borne.code = 'NON_COMMERCIAL_NOT_REPORTED' then if(borne.erp_paid_at_observation > 0, 'CP sul conto non commerciale', 'manual')
        when borne.code = 'DUPLICATE_ON_PCC' and borne.pcc_operations > 0 then 'manual'
        else catalogue.remedy
    end as remedy,
    case
        when borne.code = 'MISSING_ON_PCC' then not borne.to_communicate
        when borne.code = 'NON_COMMERCIAL_NOT_REPORTED' then borne.erp_paid_at_observation = 0
        when borne.code = 'DUPLICATE_ON_PCC' and borne.pcc_operations > 0 then true
        else catalogue.manual
    end as manual,
    if(manual, catalogue.question, null) as question,
    case
        when borne.id_documento is null and borne.code = 'REJECTED_STILL_OPEN' then 'rifiutata tramite SDI (EC02)'
        when borne.id_documento is null then null
        when borne.code = 'WRONG_BENEFICIARY' then borne.beneficiaries
        when borne.code in ('DUE_DATE_DIFFERS', 'DUE_DATE_SHIFTS_STOCK') then 'scadenza ' || borne.right_due_date
        when borne.code = 'WRONG_OFFICE' then 'ufficio ' || borne.erp_office
        when borne.code = 'ISSUE_DATE_DIFFERS' then 'emessa il ' || borne.erp_issue_date
        else concat_ws(', ', borne.erp_stato, borne.erp_cause, 'importo ' || borne.erp_amount, 'pagato ' || borne.erp_paid_at_observation,
                       'sospeso ' || nullif(borne.erp_suspended, 0), 'non liquidabile ' || nullif(borne.erp_not_payable, 0))
    end as erp_says,
    case
        when borne.progressivo_registrazione is null then null
        when borne.code in ('DUE_DATE_DIFFERS', 'DUE_DATE_SHIFTS_STOCK') then 'scadenza ' || coalesce(borne.pcc_row_due_date::varchar, 'assente')
        when borne.code = 'WRONG_OFFICE' then 'ufficio ' || borne.pcc_office
        when borne.code = 'ISSUE_DATE_DIFFERS' then 'emessa il ' || borne.pcc_issue_date
        else concat_ws(', ', borne.pcc_stato, borne.pcc_cause, 'importo ' || borne.pcc_amount, 'pagato ' || borne.pcc_paid_at_observation,
                       'liquidato ' || nullif(borne.pcc_liquidated, 0), 'sospeso ' || nullif(borne.pcc_suspended, 0),
                       'non liquidabile ' || nullif(borne.pcc_not_payable, 0))
    end as pcc_says,
    borne.original_creditor,
    borne.creditor,
    borne.numero,
    borne.origin,
    borne.code = 'MISSING_ON_PCC' and borne.to_communicate as to_communicate,
    reference_date() as reference_date,
    observed_at() as observed_at
from borne
join rule_anomalies as catalogue on catalogue.code = borne.code
where borne.holds
