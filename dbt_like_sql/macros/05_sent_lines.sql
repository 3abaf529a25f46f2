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
