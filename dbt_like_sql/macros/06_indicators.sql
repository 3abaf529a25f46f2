-- Exact arithmetic of the indicators: no division passes through a float.

-- A quotient of whole numbers to the nearest whole number, halves away from zero; null over zero.
create or replace macro rounded_quotient(numerator, denominator) as
    sign(numerator)::integer * sign(denominator)::integer
    * ((2 * abs(numerator)::hugeint + abs(denominator)::hugeint) // nullif(2 * abs(denominator)::hugeint, 0));

create or replace macro cents(amount) as (amount * 100)::bigint;

create or replace macro euro(whole_cents) as (whole_cents::decimal(38, 0) * 0.01::decimal(3, 2))::decimal(18, 2);

-- A mean in days (cents times days over cents) to two decimals.
create or replace macro mean_days(cent_days, whole_cents) as euro(rounded_quotient(cent_days * 100, whole_cents));

-- A number as Italians write it: 1.234,56.
create or replace macro italian(amount) as translate(format('{:,.2f}', amount::decimal(18, 2)), ',.', '.,');

-- A part of a figure as its drill-down shows it: what weighs most stands first, ties by the document's keys.
create or replace macro indicator_part(weight, id_documento, progressivo, paid_on, from_day, to_day, amount, days) as {
    'weight': abs(weight)::bigint,
    'id_documento': id_documento,
    'progressivo_registrazione': progressivo,
    'paid_on': paid_on,
    'from_day': from_day,
    'to_day': to_day,
    'amount': amount,
    'days': days::integer
};

-- Parts shown of each figure.
create or replace macro drilldown_documents() as 50;
