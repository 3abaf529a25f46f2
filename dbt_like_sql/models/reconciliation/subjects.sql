-- One row per pair of identifiers (VAT number, fiscal code) as written anywhere: which subject it is.
-- Key: piva, cf. One subject may bear both identifiers, and either matches (rules, section 5).
with written as (
    select piva_fornitore as piva, cf_fornitore as cf from stg_erp_invoices
    union
    select id_fiscale_iva, cf_fornitore from stg_pcc_invoices
    union
    select id_fiscale_iva, cf_fornitore from stg_sdi_invoices
    union
    select piva_fornitore, cf_fornitore from stg_open_list
    union
    select piva_fornitore, cf_fornitore from stg_special_cases
    union
    select nuovo_creditore_piva, nuovo_creditore_cf from stg_special_cases
),

normalised as (
    select piva, cf, tax_id(piva) as vat, tax_id(cf) as code
    from written
),

identifiers as (
    select vat as id, bool_or(regexp_full_match(vat, '[0-9]{11}')) as is_vat, false as is_code
    from normalised where vat is not null group by vat
    union all
    select code, false, true
    from normalised where code is not null group by code
),

edges as (
    select vat as id, code as other from normalised where vat is not null and code is not null and vat <> code
    union
    select code, vat from normalised where vat is not null and code is not null and vat <> code
),

-- Identifiers seen together, directly or through others.
together as (
    with recursive reached(id, other) as (
        select id, other from edges
        union
        select reached.id, edges.other
        from reached
        join edges on edges.id = reached.other
    )
    select id, other from reached
    union
    select id, id from identifiers
),

-- The Italian VAT number, else the fiscal code, else what there is.
named as (
    select
        together.id,
        arg_min(identifiers.id, (not identifiers.is_vat, not identifiers.is_code, identifiers.id)) as creditor
    from together
    join identifiers on identifiers.id = together.other
    group by together.id
)

select
    ente_code() as ente,
    normalised.piva,
    normalised.cf,
    normalised.vat,
    normalised.code,
    named.creditor
from normalised
join named on named.id = coalesce(normalised.vat, normalised.code)
