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

-- Which of PCC's models the ente's operations are written in (register of enti): AREA_RGS unless said.
create or replace macro pcc_models() as coalesce(modelli_pcc(), 'AREA_RGS');

-- What a row of today's models says, in an accountant's words. `line` is the row.
create or replace macro amount_words(line) as case line.azione
    when 'SID' then 'PCC: ' || coalesce(nullif(concat_ws(
        ', ',
        'non commerciale ' || italian_money(nullif(line.importo_non_commerciale, 0)),
        'non liquidabile ' || italian_money(nullif(line.importo_non_liquidabile, 0)),
        'sospeso in contenzioso ' || italian_money(nullif(line.importo_sospeso_contenzioso, 0))
            || ' dal ' || italian_date(line.data_sospensione_contenzioso),
        'sospeso in contestazione ' || italian_money(nullif(line.importo_sospeso_contestazione, 0))
            || ' dal ' || italian_date(line.data_sospensione_contestazione),
        'sospeso per verifica di conformità ' || italian_money(nullif(line.importo_sospeso_verifica, 0))
            || ' dal ' || italian_date(line.data_sospensione_verifica)
    ), ''), 'tutto liquidabile')
    when 'MI' then 'PCC: IVA in scissione dei pagamenti'
    when 'CH' then 'PCC: chiuso, nulla da pagare'
    when 'RS' then 'PCC: ripristinato, non più chiuso'
    when 'RT' then 'PCC: azzerato, si ricomincia'
    when 'RC' then 'PCC: ricevuto il ' || italian_date(line.data_ricezione)
    when 'RF' then 'PCC: rifiutato il ' || italian_date(line.data_rifiuto)
    when 'CS' then 'PCC: scadenza ' || italian_date(line.data_scadenza)
        || if(observed_at() > date_trunc('month', line.data_scadenza) + interval 1 month + interval 14 day,
              ' (oltre il 15 del mese dopo la scadenza)', '')
    when 'IP' then concat_ws(
        '; ', 'PCC: pagato ' || italian_money(line.importo) || ', mandato ' || line.numero_mandato || ' del '
            || italian_date(line.data_mandato), line.words
    )
end;
