-- Exact arithmetic of the indicators: no division passes through a float.

-- A quotient of whole numbers to the nearest whole number, halves away from zero; null over zero.
create or replace macro rounded_quotient(numerator, denominator) as
    sign(numerator)::integer * sign(denominator)::integer
    * ((2 * abs(numerator)::hugeint + abs(denominator)::hugeint) // nullif(2 * abs(denominator)::hugeint, 0));

create or replace macro cents(amount) as (amount * 100)::bigint;

create or replace macro euro(whole_cents) as (whole_cents::decimal(38, 0) * 0.01::decimal(3, 2))::decimal(18, 2);

-- A mean in days (cents times days over cents) to two decimals.
create or replace macro mean_days(cent_days, whole_cents) as euro(rounded_quotient(cent_days * 100, whole_cents));

-- A part of a figure as its drill-down shows it: what weighs most stands first, ties by the document's keys.
create or replace macro indicator_part(weight, id_documento, progressivo, paid_on, from_day, to_day, amount, suspended_days, days) as {
    'weight': abs(weight)::bigint,
    'id_documento': id_documento,
    'progressivo_registrazione': progressivo,
    'paid_on': paid_on,
    'from_day': from_day,
    'to_day': to_day,
    'amount': amount,
    'suspended_days': suspended_days::integer,
    'days': days::integer
};

-- Parts shown of each figure.
create or replace macro drilldown_documents() as 50;

-- The parts shown of a figure that is the sum of others, of which each has its own: an aggregate of their lists.
create or replace macro greatest_of(lists) as list_aggregate(flatten(list(lists)), 'max', drilldown_documents());

-- Which of two readings of a rule counts (rule_indicator_readings).
create or replace macro reading(wanted) as (
    select arg_max(value, valid_from)
    from rule_indicator_readings
    where name = wanted
      and valid_from <= getvariable('reference_date')::date
      and (valid_to is null or valid_to >= getvariable('reference_date')::date)
);

-- The day to which a mean of the year counts what is not paid: its end; while it runs O, but in PCC's view its end all the same.
create or replace macro year_closes(shown, year) as
    if(
        shown = 'pcc' and reading('pcc_unpaid_until') = 'FINE_ANNO',
        make_date(year, 12, 31),
        least(observed_at(), make_date(year, 12, 31))
    );

-- Days of suspension of a part from issue to its end. A payment that names its days has those. A suspension without an end
-- concerns what is unpaid alone: what was paid was payable.
create or replace macro days_suspended(spans, named, issued_on, settled_on, ends_on) as
    case
        when settled_on is not null and named is not null then named
        when spans is null then 0
        else coalesce(list_sum(list_transform(
            spans,
            lambda span: if(
                span.ends_on is null and settled_on is not null,
                0,
                greatest(least(coalesce(span.ends_on, ends_on), ends_on) - greatest(span.starts_on, issued_on), 0)
            )
        )), 0)
    end::integer;

-- A delay in whole days, as the FGDC's thresholds are: to the nearest, or what is above a whole day dropped.
create or replace macro whole_days(cent_days, whole_cents) as
    if(
        reading('fgdc_days') = 'ARROTONDATI',
        rounded_quotient(cent_days, whole_cents),
        cent_days // nullif(whole_cents, 0)
    )::bigint;

-- Whether the ente is on SIOPE+ on a day, as the register says; null where it says nothing.
create or replace macro on_siope_plus(is_on, since, day) as is_on and coalesce(since <= day, true);

-- The day on which the ente says it published, if that publication is of the year that ends on this day.
create or replace macro declared_for(declared, year_end) as
    if(declared between year_end and (year_end + interval 1 year)::date - 1, declared, null);
