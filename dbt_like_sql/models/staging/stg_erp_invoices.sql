-- One row per document of the accounting system: the latest delivered stands.
-- Key: id_documento.
with arrivals as (
    select
        feed_erp_invoices.*,
        deliveries.sequence * 4294967296 + feed_erp_invoices.line as row_id
    from feed_erp_invoices
    join deliveries using (delivery)
),

repeated as (
    select id_documento, max(row_id) as standing
    from arrivals
    group by id_documento
    having count(*) > 1
)

select arrivals.*
from arrivals
left join repeated using (id_documento)
where repeated.standing is null or repeated.standing = arrivals.row_id
