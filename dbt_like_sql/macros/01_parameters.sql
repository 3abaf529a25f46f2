-- The two dates every figure is asked for, the kind of ente, and the dated thresholds of the rule book.
create or replace macro reference_date() as getvariable('reference_date')::date;
create or replace macro observed_at() as getvariable('observed_at')::date;
create or replace macro ente_code() as getvariable('ente')::varchar;

-- Days from reception to the due date where no date is known (D.Lgs. 231/2002 art. 4).
create or replace macro payment_term() as (
    select arg_max(days, (tipo_ente is not null, valid_from))
    from rule_payment_terms
    where (tipo_ente is null or tipo_ente = getvariable('ente_tipo')::varchar)
      and valid_from <= getvariable('reference_date')::date
      and (valid_to is null or valid_to >= getvariable('reference_date')::date)
);

-- A threshold as it stood on a day, and at the reference date.
create or replace macro threshold_on(wanted, on_day) as (
    select arg_max(value, valid_from)
    from rule_thresholds
    where name = wanted and valid_from <= on_day and (valid_to is null or valid_to >= on_day)
);
create or replace macro threshold(wanted) as threshold_on(wanted, getvariable('reference_date')::date);
