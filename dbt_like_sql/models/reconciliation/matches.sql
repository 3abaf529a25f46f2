-- materialized: view
-- One row per pair of documents that are the same, with the fields that agreed and differed.
-- Key: id_documento.
select
    ente,
    id_documento,
    progressivo_registrazione,
    tier,
    concat_ws(
        ',',
        if(same_creditor, 'creditor', null),
        if(same_number, 'number', null),
        if(erp_issue_date = pcc_issue_date, 'issue_date', null),
        if(erp_total = pcc_total, 'total', null),
        if(erp_due_date = pcc_row_due_date, 'due_date', null),
        if(erp_office = pcc_office, 'office', null)
    ) as agreed,
    concat_ws(
        ',',
        if(same_creditor, null, 'creditor'),
        if(same_number, null, 'number'),
        if(erp_issue_date is distinct from pcc_issue_date, 'issue_date', null),
        if(erp_total is distinct from pcc_total, 'total', null),
        if(erp_due_date <> pcc_row_due_date, 'due_date', null),
        if(erp_office <> pcc_office, 'office', null)
    ) as differed
from documents
where standing = 'MATCHED'
