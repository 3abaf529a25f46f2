-- One row per duty and day on which it falls due, the year before D to the year after.
-- Key: duty, due_on. A duty met by a delivery says when that came, from 90 days before the day it concerns.
with years as (
    select unnest(range(year(reference_date()) - 1, year(reference_date()) + 2))::integer as year
),

due as (
    select
        rules.duty,
        make_date(years.year, rules.month, rules.day) as due_on,
        make_date(years.year + rules.reference_year_offset, rules.reference_month, rules.reference_day) as concerns_day,
        rules.met_by,
        rules.words,
        rules.source
    from rule_deadlines as rules
    cross join years
    where coalesce(rules.tipo_ente = getvariable('ente_tipo')::varchar, rules.tipo_ente is null)
      and make_date(years.year, rules.month, rules.day) >= rules.valid_from
      and coalesce(make_date(years.year, rules.month, rules.day) <= rules.valid_to, true)
),

delivered as (
    select kind, (received_at at time zone 'Europe/Rome')::date as day from deliveries
)

select
    ente_code() as ente,
    due.duty,
    due.due_on,
    due.concerns_day,
    due.met_by,
    min(delivered.day) as delivered_on,
    due.words,
    due.source
from due
left join delivered on 'delivery:' || delivered.kind = due.met_by and delivered.day > due.concerns_day - 90
group by all
