-- One row per channel (and ALL) and period of the judgement. Closed months stand as they were closed.
-- Key: ente, channel, period_kind, period.
with placed as (
    select channel, month_name(judged_day) as month, quarter_name(judged_day) as quarter, verdict as giudizio
    from ticket_judgements
),

counted as (
    select
        coalesce(channel, 'ALL') as channel,
        if(month is not null, 'month', 'quarter') as period_kind,
        coalesce(month, quarter) as period,
        count(*) as ratings,
        count(*) filter (giudizio = 'POSITIVO') as positive,
        count(*) filter (giudizio = 'NEUTRO') as neutral,
        count(*) filter (giudizio = 'NEGATIVO') as negative
    from placed
    group by grouping sets ((month, channel), (month), (quarter, channel), (quarter))
),

live as (
    select
        ente_code() as ente,
        *,
        (100 * positive / ratings)::decimal(18, 8) as positive_share,
        (100 * neutral / ratings)::decimal(18, 8) as neutral_share,
        (100 * negative / ratings)::decimal(18, 8) as negative_share,
        false as closed,
        observation_moment() as seen_until
    from counted
),

standing_months as (
    select * from live
    where period not in (select period from closed_sla_satisfaction)
    union all by name
    select * exclude (trend) replace (true as closed) from closed_sla_satisfaction
)

select
    *,
    positive_share - lag(positive_share) over (partition by channel, period_kind order by period) as trend
from standing_months
