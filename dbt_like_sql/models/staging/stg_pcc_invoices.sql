-- One row per document of PCC: the latest delivered stands.
-- Key: progressivo_registrazione.
with arrivals as (
    select
        feed_pcc_invoices.*,
        deliveries.sequence * 4294967296 + feed_pcc_invoices.line as row_id
    from feed_pcc_invoices
    join deliveries using (delivery)
),

repeated as (
    select progressivo_registrazione, max(row_id) as standing
    from arrivals
    group by progressivo_registrazione
    having count(*) > 1
)

select arrivals.*
from arrivals
left join repeated using (progressivo_registrazione)
where repeated.standing is null or repeated.standing = arrivals.row_id
