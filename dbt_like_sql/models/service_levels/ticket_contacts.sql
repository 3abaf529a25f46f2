-- One row per ticket: the support desk's, or what the latest delivery says of it, and its working time to first contact, or so far.
-- Key: ente, id_ticket. A delivered row that opens it after it had been closed is a reopening: opening and contact stay the first ones.
with arrived as (
    select feed_tickets.*
    from feed_tickets
    anti join decided_support_tickets as own on own.id_ticket = feed_tickets.id
    where aperto_il < observation_moment()
),

-- Few tickets come more than once: only these are looked at further.
repeated as (
    select id, max(row_id) as standing
    from arrived
    group by id
    having count(*) > 1
),

latest as (
    select arrived.*
    from arrived
    left join repeated on repeated.id = arrived.id
    where repeated.standing is null or repeated.standing = arrived.row_id
),

earlier as (
    select
        latest.id,
        min(arrived.aperto_il) filter (arrived.chiuso_il <= latest.aperto_il and arrived.aperto_il < latest.aperto_il)
            as opened_before,
        min(arrived.primo_contatto_il) as contacted_before,
        bool_or(arrived.chiuso_il is not null and latest.chiuso_il is distinct from arrived.chiuso_il
            and (latest.chiuso_il is null or latest.chiuso_il > arrived.chiuso_il)) as was_closed
    from repeated
    join latest on latest.id = repeated.id
    join arrived on arrived.id = repeated.id and arrived.row_id <> repeated.standing
    group by latest.id
),

facts as (
    select
        latest.id as id_ticket,
        'FEED' as origin,
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
    union all
    select
        id_ticket,
        'DESK',
        channel,
        opened_at,
        coalesce(first_contact_at, closed_at),
        closed_at,
        reopened,
        subject
    from decided_support_tickets
    where opened_at < observation_moment()
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

-- The day on which the limit is used up, of those that wait or passed it: the last whose earlier days hold less.
due as (
    select
        late.id_ticket,
        make_timestamptz((epoch_us(spent.opens_at) + late.worked_at_opening + late.limit_us - spent.works_before)::bigint) as deadline_at
    from (
        select * from timed
        where first_contact_at is null or worked_at_end - worked_at_opening > limit_us
    ) as late
    asof join (select * from service_calendar where works > 0) as spent
        on late.worked_at_opening + late.limit_us > spent.works_before
    where late.worked_at_opening + late.limit_us <= spent.works_before + spent.works
)

select
    ente_code() as ente,
    timed.id_ticket,
    origin,
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
    due.deadline_at,
    observation_moment() as seen_until
from timed
left join due on due.id_ticket = timed.id_ticket
