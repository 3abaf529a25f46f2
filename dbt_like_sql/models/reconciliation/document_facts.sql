-- materialized: step
-- One row per document: both sides' facts beside each other, as delivered, with what special cases and SDI say of it.
-- Key: id_documento, progressivo_registrazione. Amounts of the accounts are unsigned; totals are signed. What follows from
-- these facts: documents.
with settled as (
    select erp_row, pcc_row, tier from pairs where status = 'SETTLED'
),

-- PCC documents that no pair took: only they speak where the accounting system would.
pcc_alone as (
    select row_id, tipo_documento, numero, supplier_name
    from pcc_documents
    anti join settled on settled.pcc_row = pcc_documents.row_id
),

-- PCC's name where the accounting system has none.
nameless as (
    select row_id, supplier_name
    from pcc_documents
    semi join (
        select settled.pcc_row
        from settled
        semi join (select row_id from erp_documents where supplier_name is null) as unnamed on unnamed.row_id = settled.erp_row
    ) as wanted on wanted.pcc_row = pcc_documents.row_id
),

erp as (
    select erp_documents.*, settled.pcc_row, settled.tier
    from erp_documents
    left join settled on settled.erp_row = erp_documents.row_id
)

select
    ente_code() as ente,
    erp.id_documento,
    pcc.progressivo_registrazione,
    erp.tier,
    case
        when erp.row_id is not null and pcc.row_id is not null then 'MATCHED'
        when erp.copy_of is not null then 'ERP_DUPLICATE'
        when erp_ambiguous.tier is not null then 'ERP_AMBIGUOUS'
        when erp_probable.probable then 'ERP_PROBABLE'
        when erp.row_id is not null then 'ERP_ONLY'
        when pcc_ambiguous.tier is not null then 'PCC_AMBIGUOUS'
        when pcc_probable.probable then 'PCC_PROBABLE'
        when duplicates.pcc_row is not null or pcc_types.debt = 'none' and not pcc.rejected and pcc_refused.pcc_row is null
            then 'PCC_DUPLICATE'
        else 'PCC_ONLY'
    end as standing,
    coalesce('gestionale ' || erp.copy_of, erp_probable.counterpart, pcc_probable.counterpart, 'PCC ' || duplicates.original) as counterpart,
    coalesce(duplicates.to_ask, false) as copy_of_another,
    -- A foreign supplier's document that PCC has as the ente's self-invoice, or the other way round.
    case
        when coalesce(erp_types.debt, pcc_types.debt) = 'unless_self'
            then if(coalesce(erp.creditor, pcc.creditor) in (select code from ente_codes), 'none', 'own')
        when pcc_types.debt = 'taxable' and erp_types.debt <> 'none' then 'taxable'
        else coalesce(erp_types.debt, pcc_types.debt)
    end as debt,
    coalesce(erp.tipo_documento, pcc_alone.tipo_documento) as tipo_documento,
    coalesce(erp.numero, pcc_alone.numero) as numero,
    erp.number_key = pcc.number_key as same_number,
    coalesce(erp.creditor, pcc.creditor) as original_creditor,
    erp.creditor is not distinct from pcc.creditor as same_creditor,
    coalesce(erp_cases.new_creditor, pcc_cases.new_creditor, erp.creditor, pcc.creditor) as creditor,
    case
        when coalesce(erp_cases.new_creditor, pcc_cases.new_creditor, '') not in ('', coalesce(erp.creditor, pcc.creditor))
            then coalesce(erp_cases.new_creditor_name, pcc_cases.new_creditor_name)
        else coalesce(erp.supplier_name, pcc_alone.supplier_name, nameless.supplier_name)
    end as creditor_name,
    case
        when coalesce(erp_cases.new_creditor, pcc_cases.new_creditor, '') not in ('', coalesce(erp.creditor, pcc.creditor))
            then coalesce(erp.supplier_name, pcc_alone.supplier_name, nameless.supplier_name)
    end as original_creditor_name,
    coalesce(erp_cases.creditor_loop, false) or coalesce(pcc_cases.creditor_loop, false) as creditor_loop,
    coalesce(erp_cases.ambiguous_case, false) or coalesce(pcc_cases.ambiguous_case, false) as ambiguous_case,
    coalesce(erp_cases.listed, false) or coalesce(pcc_cases.listed, false) as listed,
    coalesce(erp_cases.dispute, false) or coalesce(pcc_cases.dispute, false) as dispute,
    coalesce(erp.commercial, true) and not (coalesce(erp_cases.non_commercial, false) or coalesce(pcc_cases.non_commercial, false)) as commercial,
    erp.other_beneficiary,
    erp.lotto_sdi as erp_lotto_sdi,
    -- PCC's lot or the SDI file itself say more than the accounting system may.
    case
        when sdi.id_documento is not null or pcc.lotto_sdi is not null then 'SDI'
        else coalesce(erp.origin, pcc.origin)
    end as origin,
    erp.sign as erp_sign,
    pcc.sign as pcc_sign,
    erp.stato as erp_stato,
    pcc.stato as pcc_stato,
    erp.causale as erp_cause,
    pcc.cause as pcc_cause,
    erp.issue_date as erp_issue_date,
    pcc.issue_date as pcc_issue_date,
    erp.due_date as erp_due_date,
    pcc.due_date as pcc_row_due_date,
    sdi.instalments,
    sdi.due_date as einvoice_due_date,
    pcc.suspension_days,
    pcc.suspension_days_told,
    cast(coalesce(pcc.due_date, coalesce(pcc.reception_date, pcc.issue_date) + payment_term()) as date) as pcc_due_date,
    coalesce(pcc.reception_date, erp.reception_date, erp.issue_date, pcc.issue_date) as right_reception_date,
    right_reception_date + payment_term() as due_by_reception,
    coalesce(pcc.reception_date, pcc.issue_date) as pcc_reception_date,
    erp.sign * erp.total as erp_total,
    pcc.sign * pcc.total as pcc_total,
    if(erp.row_id is null, null, coalesce(erp.split_payment, sdi.split_payment, pcc.split_payment, false)) as erp_split_payment,
    coalesce(pcc.split_payment, false) as pcc_split_payment,
    erp.vat as erp_vat,
    pcc.vat_amount as pcc_vat,
    -- Reverse charge: the supplier's own total, where the accounting system adds the VAT to it.
    if(sdi.total < erp.total and (sdi.reverse_charge or sdi.total = erp.total - erp.vat and coalesce(sdi.vat, 0) = 0), sdi.total, null)
        as supplier_total,
    sdi.id_documento is not null as einvoice_known,
    coalesce(erp.withholding, sdi.withholding) as withholding,
    erp.withholding is null and sdi.withholding is not null as withholding_from_einvoice,
    erp.codice_ufficio as erp_office,
    pcc.codice_ufficio as pcc_office,
    -- Refused through SDI: the document itself, or PCC's where the accounting system does not name another transmission.
    coalesce(erp.stato in ('RIFIUTATA', 'ANNULLATA'), false)
        or erp_refused.erp_row is not null
        or (pcc_refused.pcc_row is not null and coalesce(erp.lotto_sdi = pcc.lotto_sdi, true)) as erp_rejected,
    coalesce(pcc.rejected, false) as pcc_rejected,
    erp.paid_at_reference as erp_written_paid_at_reference,
    erp.paid_at_observation as erp_written_paid_at_observation,
    erp.not_payable as erp_written_not_payable,
    erp.suspended as erp_written_suspended,
    erp.suspended_from as erp_suspended_from,
    coalesce(causes.excluded, false) as erp_cause_excluded,
    coalesce(causes.told, true) as erp_cause_told,
    pcc.commercial_amount as pcc_commercial_amount,
    pcc.paid + pcc.paid_non_commercial - pcc.paid_after_reference as pcc_paid_at_reference,
    pcc.paid + pcc.paid_non_commercial as pcc_paid_at_observation,
    pcc.paid_non_commercial as pcc_paid_non_commercial,
    pcc.liquidated as pcc_liquidated,
    pcc.not_payable as pcc_not_payable,
    pcc.suspended as pcc_suspended,
    pcc.excluded as pcc_excluded,
    pcc.non_commercial as pcc_non_commercial,
    coalesce(pcc.left_out, false) as pcc_left_out,
    pcc.accounts_fault,
    pcc.told_paid as pcc_told_paid,
    pcc.unbooked as pcc_unbooked,
    pcc.operations as pcc_operations
from erp
-- The one wide join: what few documents have is joined after it, so that its hash table stays narrow.
full join pcc_documents as pcc on pcc.row_id = erp.pcc_row
left join pcc_alone on pcc_alone.row_id = pcc.row_id
left join nameless on nameless.row_id = pcc.row_id and erp.supplier_name is null
left join pcc_copies as duplicates on duplicates.pcc_row = pcc.row_id
left join counterparts as erp_probable on erp_probable.erp_row = erp.row_id
left join counterparts as pcc_probable on pcc_probable.pcc_row = pcc.row_id
left join rule_document_types as erp_types on erp_types.code = erp.tipo_documento
left join rule_document_types as pcc_types on pcc_types.code = pcc.tipo_documento
left join ambiguities as erp_ambiguous on erp_ambiguous.erp_row = erp.row_id
left join ambiguities as pcc_ambiguous on pcc_ambiguous.pcc_row = pcc.row_id
left join document_cases as erp_cases on erp_cases.erp_row = erp.row_id
left join document_cases as pcc_cases on pcc_cases.pcc_row = pcc.row_id
left join sdi_documents as sdi on sdi.id_documento = erp.id_documento
left join sdi_refusals as erp_refused on erp_refused.erp_row = erp.row_id
left join sdi_refusals as pcc_refused on pcc_refused.pcc_row = pcc.row_id
left join rule_suspension_causes as causes on causes.cause = erp.causale
