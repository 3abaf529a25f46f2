-- One row per measurement and the time it stands for: until the next of its component, but no longer than the gap allowed.
-- Key: ente, service, began_at. The last one stands as long as the one before it. The provider's own probes concern every ente.
with standing as (
    select il, servizio, esito, ms
    from feed_probes
    where il < observation_moment()
    qualify row_number() over (partition by servizio, il order by row_id desc) = 1
),

neighbours as (
    select
        *,
        epoch_us(il) as at_us,
        epoch_us(lead(il) over (partition by servizio order by il)) as next_us,
        epoch_us(lag(il) over (partition by servizio order by il)) as last_us,
        (select coalesce(threshold_on('probe_gap_minutes', observed_at()), 15) * 60000000)::bigint as gap
    from standing
)

select
    ente_code() as ente,
    servizio as service,
    il as began_at,
    make_timestamptz(least(at_us + least(gap, coalesce(next_us - at_us, at_us - last_us, gap)), epoch_us(observation_moment()))) as ended_at,
    esito = 'UP' as up,
    ms,
    observation_moment() as seen_until
from neighbours
