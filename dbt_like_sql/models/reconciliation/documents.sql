-- One row per document: both sides' facts (document_facts) and what follows from them: what each side adds to the stock.
-- Key: id_documento, progressivo_registrazione. Amounts of the accounts are unsigned; totals and stocks are signed.
-- Each step below uses those above it; what one side lacks is null.
select
    facts.*,

    -- Section 1: the VAT that the ente pays to the treasury is no commercial debt.
    -- A self-invoice stands for a foreign supplier's document: its taxable amount (section 11).
    coalesce(supplier_total, erp_sign * erp_total - if(erp_split_payment or debt = 'taxable', coalesce(erp_vat, 0), 0))
        as erp_commercial_amount,

    case
        when pcc_split_payment or standing <> 'MATCHED' then 0
        when erp_split_payment then coalesce(erp_vat, 0)
        when debt = 'taxable' then coalesce(pcc_vat, 0)
        else 0
    end as vat_to_free,

    case
        when erp_stato = 'NON_LIQUIDABILE' then coalesce(erp_written_not_payable, erp_commercial_amount - erp_paid_at_observation)
        when erp_stato is not null then coalesce(erp_written_not_payable, 0)
    end as erp_not_payable,

    case
        when erp_stato = 'SOSPESA' and coalesce(erp_suspended_from <= observed_at(), true)
            then coalesce(erp_written_suspended, erp_commercial_amount - erp_paid_at_observation - erp_not_payable)
        when erp_stato is not null then 0
    end as erp_suspended,

    -- Section 4: a dispute excludes all that is unpaid at D; a suspension only where its cause does.
    case
        when erp_stato is null then null
        when dispute then erp_commercial_amount - erp_paid_at_reference - erp_not_payable
        when erp_cause_excluded then erp_suspended
        else 0
    end as erp_excluded,

    -- A dispute suspends all that is unpaid at D.
    greatest(erp_suspended, if(dispute, erp_commercial_amount - erp_paid_at_reference - erp_not_payable, 0)) as to_suspend,

    -- Not while a document on PCC may be the same.
    standing = 'ERP_ONLY' and counterpart is null and debt <> 'none' and origin <> 'SDI' and commercial and not erp_rejected
        as to_communicate,
    erp_sign * erp_commercial_amount as erp_amount,
    pcc_sign * pcc_commercial_amount as pcc_amount,

    case
        when erp_rejected or not commercial or debt = 'none' or erp_issue_date > reference_date() then 0
        else coalesce(erp_sign * (erp_commercial_amount - erp_paid_at_reference - erp_not_payable - erp_excluded), 0)
    end as erp_open,
    case
        when pcc_rejected or pcc_issue_date > reference_date() then 0
        else coalesce(pcc_sign * (pcc_commercial_amount - pcc_paid_at_reference - pcc_not_payable - pcc_excluded), 0)
    end as pcc_open,
    case standing
        when 'PCC_ONLY' then if(erp_rejected, 0, pcc_open)
        when 'PCC_AMBIGUOUS' then 0
        when 'PCC_PROBABLE' then 0
        when 'PCC_DUPLICATE' then 0
        when 'ERP_DUPLICATE' then 0
        else erp_open
    end as right_open,
    if(right_due_date <= reference_date(), right_open, 0) as right_stock,
    if(pcc_due_date <= reference_date(), pcc_open, 0) as pcc_stock
from document_facts as facts
