-- One row per view and due-date bucket; not_due stands beside: it is debt, not stock.
-- Key: view, bucket.
select
    ente_code() as ente,
    view,
    reference_date() as reference_date,
    bucket,
    sum(open_amount) as amount,
    count(*) as documents
from debt_positions
where open_amount <> 0
group by view, bucket
