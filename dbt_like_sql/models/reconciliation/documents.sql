-- One row per document: both sides' facts (document_facts) and what follows from them: what each side adds to the stock.
-- Key: id_documento, progressivo_registrazione. Amounts of the accounts are unsigned; totals and stocks are signed.
-- Each step below uses those above it; what one side lacks is null.
select
    facts.*,

    -- docs/rules.md#rule-2. One of the e-invoice's instalments: the document is wholly due when the last is.
    if(list_contains(instalments, erp_due_date), instalments[-1], erp_due_date) as erp_wholly_due,
    if(list_contains(instalments, pcc_row_due_date), instalments[-1], pcc_row_due_date) as pcc_wholly_due,
    cast(coalesce(
        -- A date told (CS) after a suspension stands where it lies within the days that the suspension adds.
        if(suspension_days_told > 0 and pcc_row_due_date between erp_wholly_due and erp_wholly_due + suspension_days_told::integer,
           pcc_row_due_date, null),
        erp_wholly_due,
        pcc_wholly_due,
        einvoice_due_date,
        due_by_reception
    ) + if(id_documento is null, 0, coalesce(suspension_days, 0))::integer as date) as right_due_date,

    -- docs/rules.md#rule-1: the VAT that the ente pays to the treasury is no commercial debt.
    case
        when supplier_total is not null then erp_sign * erp_total - supplier_total
        -- A self-invoice stands for a foreign supplier's document: its taxable amount (docs/rules.md#rule-11).
        when erp_split_payment or debt = 'taxable' then greatest(least(coalesce(erp_vat, 0), erp_sign * erp_total), 0)
        when erp_total is not null then 0
    end as erp_treasury_vat,
    -- The same VAT where PCC has it in its commercial amount.
    case
        when pcc_split_payment or standing <> 'MATCHED' then 0
        when supplier_total is not null and pcc_sign * pcc_total = supplier_total then 0
        when supplier_total is not null or erp_split_payment then erp_treasury_vat
        when debt = 'taxable' then coalesce(pcc_vat, 0)
        else 0
    end as vat_to_free,
    erp_sign * erp_total - erp_treasury_vat as erp_commercial_amount,

    -- What is lacking by exactly the withholding is withheld, not owed (docs/rules.md#rule-11).
    if(erp_written_paid_at_observation > 0 and erp_commercial_amount - erp_written_paid_at_observation = withholding, withholding, 0)
        as erp_withheld,
    if(erp_written_paid_at_reference > 0 and erp_commercial_amount - erp_written_paid_at_reference = withholding, withholding, 0)
        as erp_withheld_at_reference,
    -- Payments count up to the commercial amount; what goes beyond is asked.
    greatest(least(erp_written_paid_at_observation + erp_withheld, erp_commercial_amount), 0) as erp_paid_at_observation,
    greatest(least(erp_written_paid_at_reference + erp_withheld_at_reference, erp_commercial_amount), 0) as erp_paid_at_reference,
    if(
        erp_written_paid_at_observation - erp_commercial_amount in (erp_treasury_vat, 0),
        0, greatest(erp_written_paid_at_observation - erp_commercial_amount, 0)
    ) as erp_overpaid,

    -- Then what is not payable, then what is suspended, each up to what is left.
    case
        when erp_stato = 'NON_LIQUIDABILE'
            then least(coalesce(erp_written_not_payable, erp_commercial_amount), erp_commercial_amount - erp_paid_at_observation)
        when erp_stato is not null then least(coalesce(erp_written_not_payable, 0), erp_commercial_amount - erp_paid_at_observation)
    end as erp_not_payable,
    case
        when erp_stato = 'SOSPESA' and coalesce(erp_suspended_from <= observed_at(), true)
            then least(
                coalesce(erp_written_suspended, erp_commercial_amount),
                erp_commercial_amount - erp_paid_at_observation - erp_not_payable
            )
        when erp_stato is not null then 0
    end as erp_suspended,

    -- docs/rules.md#rule-4: a dispute excludes all that is unpaid at D; a suspension only where its cause does.
    greatest(erp_commercial_amount - erp_paid_at_reference - erp_not_payable, 0) as erp_unpaid_at_reference,
    case
        when erp_stato is null then null
        when dispute then erp_unpaid_at_reference
        when erp_cause_excluded then least(erp_suspended, erp_unpaid_at_reference)
        else 0
    end as erp_excluded,

    -- A dispute suspends all that is unpaid at D; a cause that PCC is not told of suspends nothing there.
    greatest(if(erp_cause_told, erp_suspended, 0), if(dispute, erp_unpaid_at_reference, 0)) as to_suspend,
    -- A suspension that begins before reception is asked about, not sent (docs/rules.md#rule-2).
    not dispute and erp_suspended > 0 and coalesce(erp_suspended_from < right_reception_date, false) as suspended_too_early,

    -- Not while a document on PCC may be the same.
    standing = 'ERP_ONLY' and counterpart is null and debt <> 'none' and origin <> 'SDI' and commercial and not erp_rejected
        and erp_total <> 0 as to_communicate,
    erp_sign * erp_commercial_amount as erp_amount,
    pcc_sign * pcc_commercial_amount as pcc_amount,

    case
        when erp_rejected or not commercial or debt = 'none' or erp_issue_date > reference_date() then 0
        else coalesce(erp_sign * (erp_unpaid_at_reference - erp_excluded), 0)
    end as erp_open,
    case
        when pcc_rejected or pcc_left_out or pcc_issue_date > reference_date() then 0
        else coalesce(
            pcc_sign * (pcc_commercial_amount - pcc_non_commercial - pcc_paid_at_reference - pcc_not_payable - pcc_excluded), 0
        )
    end as pcc_open,
    case standing
        -- As PCC has it, never below zero or above its amount.
        when 'PCC_ONLY' then if(erp_rejected, 0, pcc_sign * greatest(least(pcc_sign * pcc_open, pcc_commercial_amount), 0))
        when 'PCC_AMBIGUOUS' then 0
        when 'PCC_PROBABLE' then 0
        when 'PCC_DUPLICATE' then 0
        when 'ERP_DUPLICATE' then 0
        else erp_open
    end as right_open,
    if(right_due_date <= reference_date(), right_open, 0) as right_stock,
    if(pcc_due_date <= reference_date(), pcc_open, 0) as pcc_stock
from document_facts as facts
