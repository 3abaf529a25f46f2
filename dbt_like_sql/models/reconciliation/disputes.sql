-- materialized: view
-- One row per document of the accounting system that a special case CONTENZIOSO holds: the day from which it does.
-- Key: id_documento.
select
    ente_code() as ente,
    erp_documents.id_documento,
    min(document_cases.dispute_from) as dispute_from
from document_cases
join erp_documents on erp_documents.row_id = document_cases.erp_row
where document_cases.dispute
group by erp_documents.id_documento
