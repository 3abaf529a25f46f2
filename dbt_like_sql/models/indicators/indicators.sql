-- One row per indicator, period and view: the figure that readers see.
-- Key: name, period, view.
with debts as (
    select view, sum(open_amount) as amount, count(*) as documents, count(distinct creditor) as creditors
    from debt_positions
    where open_amount <> 0
    group by view
),

figures as (
    select
        name,
        period,
        view,
        if(denominator is null, euro(numerator), mean_days(numerator, denominator)) as value,
        if(denominator is null, 'EUR', 'days') as unit,
        parts
    from indicator_figures
    union all
    select name, year::varchar, view, value, if(name = 'FGDC_RATE', '%', 'EUR'), null
    from fgdc_steps
    where name in ('FGDC_RATE', 'FGDC_AMOUNT')
    union all
    select 'DEBT', reference_date()::varchar, stock.view, coalesce(debts.amount, 0), 'EUR', coalesce(debts.documents, 0)
    from stock
    left join debts on debts.view = stock.view
    union all
    select 'CREDITORS', reference_date()::varchar, stock.view, coalesce(debts.creditors, 0), 'creditors', null
    from stock
    left join debts on debts.view = stock.view
    union all
    select 'STOCK', reference_date()::varchar, view, amount, 'EUR', documents from stock
)

select
    ente_code() as ente,
    name,
    period,
    view,
    value,
    unit,
    parts,
    reference_date() as reference_date,
    observed_at() as observed_at
from figures
where value is not null
