-- One row per special case: the latest delivered of the same supplier, document, kind and day stands.
-- Key: row_id.
with arrivals as (
    select
        feed_special_cases.*,
        deliveries.sequence * 4294967296 + feed_special_cases.line as row_id
    from feed_special_cases
    join deliveries using (delivery)
)

select *
from arrivals
qualify row_number() over (
    partition by tax_id(piva_fornitore), tax_id(cf_fornitore), numero, data_emissione, caso, decorrenza
    order by row_id desc
) = 1
