-- One row per judgement of a ticket: those of the support desk, and those delivered.
-- Key: ente, id_ticket, judged_at. Of what was delivered for one ticket and moment the latest delivery stands.
with standing as (
    select id_ticket, il, giudizio
    from feed_ratings
    where il < observation_moment()
    qualify row_number() over (partition by id_ticket, il order by row_id desc) = 1
),

given as (
    select id_ticket, 'DESK' as origin, judged_at, verdict
    from decided_support_judgements
    where judged_at < observation_moment()
    union all
    select standing.id_ticket, 'FEED', standing.il, standing.giudizio
    from standing
    anti join decided_support_judgements as own on own.id_ticket = standing.id_ticket and own.judged_at = standing.il
)

select
    ente_code() as ente,
    given.id_ticket,
    given.origin,
    coalesce(ticket_contacts.channel, 'UNKNOWN') as channel,
    given.judged_at,
    in_italy(given.judged_at)::date as judged_day,
    given.verdict,
    observation_moment() as seen_until
from given
left join ticket_contacts on ticket_contacts.id_ticket = given.id_ticket
