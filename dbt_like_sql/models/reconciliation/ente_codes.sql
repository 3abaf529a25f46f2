-- One row per fiscal code of the ente itself, as PCC's rows name it: it is never a wrong beneficiary, and owes itself nothing.
-- Key: code. As a list first: else its normalised form would be asked of each row of PCC's.
with written as (
    select unnest(list(distinct cf_amministrazione)) as code from stg_pcc_invoices
)

select distinct ente_code() as ente, tax_id(code) as code
from written
where tax_id(code) is not null
