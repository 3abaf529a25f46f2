-- One row per duty and day on which it falls due, the year before D to the year after.
-- Key: duty, due_on. A duty met by a delivery says when that came, from 90 days before the day it concerns; one met by the
-- ente's word in the register, the day that it says.
with months as (
    select unnest(generate_series(
        make_date(year(reference_date()) - 1, 1, 1)::timestamp, make_date(year(reference_date()) + 1, 12, 1)::timestamp, interval 1 month
    ))::date as month
),

due as (
    select
        rules.*,
        months.month + (rules.day - 1) as due_on,
        if(
            rules.every = 'MONTH',
            months.month - 1,
            make_date(year(months.month) + rules.reference_year_offset, rules.reference_month, rules.reference_day)
        ) as concerns_day
    from rule_deadlines as rules
    join months on rules.every = 'MONTH' or rules.month = month(months.month)
    where coalesce(rules.tipo_ente = ente_tipo(), rules.tipo_ente is null)
      and months.month + (rules.day - 1) >= rules.valid_from
      and coalesce(months.month + (rules.day - 1) <= rules.valid_to, true)
),

delivered as (
    select kind, (received_at at time zone 'Europe/Rome')::date as day from deliveries
),

came as (
    select due.duty, due.due_on, min(delivered.day) as day
    from due
    join delivered on 'delivery:' || delivered.kind = due.met_by and delivered.day > due.concerns_day - 90
    group by due.duty, due.due_on
),

-- What the month's duty is about: debts whose term was exceeded in the month (interest runs from the day after the due date),
-- unpaid at its end.
exceeded as (
    select
        last_day(due_date + 1) as month_end,
        count(distinct (id_documento, progressivo_registrazione)) as documents,
        sum(amount) as amount
    from portions
    where view = 'right'
      and due_date < reference_date()
      and coalesce(paid_on > last_day(due_date + 1), true)
    group by last_day(due_date + 1)
)

select
    ente_code() as ente,
    due.duty,
    due.due_on,
    due.concerns_day,
    due.every,
    not coalesce(due.with_siope = 'ADVISED' and on_siope_plus(siope_plus(), siope_plus_dal(), due.concerns_day), false) as owed,
    if(due.met_by like 'register:%' and pubblicato_il() is null, null, due.met_by) as met_by,
    if(due.met_by like 'register:%', declared_for(pubblicato_il(), due.concerns_day), came.day) as delivered_on,
    if(due.every = 'MONTH' and due.concerns_day <= reference_date(), coalesce(exceeded.documents, 0), null) as documents,
    if(due.every = 'MONTH' and due.concerns_day <= reference_date(), coalesce(exceeded.amount, 0), null) as amount,
    if(owed, due.words, 'Consigliata, non più dovuta con SIOPE+: ' || due.words) as words,
    due.source
from due
left join came on came.duty = due.duty and came.due_on = due.due_on
left join exceeded on exceeded.month_end = due.concerns_day
