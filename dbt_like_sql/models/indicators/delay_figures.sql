-- One row per mean of days, year and view: the sums that make it, and its greatest parts.
-- Key: name, period, view. TMP and TMR: documents received in the year. DELAY: due in the year, or paid in it before they
-- are due. What is paid after the year's close counts as unpaid then; days of suspension are taken off.
with readings as (
    select
        reading('mean_suspension') = 'SOTTRATTA' as takes_off,
        reading('payment_time_from') = 'EMISSIONE' as from_issue,
        reading('delay_documents') = 'SCADUTI' as all_due,
        reading('delay_paid_before') = 'SI' as paid_before
),

parts as (
    select
        portions.view,
        portions.id_documento,
        portions.progressivo_registrazione,
        portions.issue_date,
        portions.reception_date,
        if(readings.takes_off, portions.stated_due_date, portions.due_date) as due_date,
        if(readings.from_issue, portions.issue_date, portions.reception_date) as time_from,
        portions.paid_on,
        if(readings.takes_off, portions.suspended, null) as suspended,
        if(readings.takes_off, portions.suspended_days, null) as suspended_days,
        portions.amount,
        cents(portions.amount) as weight,
        readings.all_due,
        readings.paid_before
    from portions
    cross join readings
    where portions.issue_date <= reference_date()
      -- What is paid over the amount is no unpaid part.
      and (portions.paid_on is not null or portions.amount * portions.sign > 0)
),

counted as (
    select *, year(reception_date) as year, unnest(['TMP', 'TMR']) as name
    from parts
    where reception_date <= reference_date()
    union all
    select *, year(due_date), 'DELAY'
    from parts
    where due_date <= year_closes(view, year(due_date))
      and (all_due or year(reception_date) = year(due_date))
      and (paid_before or coalesce(year(paid_on) >= year(due_date), true))
    union all
    select *, year(paid_on), 'DELAY'
    from parts
    where paid_on <= year_closes(view, year(paid_on))
      and due_date > year_closes(view, year(paid_on))
      and all_due
),

closing as (
    select *, year_closes(view, year) as closes_on
    from counted
    where year <= year(reference_date())
),

closed as (
    select
        view,
        name,
        year,
        id_documento,
        progressivo_registrazione,
        closes_on,
        if(paid_on <= closes_on, paid_on, null) as settled_on,
        coalesce(settled_on, closes_on) as ends_on,
        if(name = 'TMP', time_from, due_date) as from_day,
        days_suspended(suspended, suspended_days, issue_date, settled_on, ends_on) as taken_off,
        weight,
        amount
    from closing
),

counting as (
    select
        view,
        name,
        year,
        closes_on,
        weight,
        ends_on - from_day - taken_off as days,
        indicator_part(
            weight * days, id_documento, progressivo_registrazione, settled_on, from_day, ends_on, amount, taken_off, days
        ) as part
    from closed
)

select
    ente_code() as ente,
    name,
    year::varchar as period,
    view,
    sum(weight * days) as numerator,
    sum(weight) as denominator,
    count(*) as parts,
    0 as by_receipt,
    closes_on,
    max(part, drilldown_documents()) as greatest_parts
from counting
group by view, name, year, closes_on
