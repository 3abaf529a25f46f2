-- One row per view and creditor of some document in the stock.
-- Key: view, creditor.
select
    ente_code() as ente,
    view,
    reference_date() as reference_date,
    creditor,
    arg_max(creditor_name, creditor_name) as creditor_name,
    sum(stock) as amount,
    count(*) as documents
from debt_positions
where stock <> 0
group by view, creditor
