-- One row per tax id, normalised, that some document bears: whose it is.
-- Key: identifier. A wrong one may stand beside the right ones of several subjects: the least of these then.
with borne as (
    select vat as identifier, coalesce(vat_group, creditor) as creditor from subjects where vat is not null
    union all
    select code, creditor from subjects where code is not null
)

select ente_code() as ente, identifier, min(creditor) as creditor
from borne
group by identifier
