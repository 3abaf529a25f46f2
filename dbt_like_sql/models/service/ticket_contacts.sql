-- One row per ticket: what the latest delivery says of it, and its working time to first contact, or so far.
-- Key: ente, id_ticket. A row that opens it after it had been closed is a reopening: opening and contact stay the first ones.
with arrived as (
    select
        *,
        row_number() over (partition by id order by row_id desc) as newest_first,
        count(*) over (partition by id) as times
    from feed_tickets
    where aperto_il < observation_moment()
),

latest as (
    select * from arrived where newest_first = 1
),

-- Few tickets come more than once: only these are looked at further.
earlier as (
    select
        latest.id,
        min(arrived.aperto_il) filter (arrived.chiuso_il <= latest.aperto_il and arrived.aperto_il < latest.aperto_il)
            as opened_before,
        min(arrived.primo_contatto_il) as contacted_before,
        bool_or(arrived.chiuso_il is not null and latest.chiuso_il is distinct from arrived.chiuso_il
            and (latest.chiuso_il is null or latest.chiuso_il > arrived.chiuso_il)) as was_closed
    from latest
    join arrived on arrived.id = latest.id and arrived.newest_first > 1
    where latest.times > 1
    group by latest.id
),

facts as (
    select
        latest.id as id_ticket,
        latest.canale as channel,
        coalesce(earlier.opened_before, latest.aperto_il) as opened_at,
        case
            when latest.canale = 'TELEFONO' then coalesce(earlier.opened_before, latest.aperto_il)
            when earlier.opened_before is not null then coalesce(earlier.contacted_before, latest.primo_contatto_il, latest.chiuso_il)
            else coalesce(latest.primo_contatto_il, earlier.contacted_before, latest.chiuso_il)
        end as told_contact_at,
        latest.chiuso_il as told_closed_at,
        earlier.opened_before is not null or coalesce(earlier.was_closed, false) as reopened,
        latest.oggetto as subject
    from latest
    left join earlier on earlier.id = latest.id
),

-- What is told to happen after the last moment seen has not happened yet.
seen as (
    select
        * exclude (told_contact_at, told_closed_at),
        in_italy(opened_at)::date as opened_day,
        if(told_contact_at < observation_moment(), greatest(told_contact_at, opened_at), null) as first_contact_at,
        if(told_closed_at < observation_moment(), told_closed_at, null) as closed_at
    from facts
),

ended as (
    select *, coalesce(first_contact_at, observation_moment()) as waited_until
    from seen
),

-- One limit a day of opening: days are few, tickets many.
limits as (
    select day, coalesce(threshold_on('first_contact_minutes', day), 0) as limit_minutes
    from (select distinct opened_day as day from ended)
),

timed as (
    select
        ended.*,
        limits.limit_minutes,
        limits.limit_minutes * 60000000 as limit_us,
        worked(opening.works_before, opening.works, opening.opens_at, ended.opened_at) as worked_at_opening,
        worked(ending.works_before, ending.works, ending.opens_at, ended.waited_until) as worked_at_end
    from ended
    join service_calendar as opening on opening.day = ended.opened_day
    join service_calendar as ending on ending.day = in_italy(ended.waited_until)::date
    join limits on limits.day = ended.opened_day
),

-- The day on which the limit is used up: the last whose earlier days hold less than is needed.
due as (
    select timed.*, epoch_us(spent.opens_at) + timed.worked_at_opening + timed.limit_us - spent.works_before as due_us, spent.works_before + spent.works as works_until
    from timed
    asof left join (select * from service_calendar where works > 0) as spent
        on timed.worked_at_opening + timed.limit_us > spent.works_before
)

select
    ente_code() as ente,
    id_ticket,
    channel,
    opened_at,
    opened_day,
    first_contact_at,
    closed_at,
    reopened,
    subject,
    worked_at_end - worked_at_opening as waited,
    as_minutes(worked_at_end - worked_at_opening) as minutes,
    limit_minutes,
    first_contact_at is null as waiting,
    worked_at_end - worked_at_opening > limit_us as breached,
    if(worked_at_opening + limit_us <= works_until, make_timestamptz(due_us::bigint), null) as deadline_at,
    observation_moment() as seen_until
from due
