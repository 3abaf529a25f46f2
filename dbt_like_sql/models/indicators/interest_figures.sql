-- One row per period and view: interest on late payment, and its greatest parts.
-- Key: name, period, view. D.Lgs. 231/2002: from the day after the due date to the day of payment, or to D where unpaid then;
-- rounded to the cent part by part.
with late as (
    select
        view,
        id_documento,
        progressivo_registrazione,
        due_date,
        amount,
        if(paid_on <= reference_date(), paid_on, null) as settled_on,
        coalesce(settled_on, reference_date()) as ends_on
    from portions
    where sign = 1
      and due_date < coalesce(if(paid_on <= reference_date(), paid_on, null), reference_date())
      and due_date >= date '2002-07-01'
      and (paid_on <= reference_date() or amount > 0)
),

-- Hundredths of a percent, as whole numbers.
curve as materialized (
    select half, starts_on, cents(percent_days_before) as before, cents(rate) as rate from interest_curve
),

accrued as (
    select
        late.view,
        if(late.settled_on is null, 'INTEREST_UNPAID', 'INTEREST') as name,
        year(late.ends_on) as year,
        if(late.settled_on is null, null, quarter(late.ends_on)) as quarter,
        -- Cents, times percent in hundredths, times days, over 365 days of a hundred percent in hundredths.
        rounded_quotient(
            cents(late.amount)::hugeint * (
                ended.before + ended.rate * (late.ends_on - ended.starts_on + 1)
                - due.before - due.rate * (late.due_date - due.starts_on + 1)
            ),
            3650000
        ) as interest,
        indicator_part(
            interest, late.id_documento, late.progressivo_registrazione, late.settled_on, late.due_date, late.ends_on, late.amount, 0,
            late.ends_on - late.due_date
        ) as part
    from late
    join curve as due on due.half = year(late.due_date) * 2 + if(month(late.due_date) > 6, 1, 0)
    join curve as ended on ended.half = year(late.ends_on) * 2 + if(month(late.ends_on) > 6, 1, 0)
),

quarters as (
    select view, name, year, quarter, sum(interest) as interest, count(*) as parts, max(part, drilldown_documents()) as greatest_parts
    from accrued
    group by view, name, year, quarter
)

select
    ente_code() as ente,
    name,
    if(grouping(quarter) = 1, year::varchar, year || '-Q' || quarter) as period,
    view,
    sum(interest) as numerator,
    cast(null as bigint) as denominator,
    sum(parts) as parts,
    0 as by_receipt,
    cast(null as date) as closes_on,
    greatest_of(greatest_parts) as greatest_parts
from quarters
group by grouping sets ((view, name, year), (view, name, year, quarter))
having grouping(quarter) = 1 or quarter is not null
