-- One row per half-year: the rate of interest on late payment and what one day after another has added up to before it.
-- Key: half. A half-year not published yet bears the last rate known (D.Lgs. 231/2002 art. 5).
with half_years as (
    select make_date(years.year::integer, months.month, 1) as starts_on
    from range(2002, year(observed_at()) + 2) as years (year)
    cross join (values (1), (7)) as months (month)
    where make_date(years.year::integer, months.month, 1) >= date '2002-07-01'
),

rated as (
    select half_years.starts_on, rates.reference_rate, rates.surcharge, rates.reference_rate + rates.surcharge as rate
    from half_years
    asof join rule_interest_rates as rates on half_years.starts_on >= rates.valid_from
)

select
    ente_code() as ente,
    year(starts_on) * 2 + if(month(starts_on) = 7, 1, 0) as half,
    starts_on,
    reference_rate,
    surcharge,
    rate,
    coalesce(
        sum(rate * ((starts_on + interval 6 month)::date - starts_on))
            over (order by starts_on rows between unbounded preceding and 1 preceding),
        0
    ) as percent_days_before
from rated
