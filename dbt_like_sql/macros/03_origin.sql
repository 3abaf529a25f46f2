-- Where a document comes from (docs/readings.md): kept apart, since PCC knows by itself only what passed SDI.

-- First day of a duty for the ente's kind, else for all (EINVOICE: electronic invoices; PCC: the platform's register).
create or replace macro duty_from(wanted) as (
    select arg_max(starts_on, tipo_ente is not null)
    from rule_duties
    where duty = wanted and (tipo_ente is null or tipo_ente = ente_tipo())
);

-- A VAT number of another country: two letters that are not IT, then up to twelve signs. A fiscal code has six letters.
create or replace macro is_foreign_vat(id) as
    regexp_full_match(id, '[A-Z]{2}[A-Z0-9]{2,12}') and regexp_matches(id, '[0-9]') and not starts_with(id, 'IT');

-- A fiscal code that is no VAT number: a person's, or an organisation's without VAT (they begin with 8 or 9).
create or replace macro is_code_without_vat(id) as
    regexp_full_match(id, '[A-Z]{6}[A-Z0-9]{10}') or regexp_full_match(id, '[89][0-9]{10}');

-- A lot of SDI is digits above zero: a word written for none (NULL, N/D) is none, whatever column it stands in.
create or replace macro is_lot(written) as coalesce(regexp_full_match(written, '0*[1-9][0-9]*'), false);

-- vat and code normalised (subjects); creditor may know a VAT number that the document does not bear.
create or replace macro document_origin(lot, vat, code, creditor, type_origin, issue_date) as
    case
        when is_lot(lot) then 'SDI'
        when is_foreign_vat(coalesce(vat, code)) or type_origin = 'FOREIGN' then 'FOREIGN'
        when issue_date < greatest(duty_from('EINVOICE'), duty_from('PCC')) then 'PRE_SDI'
        when vat is null and is_code_without_vat(code) and is_code_without_vat(creditor) then 'NO_VAT'
        when type_origin is not null then type_origin
        else 'UNTOLD'
    end;
