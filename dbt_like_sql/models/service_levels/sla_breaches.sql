-- One row per ticket that passed the limit, or that waits with no more than the warning time left.
-- Key: ente, id_ticket.
with tickets as (
    select * from ticket_contacts
),

warning as (
    select coalesce(threshold_on('first_contact_warning_minutes', observed_at()), 0) as minutes
),

judged as (
    select
        tickets.*,
        case
            when breached then 'BREACHED'
            when waiting and limit_minutes - tickets.minutes <= warning.minutes then 'ABOUT_TO_BREACH'
        end as situation
    from tickets
    cross join warning
)

select
    ente,
    id_ticket,
    channel,
    situation,
    opened_at,
    first_contact_at,
    minutes,
    if(breached, minutes - limit_minutes, null) as over_minutes,
    if(breached, null, limit_minutes - minutes) as left_minutes,
    deadline_at,
    subject,
    seen_until
from judged
where situation is not null
