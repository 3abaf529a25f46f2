-- One row per view and year of issue.
-- Key: view, issue_year.
select
    ente_code() as ente,
    view,
    reference_date() as reference_date,
    issue_year,
    sum(stock) as amount,
    count(*) as documents
from debt_positions
where stock <> 0
group by view, issue_year
