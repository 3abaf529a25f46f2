-- materialized: view
-- One row per special case that stands: the latest delivered of the same supplier, document, kind and day, unless it takes
-- the case back. Key: row_id.
select * exclude (sequence, received_at)
from feed_special_cases
qualify row_number() over (
    partition by tax_id(piva_fornitore), tax_id(cf_fornitore), numero, data_emissione, caso, decorrenza
    order by row_id desc
) = 1
and not coalesce(annullato, false)
