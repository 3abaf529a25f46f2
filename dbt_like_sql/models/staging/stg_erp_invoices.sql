-- materialized: view
-- One row per document of the accounting system: the latest delivered stands (corrected_rows), nor gone (gone_rows).
-- Key: id_documento.
select arrivals.* exclude (sequence, received_at)
from feed_erp_invoices as arrivals
anti join (select row_id from corrected_rows where kind = 'erp_invoices') as corrected using (row_id)
anti join (select row_id from gone_rows where kind = 'erp_invoices' and state = 'GONE') as gone using (row_id)
