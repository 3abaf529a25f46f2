-- One row per component (and ALL: up while every component measured is) and period. Closed months stand as they were closed.
-- Key: ente, service, period_kind, period. Service runs day and night: minutes are the clock's, not the support hours'.
with spans as (
    select service, false as down, epoch_us(began_at) as began, epoch_us(ended_at) as ended from probe_spans where ended_at > began_at
    union all
    select 'ALL', false, epoch_us(began_at), epoch_us(ended_at) from probe_spans where ended_at > began_at
    union all
    select service, true, epoch_us(began_at), epoch_us(ended_at) from probe_spans where ended_at > began_at and not up
    union all
    select 'ALL', true, epoch_us(began_at), epoch_us(ended_at) from probe_spans where ended_at > began_at and not up
),

-- Spans that touch or overlap are one stretch.
fresh as (
    select
        *,
        began > coalesce(
            max(ended) over (partition by service, down order by began, ended rows between unbounded preceding and 1 preceding),
            -1
        ) as begins
    from spans
),

numbered as (
    select *, count(*) filter (begins) over (partition by service, down order by began, ended rows unbounded preceding) as stretch
    from fresh
),

stretches as (
    select service, down, min(began) as began, max(ended) as ended
    from numbered
    group by service, down, stretch
),

months as (
    select
        first_day::date as first_day,
        epoch_us(moment_of(first_day)) as began,
        epoch_us(moment_of(first_day + interval 1 month)) as ended
    from (
        select unnest(generate_series(
            date_trunc('month', in_italy(make_timestamptz(min(began)))),
            in_italy(make_timestamptz(max(ended))),
            interval 1 month
        )) as first_day
        from stretches
    )
),

pieces as (
    select
        stretches.service,
        stretches.down,
        months.first_day,
        least(stretches.ended, months.ended) - greatest(stretches.began, months.began) as lasts
    from stretches
    join months on stretches.began < months.ended and stretches.ended > months.began
),

counted as (
    select
        service,
        if(month is not null, 'month', 'quarter') as period_kind,
        coalesce(month, quarter) as period,
        min(first_day) as any_day,
        coalesce(sum(lasts) filter (not down), 0) as measured,
        coalesce(sum(lasts) filter (down), 0) as out,
        count(*) filter (down) as outages
    from (select *, month_name(first_day) as month, quarter_name(first_day) as quarter from pieces)
    group by grouping sets ((service, month), (service, quarter))
),

budgets as (
    select
        *,
        date_trunc(period_kind, any_day) as first_day,
        (100 * (measured - out) / measured)::decimal(18, 8) as availability,
        coalesce(threshold_on('availability_percent', any_day), 0)::decimal(18, 8) as target
    from counted
),

allowed as (
    select
        *,
        as_minutes((epoch_us(moment_of(first_day + if(period_kind = 'month', interval 1 month, interval 3 month)))
            - epoch_us(moment_of(first_day))) * (100 - target) / 100) as budget_minutes
    from budgets
),

live as (
    select
        ente_code() as ente,
        service,
        period_kind,
        period,
        as_minutes(measured) as measured_minutes,
        as_minutes(out) as down_minutes,
        outages,
        availability,
        target,
        availability >= target as met,
        budget_minutes,
        budget_minutes - as_minutes(out) as budget_left_minutes,
        false as closed,
        observation_moment() as seen_until
    from allowed
)

select * from live
where period not in (select period from closed_sla_availability)
union all by name
select * replace (true as closed) from closed_sla_availability
