-- One row per channel (and ALL) and period of opening, month and quarter. Closed months stand as they were closed.
-- Key: ente, channel, period_kind, period.
with tickets as (
    select
        channel,
        month_name(opened_day) as month,
        quarter_name(opened_day) as quarter,
        closed_at is null as open_now,
        waiting,
        breached,
        waited::double as waited,
        waited as waited_us,
        limit_minutes,
        opened_day,
        waiting and not breached and limit_minutes - minutes
            <= (select coalesce(threshold_on('first_contact_warning_minutes', observed_at()), 0)) as about_to_breach
    from ticket_contacts
),

counted as (
    select
        coalesce(channel, 'ALL') as channel,
        if(month is not null, 'month', 'quarter') as period_kind,
        coalesce(month, quarter) as period,
        count(*) as opened,
        count(*) filter (open_now) as open_now,
        count(*) filter (waiting) as waiting,
        as_minutes(sum(waited_us)) / count(*) as mean_minutes,
        quantile_cont(waited, 0.5) / 60000000 as median_minutes,
        quantile_cont(waited, 0.9) / 60000000 as p90_minutes,
        as_minutes(max(waited_us)) as max_minutes,
        count(*) filter (not breached) as within_limit,
        count(*) filter (breached) as breaches,
        as_minutes(sum(waited_us - limit_minutes * 60000000) filter (breached)) / count(*) filter (breached) as breach_mean_minutes,
        as_minutes(max(waited_us - limit_minutes * 60000000) filter (breached)) as breach_max_minutes,
        count(*) filter (about_to_breach) as about_to_breach,
        arg_max(limit_minutes, opened_day) as limit_minutes
    from tickets
    group by grouping sets ((month, channel), (month), (quarter, channel), (quarter))
),

live as (
    select
        ente_code() as ente,
        * exclude (mean_minutes, median_minutes, p90_minutes, breach_mean_minutes),
        mean_minutes::decimal(18, 2) as mean_minutes,
        median_minutes::decimal(18, 2) as median_minutes,
        p90_minutes::decimal(18, 2) as p90_minutes,
        breach_mean_minutes::decimal(18, 2) as breach_mean_minutes,
        (100 * within_limit / opened)::decimal(18, 8) as within_share,
        false as closed,
        observation_moment() as seen_until
    from counted
)

select * from live
where period not in (select period from closed_sla_tickets)
union all by name
select * replace (true as closed) from closed_sla_tickets
