-- One row per SDI document as parsed, with the accounting system's document it tells about and what SDI says of it.
-- Key: file, line.
select
    sdi.* exclude (row_id),
    subjects.creditor,
    sdi_documents.id_documento,
    states.sdi_id,
    states.sdi_state,
    states.sdi_state_date
from stg_sdi_invoices as sdi
left join subjects
    on subjects.piva is not distinct from sdi.id_fiscale_iva
    and subjects.cf is not distinct from sdi.cf_fornitore
left join sdi_documents on sdi_documents.file = sdi.file and sdi_documents.line = sdi.line
left join sdi_invoice_states as states on states.file = sdi.file and states.line = sdi.line
