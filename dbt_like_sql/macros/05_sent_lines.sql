-- What a line of Modello 003 or 002 says, as one text: equal for the operation as sent and the line handed back,
-- whatever a spreadsheet did to leading zeros, case or the second identifier meanwhile.
create or replace macro plain_code(written) as ltrim(regexp_replace(upper(written), '[^A-Z0-9]', '', 'g'), '0');

create or replace macro line_document(progressivo, supplier, numero, emissione, totale) as
    if(progressivo is not null and progressivo <> 'NA', 'P' || plain_code(progressivo),
       concat_ws('|', coalesce(tax_id(supplier), ''), plain_code(numero), emissione::varchar, abs(totale)::decimal(18, 2)::varchar));

create or replace macro line_movement(azione, importo, stato, causale, scadenza, mandato, mandato_il, beneficiario, ricezione, rifiuto) as
    case azione
        when 'CO' then concat_ws('|', 'CO', importo::varchar, upper(stato), coalesce(upper(causale), ''))
        when 'CS' then concat_ws('|', 'CS', coalesce(importo::varchar, ''), coalesce(scadenza::varchar, ''))
        when 'CP' then concat_ws('|', 'CP', importo::varchar, plain_code(mandato), mandato_il::varchar, coalesce(tax_id(beneficiario), ''))
        when 'RC' then concat_ws('|', 'RC', coalesce(ricezione::varchar, ''))
        when 'RF' then concat_ws('|', 'RF', coalesce(rifiuto::varchar, ''))
        else 'DOCUMENT'
    end;

-- The same of a row of today's models: how it names the document (the cells that it fills), and all that it sets. Never the
-- lot alone (docs/formats.md#area-rgs-outcomes).
create or replace macro area_document(way, progressivo, lotto, numero, emissione, supplier, office) as concat_ws(
    '|',
    if(coalesce(way, 1) = 1, coalesce(plain_code(progressivo), ''), ''),
    if(coalesce(way, 2) = 2, coalesce(plain_code(lotto), ''), ''),
    if(coalesce(way, 2) in (2, 3), coalesce(plain_code(numero), ''), ''),
    if(coalesce(way, 3) = 3, concat_ws('/', coalesce(emissione::varchar, ''), coalesce(plain_code(supplier), ''), coalesce(plain_code(office), '')), '//')
);

create or replace macro area_movement(line) as concat_ws(
    '|', line.azione, line.importo_non_commerciale, coalesce(line.importo_sospeso_contenzioso, 0),
    coalesce(line.data_sospensione_contenzioso::varchar, ''), coalesce(line.importo_sospeso_contestazione, 0),
    coalesce(line.data_sospensione_contestazione::varchar, ''), coalesce(line.importo_sospeso_verifica, 0),
    coalesce(line.data_sospensione_verifica::varchar, ''), coalesce(line.importo_non_liquidabile, 0), coalesce(line.split_payment, false),
    coalesce(line.data_scadenza::varchar, ''), coalesce(line.data_ricezione::varchar, ''), coalesce(line.data_rifiuto::varchar, ''),
    coalesce(line.importo, 0), coalesce(line.tipo_debito, ''), coalesce(plain_code(line.numero_mandato), ''),
    coalesce(line.data_mandato::varchar, ''), coalesce(tax_id(line.id_fiscale_beneficiario), ''),
    coalesce(line.cig, ''), coalesce(line.cup, '')
);
