-- One row per pair of identifiers (VAT number, fiscal code) as written anywhere: which subject it is.
-- Key: piva, cf. One subject may bear both identifiers, and either matches (docs/rules.md#rule-5). A wrong identifier is kept,
-- joins nothing, and leaves a subject that has no other untrusted: its documents are not matched on it.
-- The number of a VAT group, seen with two or more right fiscal codes of companies, joins none of them: the subject is the
-- fiscal code where it is given, and the group only where the VAT number stands alone.
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

-- Check digits tell right from wrong where most of PCC's own identifiers have right ones; where they have not (invented
-- numbers), only the shape does.
digits as (
    select coalesce(count(*) filter (right_tax_id(id)) * 2 >= count(*) and count(*) > 0, false) as speak
    from (
        select distinct tax_id(id) as id
        from (select unnest([piva, cf]) as id from (select distinct id_fiscale_iva as piva, cf_fornitore as cf from stg_pcc_invoices))
    )
    where shaped_tax_id(id)
),

trust as (
    select found.id, case when digits.speak then right_tax_id(found.id) else shaped_tax_id(found.id) end as trusted
    from (select vat as id from normalised where vat is not null union select code from normalised where code is not null) as found
    cross join digits
),

identifiers as (
    select vat as id, bool_or(regexp_full_match(vat, '[0-9]{11}')) as is_vat, false as is_code
    from normalised where vat is not null group by vat
    union all
    select code, false, true
    from normalised where code is not null group by code
),

both_right as (
    select normalised.vat, normalised.code
    from normalised
    join trust as first on first.id = normalised.vat and first.trusted
    join trust as second on second.id = normalised.code and second.trusted
    where normalised.vat <> normalised.code
),

vat_groups as (
    select vat
    from both_right
    where regexp_full_match(vat, '[0-9]{11}') and regexp_full_match(code, '[0-9]{11}')
    group by vat
    having count(distinct code) > 1
),

pairs_of_ids as (
    select vat, code from both_right anti join vat_groups using (vat)
),

edges as (
    select vat as id, code as other from pairs_of_ids
    union
    select code, vat from pairs_of_ids
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
    named.creditor,
    trust.trusted,
    vat_groups.vat as vat_group
from normalised
left join trust as of_vat on of_vat.id = normalised.vat
left join trust as of_code on of_code.id = normalised.code
left join vat_groups on vat_groups.vat = normalised.vat
-- The VAT number, unless it is wrong or a group's and the fiscal code is right.
join trust on trust.id = case
    when normalised.vat is null then normalised.code
    when coalesce(of_code.trusted, false) and (not of_vat.trusted or vat_groups.vat is not null) then normalised.code
    else normalised.vat
end
join named on named.id = trust.id
