-- materialized: view
-- One row per document and view: what it adds to the stock, and why.
-- Key: view, id_documento, progressivo_registrazione.
with views as (
    select
        'pcc' as view,
        id_documento,
        progressivo_registrazione,
        tipo_documento,
        numero,
        origin,
        pcc_issue_date as issue_date,
        pcc_reception_date as reception_date,
        pcc_due_date as due_date,
        original_creditor,
        original_creditor as creditor,
        coalesce(original_creditor_name, creditor_name) as creditor_name,
        null as original_creditor_name,
        pcc_sign as sign,
        pcc_commercial_amount as commercial_amount,
        pcc_paid_at_reference as paid_at_reference,
        pcc_paid_at_observation as paid_at_observation,
        pcc_not_payable as not_payable,
        pcc_excluded + pcc_non_commercial as suspended_excluded,
        pcc_open as open_amount,
        pcc_stock as stock,
        pcc_rejected as rejected,
        not pcc_left_out as commercial,
        standing
    from documents
    where progressivo_registrazione is not null
    union all
    select
        'right',
        id_documento,
        progressivo_registrazione,
        tipo_documento,
        numero,
        origin,
        coalesce(erp_issue_date, pcc_issue_date),
        if(id_documento is null, pcc_reception_date, right_reception_date),
        if(id_documento is null, pcc_due_date, right_due_date),
        original_creditor,
        creditor,
        creditor_name,
        original_creditor_name,
        coalesce(erp_sign, pcc_sign),
        if(id_documento is null, pcc_commercial_amount, erp_commercial_amount),
        if(id_documento is null, pcc_paid_at_reference, erp_paid_at_reference),
        if(id_documento is null, pcc_paid_at_observation, erp_paid_at_observation),
        if(id_documento is null, pcc_not_payable, erp_not_payable),
        if(id_documento is null, pcc_excluded + pcc_non_commercial, erp_excluded),
        right_open,
        right_stock,
        erp_rejected or (id_documento is null and pcc_rejected),
        if(id_documento is null, not pcc_left_out, commercial),
        standing
    from documents
    union all
    -- What PCC will show: its own facts, moved by the operations where there are any.
    select
        'projected',
        documents.id_documento,
        documents.progressivo_registrazione,
        documents.tipo_documento,
        documents.numero,
        documents.origin,
        coalesce(documents.pcc_issue_date, documents.erp_issue_date),
        coalesce(documents.pcc_reception_date, documents.right_reception_date),
        coalesce(accounts.due_date, documents.pcc_due_date),
        documents.original_creditor,
        documents.original_creditor,
        coalesce(documents.original_creditor_name, documents.creditor_name),
        null,
        coalesce(documents.pcc_sign, documents.erp_sign),
        coalesce(accounts.commercial_amount, documents.pcc_commercial_amount),
        coalesce(accounts.paid_at_reference, documents.pcc_paid_at_reference),
        coalesce(accounts.paid + accounts.paid_non_commercial, documents.pcc_paid_at_observation),
        coalesce(accounts.not_payable, documents.pcc_not_payable),
        coalesce(accounts.excluded, documents.pcc_excluded) + coalesce(accounts.outside, documents.pcc_non_commercial, 0),
        coalesce(accounts.open_amount, documents.pcc_open),
        coalesce(accounts.stock, documents.pcc_stock),
        documents.pcc_rejected or coalesce(accounts.rejected, false),
        not documents.pcc_left_out,
        documents.standing
    from documents
    left join projected_accounts as accounts
        on accounts.id_documento is not distinct from documents.id_documento
        and accounts.progressivo_registrazione is not distinct from documents.progressivo_registrazione
    where documents.progressivo_registrazione is not null or accounts.operations is not null
),

aged as (
    select *, reference_date() - due_date as days_past_due
    from views
)

select
    ente_code() as ente,
    aged.view,
    reference_date() as reference_date,
    observed_at() as observed_at,
    aged.id_documento,
    aged.progressivo_registrazione,
    aged.tipo_documento,
    aged.numero,
    aged.origin,
    aged.issue_date,
    year(aged.issue_date) as issue_year,
    aged.reception_date,
    aged.due_date,
    aged.original_creditor,
    aged.creditor,
    aged.creditor_name,
    aged.original_creditor_name,
    aged.sign * aged.commercial_amount as commercial_amount,
    aged.sign * aged.paid_at_reference as paid_at_reference,
    aged.sign * aged.paid_at_observation as paid_at_observation,
    aged.sign * aged.not_payable as not_payable,
    aged.sign * aged.suspended_excluded as suspended_excluded,
    aged.open_amount,
    aged.stock,
    aged.days_past_due,
    due_date_bucket(aged.days_past_due) as bucket,
    case
        when aged.view = 'right' and aged.standing = 'PCC_AMBIGUOUS' then 'AMBIGUOUS'
        when aged.view = 'right' and aged.standing = 'PCC_PROBABLE' then 'AMBIGUOUS'
        when aged.view = 'right' and aged.standing in ('PCC_DUPLICATE', 'ERP_DUPLICATE') then 'DUPLICATE'
        when aged.rejected then 'REJECTED'
        when not aged.commercial then 'NON_COMMERCIAL'
        when aged.issue_date > reference_date() then 'ISSUED_LATER'
        when aged.open_amount = 0 and aged.paid_at_reference >= aged.commercial_amount then 'PAID'
        when aged.open_amount = 0 then 'EXCLUDED'
        when aged.days_past_due < 0 then 'NOT_DUE'
        when aged.not_payable + aged.suspended_excluded <> 0 then 'PARTLY_EXCLUDED'
        else 'DUE'
    end as reason
from aged
