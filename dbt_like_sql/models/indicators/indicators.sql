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
        parts,
        view = 'pcc' and closes_on > observed_at() as simulated,
        if(by_receipt <> 0, euro(by_receipt), null) as by_receipt,
        case
            when by_receipt <> 0
                then 'Per ' || italian_money(euro(by_receipt)) || ' € su ' || italian_money(euro(denominator))
                    || ' € vale il giorno della quietanza: la trasmissione al tesoriere non è nota.'
            when view = 'pcc' and closes_on > observed_at()
                then 'Simulazione: l''anno è in corso e il non pagato conta fino al ' || italian_date(closes_on) || '.'
            when closes_on < make_date(year(closes_on), 12, 31)
                then 'Anno in corso: il non pagato conta fino al ' || italian_date(closes_on) || '.'
        end as note
    from indicator_figures
    union all
    select name, year::varchar, view, value, if(name = 'FGDC_RATE', '%', 'EUR'), null, false, null, null
    from fgdc_steps
    where name in ('FGDC_RATE', 'FGDC_AMOUNT')
    union all
    select 'DEBT', reference_date()::varchar, stock.view, coalesce(debts.amount, 0), 'EUR', coalesce(debts.documents, 0), false, null, null
    from stock
    left join debts on debts.view = stock.view
    union all
    select 'CREDITORS', reference_date()::varchar, stock.view, coalesce(debts.creditors, 0), 'creditors', null, false, null, null
    from stock
    left join debts on debts.view = stock.view
    union all
    select 'STOCK', reference_date()::varchar, view, amount, 'EUR', documents, false, null, null from stock
)

select
    ente_code() as ente,
    name,
    period,
    view,
    value,
    unit,
    parts,
    coalesce(simulated, false) as simulated,
    by_receipt,
    note,
    reference_date() as reference_date,
    observed_at() as observed_at
from figures
where value is not null
