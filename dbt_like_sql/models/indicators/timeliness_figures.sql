-- One row per period and view: the sums that make the indicator of timely payment, and its greatest parts.
-- Key: name, period, view. ITP (DPCM 22/9/2014 art. 9): payments of the period, by D. Days weigh with cents.
with dated as (
    select
        view,
        id_documento,
        progressivo_registrazione,
        amount,
        cents(amount) as weight,
        if(reading('itp_payment_day') = 'TRASMISSIONE', coalesce(sent_on, paid_on), paid_on) as paid_on,
        -- PCC has one day for each payment, and does not say which.
        view = 'right' and sent_on is null and reading('itp_payment_day') = 'TRASMISSIONE' as by_receipt,
        -- The days of a dispute are excluded: those that the payment names, else those that moved the due date.
        coalesce(stated_due_date + suspended_days::integer, due_date) as due_date
    from portions
    where paid_on is not null
),

paid as (
    select
        view,
        year(paid_on) as year,
        quarter(paid_on) as quarter,
        weight,
        by_receipt,
        paid_on - due_date as days,
        indicator_part(weight * days, id_documento, progressivo_registrazione, paid_on, due_date, paid_on, amount, 0, days) as part
    from dated
    where paid_on <= reference_date()
),

quarters as (
    select
        view,
        year,
        quarter,
        sum(weight * days) as numerator,
        sum(weight) as denominator,
        count(*) as parts,
        coalesce(sum(weight) filter (by_receipt), 0) as by_receipt,
        max(part, drilldown_documents()) as greatest_parts
    from paid
    group by view, year, quarter
)

select
    ente_code() as ente,
    'ITP' as name,
    if(grouping(quarter) = 1, year::varchar, year || '-Q' || quarter) as period,
    view,
    sum(numerator) as numerator,
    sum(denominator) as denominator,
    sum(parts) as parts,
    sum(by_receipt) as by_receipt,
    cast(null as date) as closes_on,
    greatest_of(greatest_parts) as greatest_parts
from quarters
group by grouping sets ((view, year), (view, year, quarter))
