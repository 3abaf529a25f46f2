-- The clock of the service (docs/rules.md#rule-9): Italy's, whatever zone the session has.
create or replace macro observation_moment() as getvariable('observation_moment')::timestamptz;

-- The day and the local time in Italy of a moment, and the moment of a local time (the first of two when clocks go back).
create or replace macro in_italy(moment) as timezone('Europe/Rome', moment);
create or replace macro moment_of(local_time) as timezone('Europe/Rome', local_time::timestamp);

-- Working time from a day's table row: what earlier days hold and what of this one is past at the moment.
create or replace macro worked(works_before, works, opens_at, moment) as
    works_before + if(works = 0, 0, greatest(0, least(works, epoch_us(moment) - epoch_us(opens_at))));

create or replace macro as_minutes(microseconds) as (microseconds::decimal(38, 2) / 60000000)::decimal(18, 2);
create or replace macro month_name(day) as strftime(day, '%Y-%m');
create or replace macro quarter_name(day) as strftime(day, '%Y') || '-Q' || quarter(day);
