-- The two dates every figure is asked for, what is known of the ente, and the dated thresholds of the rule book.
create or replace macro reference_date() as getvariable('reference_date')::date;
create or replace macro observed_at() as getvariable('observed_at')::date;

-- Of the ente, as its register says. A batch of enti has other ones in their place (calculator/batch.py): no model and no
-- other macro reads these variables.
create or replace macro ente_code() as getvariable('ente')::varchar;
create or replace macro ente_tipo() as getvariable('ente_tipo')::varchar;
create or replace macro patron_saint() as getvariable('patron_saint')::varchar;
create or replace macro siope_plus() as getvariable('siope_plus')::boolean;
create or replace macro siope_plus_dal() as getvariable('siope_plus_dal')::date;
create or replace macro pubblicato_il() as getvariable('pubblicato_il')::date;
create or replace macro modelli_pcc() as getvariable('modelli_pcc')::varchar;

-- Days from reception to the due date where no date is known (D.Lgs. 231/2002 art. 4).
create or replace macro payment_term() as (
    select arg_max(days, (tipo_ente is not null, valid_from))
    from rule_payment_terms
    where (tipo_ente is null or tipo_ente = ente_tipo())
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
