-- One row per view and step of the FGDC test (L. 145/2018 art. 1 c. 859, 862) for the year of D, in words.
-- Key: view, step. On 31 December the year is whole; before, it is what the year would cost if it ended on D.
with years as (
    select year(reference_date()) as year, make_date(year(reference_date()) - 1, 12, 31) as previous_day
),

received as (
    select view, sum(commercial_amount) as amount
    from debt_positions
    where reason not in ('REJECTED', 'NON_COMMERCIAL', 'AMBIGUOUS', 'DUPLICATE')
      and reception_date <= reference_date()
      and year(reception_date) = (select year from years)
    group by view
),

-- The fund is set aside on the budget of the year after the one under test; until that is stated, on the year's own.
budget as (
    select anno, stanziamento, coalesce(vincolato, 0) as vincolato, stanziamento - coalesce(vincolato, 0) as base
    from stg_budgets
    where anno in (select unnest([year, year + 1]) from years)
    order by anno desc
    limit 1
),

stated as (
    select stock_precedente from stg_budgets where anno = (select year from years)
),

facts as (
    select
        stock.view,
        years.year,
        stock.amount as stock,
        coalesce(received.amount, 0) as received,
        -- The stock that the ente says PCC certified counts before what we work out of the documents.
        coalesce(stated.stock_precedente, trend.amount, 0) as previous,
        stated.stock_precedente is not null as previous_stated,
        mean_days(figures.numerator, figures.denominator) as delay,
        rounded_quotient(figures.numerator, figures.denominator)::bigint as whole_days,
        budget.anno as budget_year,
        budget.stanziamento,
        budget.vincolato,
        budget.base
    from stock
    cross join years
    left join received on received.view = stock.view
    left join stock_trend as trend on trend.view = stock.view and trend.day = years.previous_day
    left join indicator_figures as figures
        on figures.view = stock.view and figures.name = 'DELAY' and figures.period = years.year::varchar
    left join budget on true
    left join stated on true
),

shares as (
    select
        *,
        euro(rounded_quotient(cents(received) * cents(threshold('fgdc_stock_share')), 10000)) as share_limit,
        euro(rounded_quotient(cents(previous) * cents(threshold('fgdc_stock_reduction')), 10000)) as reduction_limit
    from facts
),

-- The rates in force, each with the days of delay from which it holds (the stock's has none).
rates as (
    select test, from_days, coalesce(to_days, 2147483647) as to_days, arg_max(rate, valid_from) as rate
    from rule_fgdc_rates
    where valid_from <= reference_date() and coalesce(valid_to >= reference_date(), true)
    group by all
),

duties as (
    select
        shares.*,
        stock <= share_limit as within_share,
        stock <= reduction_limit as reduced,
        if(within_share or reduced, 0, coalesce(of_stock.rate, 0)) as stock_rate,
        coalesce(of_delay.rate, 0) as delay_rate
    from shares
    left join rates as of_stock on of_stock.test = 'STOCK'
    left join rates as of_delay on of_delay.test = 'DELAY' and shares.whole_days between of_delay.from_days and of_delay.to_days
),

judged as (
    select
        *,
        greatest(stock_rate, delay_rate) as rate,
        euro(rounded_quotient(cents(base) * cents(greatest(stock_rate, delay_rate)), 10000)) as amount
    from duties
),

steps as (
    select
        view, year, 1 as step, 'STOCK_SHARE' as name, stock as value, share_limit as bound, within_share as passed, null as rate,
        'Stock al ' || strftime(reference_date(), '%d/%m/%Y') || ': ' || italian(stock) || ' €. Il '
            || italian(threshold('fgdc_stock_share')) || ' % delle fatture ricevute nel ' || year || ' (' || italian(received)
            || ' €) è ' || italian(share_limit) || ' €: lo stock ' || if(within_share, 'non lo supera.', 'lo supera.') as words
    from judged
    union all
    select
        view, year, 2, 'STOCK_REDUCTION', stock, reduction_limit, reduced, null,
        'Stock al 31/12/' || (year - 1) || if(previous_stated, ' (dichiarato dall''ente)', ' (dai documenti noti)') || ': '
            || italian(previous) || ' €. Il ' || italian(threshold('fgdc_stock_reduction')) || ' % è ' || italian(reduction_limit)
            || ' €: lo stock ' || if(reduced, 'si è ridotto abbastanza.', 'non si è ridotto abbastanza.')
    from judged
    union all
    select
        view, year, 3, 'STOCK_DUTY', stock_rate, null, stock_rate = 0, stock_rate,
        if(stock_rate = 0, 'Dallo stock non nasce obbligo: basta una delle due condizioni.',
           'Nessuna delle due condizioni è rispettata: dallo stock nasce l''obbligo del ' || italian(stock_rate) || ' %.')
    from judged
    union all
    select
        view, year, 4, 'DELAY_DUTY', coalesce(delay, 0), null, delay_rate = 0, delay_rate,
        if(delay is null, 'Nessuna fattura ricevuta e scaduta nel ' || year || ': nessun ritardo.',
           'Indicatore di ritardo annuale: ' || italian(delay) || ' giorni, cioè ' || whole_days || ' interi: '
           || if(delay_rate = 0, 'nessun obbligo.', 'obbligo del ' || italian(delay_rate) || ' %.'))
    from judged
    union all
    select
        view, year, 5, 'FGDC_RATE', rate, null, rate = 0, rate,
        if(rate = 0, 'Nessun accantonamento al FGDC.',
           'Vale l''obbligo maggiore: ' || italian(rate) || ' % da accantonare al FGDC nel ' || (year + 1) || '.')
    from judged
    union all
    select
        view, year, 6, 'FGDC_AMOUNT', amount, base, amount = 0, rate,
        if(base is null, 'L''ente non ha comunicato lo stanziamento ' || (year + 1) || ' per beni e servizi (flusso budgets).',
           'Stanziamento ' || budget_year || ' per beni e servizi ' || italian(stanziamento) || ' € meno vincolati ' || italian(vincolato)
           || ' € = ' || italian(base) || ' €; il ' || italian(rate) || ' % è ' || italian(amount) || ' €.')
    from judged
)

select ente_code() as ente, reference_date() as reference_date, *
from steps
