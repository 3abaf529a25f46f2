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

-- TMP and TMR are of the same parts, each from a day of its own.
counted as (
    select *, year(reception_date) as year, 'RECEIVED' as basis
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
        basis,
        year,
        id_documento,
        progressivo_registrazione,
        closes_on,
        if(paid_on <= closes_on, paid_on, null) as settled_on,
        coalesce(settled_on, closes_on) as ends_on,
        time_from,
        due_date,
        days_suspended(suspended, suspended_days, issue_date, settled_on, ends_on) as taken_off,
        ends_on - due_date - taken_off as days_late,
        if(basis = 'RECEIVED', ends_on - time_from - taken_off, null) as days_taken,
        weight,
        amount
    from closing
),

summed as (
    select
        view,
        basis,
        year,
        closes_on,
        sum(weight) as denominator,
        count(*) as parts,
        sum(weight * days_late) as late,
        sum(weight * days_taken) as taken,
        max(
            indicator_part(
                weight * days_late, id_documento, progressivo_registrazione, settled_on, due_date, ends_on, amount, taken_off, days_late
            ), drilldown_documents()
        ) as most_late,
        max(
            indicator_part(
                weight * days_taken, id_documento, progressivo_registrazione, settled_on, time_from, ends_on, amount, taken_off, days_taken
            ), drilldown_documents()
        ) filter (basis = 'RECEIVED') as most_taken
    from closed
    group by view, basis, year, closes_on
),

figures as (
    select *, if(basis = 'DELAY', 'DELAY', 'TMR') as name, late as numerator, most_late as greatest_parts from summed
    union all
    select *, 'TMP', taken, most_taken from summed where basis = 'RECEIVED'
)

select
    ente_code() as ente,
    name,
    year::varchar as period,
    view,
    numerator,
    denominator,
    parts,
    0 as by_receipt,
    closes_on,
    greatest_parts
from figures
