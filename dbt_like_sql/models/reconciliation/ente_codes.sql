-- One row per fiscal code of the ente itself, as PCC's rows name it: it is never a wrong beneficiary, and owes itself nothing.
-- Key: code. The distinct ones are made first: a filter on their normalised form would else be asked of each row.
with written as materialized (
    select distinct cf_amministrazione as code from stg_pcc_invoices
)

select distinct ente_code() as ente, tax_id(code) as code
from written
where tax_id(code) is not null
