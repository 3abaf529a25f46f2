-- materialized: view
-- One row per document of PCC: the latest delivered stands.
-- Key: progressivo_registrazione.
with repeated as (
    select progressivo_registrazione, max(row_id) as standing
    from feed_pcc_invoices
    group by progressivo_registrazione
    having count(*) > 1
)

select arrivals.* exclude (sequence, received_at)
from feed_pcc_invoices as arrivals
left join repeated using (progressivo_registrazione)
where repeated.standing is null or repeated.standing = arrivals.row_id
