-- One row per view: the facts of the FGDC test (L. 145/2018 art. 1 c. 859, 862, 863, 868) for the year of D and what follows.
-- Key: view. On 31 December the year is whole; before, it is what the year would cost if it ended on D.
with years as (
    select year(reference_date()) as year, make_date(year(reference_date()) - 1, 12, 31) as previous_day
),

received as materialized (
    select
        view,
        sum(commercial_amount) filter (reason not in ('REJECTED', 'NON_COMMERCIAL', 'AMBIGUOUS', 'DUPLICATE') and reception_date <= reference_date())
            as amount,
        count(*) filter (paid_at_reference <> 0) as paid_documents
    from debt_positions
    where year(reception_date) = (select year from years)
    group by view
),

-- The fund is set aside on the budget of the year after the one under test; until that is stated, on the year's own.
-- When that budget changes, the latest counts (c. 863): what was stated first says by how much the fund changes.
stated_first as (
    select anno, stanziamento - coalesce(vincolato, 0) as base
    from feed_budgets
    qualify row_number() over (partition by anno order by row_id) = 1
),

budget as (
    select anno, stanziamento, coalesce(vincolato, 0) as vincolato, stanziamento - coalesce(vincolato, 0) as base,
        stated_first.base as base_before
    from stg_budgets
    join stated_first using (anno)
    where anno in (select unnest([year, year + 1]) from years)
    order by anno desc
    limit 1
),

stated as (
    select stock_precedente from stg_budgets where anno = (select year from years)
),

-- c. 868. The calendar says whether the debts were published and whether the stock is still to be communicated; payments of the
-- year that the ente knows and PCC does not say that PCC is not fed, if its feed is of D or later.
published as (
    select due_on as publish_by, delivered_on as published_on
    from deadlines
    where duty = 'ART33_ANNUAL' and concerns_day = make_date((select year from years), 12, 31)
),

paid as (
    select view, count(*) filter (paid_on <= reference_date()) as payments
    from portions
    where year(paid_on) = (select year from years)
    group by view
),

told as (
    select coalesce(max((received_at at time zone 'Europe/Rome')::date) >= reference_date(), false) as lately
    from deliveries
    where kind = 'pcc_invoices'
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
        whole_days(figures.numerator, figures.denominator) as whole_days,
        figures.closes_on,
        budget.anno as budget_year,
        budget.* exclude (anno),
        published.publish_by,
        published.published_on,
        case
            when published.published_on is not null then 'PUBLISHED'
            when published.publish_by is null or observed_at() <= published.publish_by then 'NOT_YET'
            when pubblicato_il() < make_date(years.year, 12, 31) then 'MISSING'
            when reading('c868_not_declared') = 'NON_PUBBLICATO' then 'MISSING'
            else 'NOT_DECLARED'
        end as publication,
        case
            when on_siope_plus(siope_plus(), siope_plus_dal(), reference_date()) then 'SIOPE_PLUS'
            when coalesce(shown.payments, 0) > 0 or coalesce(known.paid_documents, 0) > 0 then 'FED'
            when coalesce(made.payments, 0) = 0 then 'NOTHING_PAID'
            when not told.lately then 'NOT_KNOWN'
            else 'MISSING'
        end as feeding
    from stock
    cross join years
    cross join told
    left join received on received.view = stock.view
    left join stock_trend as trend on trend.view = stock.view and trend.day = years.previous_day
    left join indicator_figures as figures
        on figures.view = stock.view and figures.name = 'DELAY' and figures.period = years.year::varchar
    left join budget on true
    left join stated on true
    left join published on true
    left join paid as shown on shown.view = if(stock.view = 'right', 'pcc', stock.view)
    left join received as known on known.view = if(stock.view = 'right', 'pcc', stock.view)
    left join paid as made on made.view = 'right'
),

shares as (
    select
        *,
        euro(rounded_quotient(cents(received) * cents(threshold('fgdc_stock_share')), 10000)) as share_limit,
        euro(rounded_quotient(cents(previous) * cents(threshold('fgdc_stock_reduction')), 10000)) as reduction_limit,
        (publication = 'MISSING')::integer + (feeding = 'MISSING')::integer >= if(reading('c868_conditions') = 'UNA', 1, 2) as silent
    from facts
),

-- The rates in force, each with the days of delay from which it holds (the others have none).
rates as (
    select test, from_days, coalesce(to_days, 2147483647) as to_days, arg_max(rate, valid_from) as rate
    from rule_fgdc_rates
    where valid_from <= reference_date() and coalesce(valid_to >= reference_date(), true)
    group by test, from_days, to_days
),

duties as (
    select
        shares.*,
        shares.stock <= shares.share_limit as within_share,
        shares.stock <= shares.reduction_limit as reduced,
        if(within_share or reduced, 0, coalesce(of_stock.rate, 0)) as stock_rate,
        coalesce(of_delay.rate, 0) as delay_rate,
        if(shares.silent, coalesce(of_silence.rate, 0), 0) as silence_rate,
        greatest(stock_rate, delay_rate, silence_rate) as rate
    from shares
    left join rates as of_stock on of_stock.test = 'STOCK'
    left join rates as of_silence on of_silence.test = 'SILENCE'
    left join rates as of_delay on of_delay.test = 'DELAY' and shares.whole_days between of_delay.from_days and of_delay.to_days
)

select
    ente_code() as ente,
    *,
    euro(rounded_quotient(cents(base) * cents(rate), 10000)) as amount,
    euro(rounded_quotient(cents(base_before) * cents(rate), 10000)) as amount_before
from duties
