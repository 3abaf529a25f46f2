-- The first of the wanted anomaly codes that a document bears: under which of them an operation is proposed.
create or replace macro first_borne(wanted, borne) as list_filter(wanted, lambda code: list_contains(borne, code))[1];

-- A subject as PCC writes it: IT before the eleven digits of an Italian VAT number, else as it is.
create or replace macro fiscal_identity(written) as if(regexp_full_match(tax_id(written), '[0-9]{11}'), 'IT' || tax_id(written), tax_id(written));

-- Why a document is closed that the accounting system, or SDI alone, has as rejected.
create or replace macro refusal_words(erp_stato) as
    if(erp_stato = 'ANNULLATA', 'Documento annullato', 'Documento rifiutato') || ' dall''ente';

create or replace macro italian_date(day) as strftime(day, '%d/%m/%Y');

-- 1234567.89 as 1.234.567,89; more than two decimals are rounded first.
create or replace macro italian_money(amount) as
    if(amount::decimal(18, 2) < 0, '-', '') || replace(format('{:,}', floor(abs(amount::decimal(18, 2)))::bigint), ',', '.') || ','
    || right(abs(amount::decimal(18, 2))::varchar, 2);

-- A text with its {facts} filled in from a list of names and values. A brace within a value is put aside meanwhile: what a
-- fact itself says is never filled in again.
create or replace macro filled_in(template, facts) as replace(
    list_reduce(
        list_transform(facts, lambda fact: [fact[1], replace(coalesce(fact[2], 'non indicato'), '{', chr(1))]),
        lambda written, fact: [replace(written[1], fact[1], fact[2])],
        [template]
    )[1],
    chr(1), '{'
);
