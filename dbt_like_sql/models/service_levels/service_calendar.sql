-- One row per calendar day from the first ticket to well after the last moment seen, with its support hours in real time.
-- Key: ente, day. A day's length is the difference of two moments, so that a change of clocks inside the hours counts right.
with opened as (
    select min(aperto_il) as first_at from feed_tickets where aperto_il < observation_moment()
    union all
    select min(opened_at) from decided_support_tickets where opened_at < observation_moment()
),

span as (
    select
        least(coalesce(min(in_italy(first_at))::date, observed_at()), observed_at()) as first_day,
        (in_italy(observation_moment())::date + interval 60 day)::date as last_day
    from opened
),

days as (
    select unnest(generate_series(first_day, last_day, interval 1 day))::date as day
    from span
),

named as (
    select
        days.day,
        case
            when public_holidays.day is not null then public_holidays.name
            when strftime(days.day, '%m-%d') = patron_saint() then 'PATRONO'
        end as holiday
    from days
    left join public_holidays on public_holidays.day = days.day
),

hours as (
    select
        named.day,
        named.holiday,
        if(named.holiday is null, moment_of(named.day + rule_support_hours.opens), null) as opens_at,
        if(named.holiday is null, moment_of(named.day + rule_support_hours.closes), null) as closes_at
    from named
    left join rule_support_hours
        on rule_support_hours.weekday = isodow(named.day)
        and rule_support_hours.valid_from <= named.day
        and (rule_support_hours.valid_to is null or rule_support_hours.valid_to >= named.day)
),

lengths as (
    select *, coalesce(epoch_us(closes_at) - epoch_us(opens_at), 0) as works
    from hours
)

select
    ente_code() as ente,
    day,
    opens_at,
    closes_at,
    works,
    sum(works) over (order by day) - works as works_before,
    holiday
from lengths
