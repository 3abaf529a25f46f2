-- materialized: view
-- One row per document of the accounting system: the latest delivered stands.
-- Key: id_documento.
with repeated as (
    select id_documento, max(row_id) as standing
    from feed_erp_invoices
    group by id_documento
    having count(*) > 1
)

select arrivals.* exclude (sequence, received_at)
from feed_erp_invoices as arrivals
left join repeated using (id_documento)
where repeated.standing is null or repeated.standing = arrivals.row_id
