-- One row per indicator, period and view: the sums that make the figure, and its greatest parts.
-- Key: name, period, view. Days weigh with cents; interest is rounded to the cent part by part.
-- ITP (DPCM 22/9/2014 art. 9): payments of the period, by D.
with paid as (
    select
        view,
        year(paid_on) as year,
        quarter(paid_on) as quarter,
        cents(amount) as weight,
        paid_on - due_date as days,
        indicator_part(weight * days, id_documento, progressivo_registrazione, paid_on, due_date, paid_on, amount, days) as part
    from portions
    where paid_on <= reference_date()
),

itp as (
    select
        view,
        'ITP' as name,
        if(grouping(quarter) = 1, year::varchar, year || '-Q' || quarter) as period,
        sum(weight * days) as numerator,
        sum(weight) as denominator,
        count(*) as parts,
        max(part, drilldown_documents()) as greatest_parts
    from paid
    group by grouping sets ((view, year), (view, year, quarter))
),

-- What was received in a year, at that year's end or at O, whichever comes first: later payments count as unpaid then.
received as (
    select
        view,
        year(reception_date) as year,
        cents(amount) as weight,
        least(observed_at(), make_date(year(reception_date), 12, 31)) as closes_on,
        least(coalesce(paid_on, closes_on), closes_on) as ends_on,
        year(due_date) = year(reception_date) and due_date <= closes_on as fell_due,
        ends_on - reception_date as days_from_reception,
        ends_on - due_date as days_from_due,
        indicator_part(
            weight * days_from_reception, id_documento, progressivo_registrazione, paid_on, reception_date, ends_on, amount, days_from_reception
        ) as time_part,
        indicator_part(
            weight * days_from_due, id_documento, progressivo_registrazione, paid_on, due_date, ends_on, amount, days_from_due
        ) as delay_part
    from portions
    where reception_date <= reference_date()
      -- What is paid over the amount is no unpaid part.
      and (paid_on is not null or amount * sign > 0)
),

means as (
    select
        view,
        year::varchar as period,
        sum(weight * days_from_reception) as tmp,
        sum(weight * days_from_due) as tmr,
        sum(weight) as weight,
        count(*) as parts,
        max(time_part, drilldown_documents()) as time_parts,
        max(delay_part, drilldown_documents()) as delay_parts,
        sum(weight * days_from_due) filter (fell_due) as delay,
        sum(weight) filter (fell_due) as fell_due_weight,
        count(*) filter (fell_due) as fell_due_parts,
        max(delay_part, drilldown_documents()) filter (fell_due) as fell_due_delay_parts
    from received
    group by view, year
),

-- Interest (D.Lgs. 231/2002): from the day after the due date to the day of payment, or to D where unpaid then.
late as (
    select * exclude (paid_on), if(paid_on <= reference_date(), paid_on, null) as paid_on, coalesce(paid_on, reference_date()) as ends_on
    from (select * replace (if(paid_on <= reference_date(), paid_on, null) as paid_on) from portions where sign = 1)
    where due_date < ends_on
      and due_date >= date '2002-07-01'
      and (paid_on is not null or amount > 0)
),

accrued as (
    select
        late.view,
        if(late.paid_on is null, 'INTEREST_UNPAID', 'INTEREST') as name,
        year(late.ends_on) as year,
        if(late.paid_on is null, null, quarter(late.ends_on)) as quarter,
        -- Cents, times percent in hundredths, times days, over 365 days of a hundred percent in hundredths.
        rounded_quotient(
            cents(late.amount)::hugeint * cents(
                ended.percent_days_before + ended.rate * (late.ends_on - ended.starts_on + 1)
                - due.percent_days_before - due.rate * (late.due_date - due.starts_on + 1)
            ),
            3650000
        ) as interest,
        indicator_part(
            interest, late.id_documento, late.progressivo_registrazione, late.paid_on, late.due_date, late.ends_on, late.amount,
            late.ends_on - late.due_date
        ) as part
    from late
    join interest_curve as due on due.half = year(late.due_date) * 2 + if(month(late.due_date) > 6, 1, 0)
    join interest_curve as ended on ended.half = year(late.ends_on) * 2 + if(month(late.ends_on) > 6, 1, 0)
),

interest as (
    select
        view,
        name,
        if(grouping(quarter) = 1, year::varchar, year || '-Q' || quarter) as period,
        sum(interest) as numerator,
        count(*) as parts,
        max(part, drilldown_documents()) as greatest_parts
    from accrued
    group by grouping sets ((view, name, year), (view, name, year, quarter))
    having grouping(quarter) = 1 or quarter is not null
),

figures as (
    select view, name, period, numerator, denominator, parts, greatest_parts from itp
    union all
    select view, 'TMP', period, tmp, weight, parts, time_parts from means
    union all
    select view, 'TMR', period, tmr, weight, parts, delay_parts from means
    union all
    select view, 'DELAY', period, delay, fell_due_weight, fell_due_parts, fell_due_delay_parts from means where fell_due_parts > 0
    union all
    select view, name, period, numerator, null, parts, greatest_parts from interest
)

select ente_code() as ente, name, period, view, numerator, denominator, parts, greatest_parts
from figures
