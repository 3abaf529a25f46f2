-- One row per view: the stock of the commercial debt.
-- Key: view. All views are there even where no document is.
with views as (
    select unnest(['pcc', 'right', 'projected']) as view
)

select
    ente_code() as ente,
    views.view,
    reference_date() as reference_date,
    coalesce(sum(positions.stock), 0) as amount,
    count(positions.stock) as documents
from views
left join debt_positions as positions on positions.view = views.view and positions.stock <> 0
group by views.view
