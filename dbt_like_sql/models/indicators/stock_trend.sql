-- One row per view and day: the stock on that day with the facts known now, every day of the last 400 and every month's end before.
-- Key: view, day. Each part enters when its document is issued and due and leaves on the day it is paid (paid by D is paid on D).
with spans as (
    select view, greatest(due_date, issue_date) as enters_on, paid_on, amount
    from portions
    where coalesce(paid_on > greatest(due_date, issue_date), true)
      and greatest(due_date, issue_date) <= reference_date()
),

changes as (
    select view, day, sum(amount) as amount, sum(documents) as parts
    from (
        select view, enters_on as day, amount, 1 as documents from spans
        union all
        select view, paid_on, -amount, -1 from spans where paid_on <= reference_date()
    )
    group by view, day
),

levels as (
    select
        view,
        day,
        sum(amount) over (partition by view order by day) as amount,
        sum(parts) over (partition by view order by day) as parts
    from changes
),

days as (
    select views.view, days.day::date as day
    from (select distinct view from stock) as views
    cross join generate_series(
        greatest(least((select min(day) from changes), reference_date() - 399), make_date(year(reference_date()) - 10, 1, 1))::timestamp,
        reference_date()::timestamp,
        interval 1 day
    ) as days (day)
)

select
    ente_code() as ente,
    days.view,
    days.day,
    days.day = last_day(days.day) as month_end,
    coalesce(levels.amount, 0) as amount,
    coalesce(levels.parts, 0) as parts
from days
asof left join levels on levels.view = days.view and levels.day <= days.day
where days.day > reference_date() - 400 or days.day = last_day(days.day)
