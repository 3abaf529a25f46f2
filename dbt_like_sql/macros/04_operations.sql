-- The first of the wanted anomaly codes that a document bears: under which of them an operation is proposed.
create or replace macro first_borne(wanted, borne) as list_filter(wanted, lambda code: list_contains(borne, code))[1];

-- A subject as PCC writes it: IT before the eleven digits of an Italian VAT number, else as it is.
create or replace macro fiscal_identity(written) as if(regexp_full_match(tax_id(written), '[0-9]{11}'), 'IT' || tax_id(written), tax_id(written));

create or replace macro italian_date(day) as strftime(day, '%d/%m/%Y');

-- 1234567.89 as 1.234.567,89.
create or replace macro italian_money(amount) as
    if(amount < 0, '-', '') || replace(format('{:,}', floor(abs(amount))::bigint), ',', '.') || ','
    || right(abs(amount)::decimal(18, 2)::varchar, 2);
