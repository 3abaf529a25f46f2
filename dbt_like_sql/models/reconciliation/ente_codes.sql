-- materialized: view
-- One row per fiscal code of the ente itself, as PCC's rows name it: it is never a wrong beneficiary, and owes itself nothing.
-- Key: code.
select distinct ente_code() as ente, tax_id(written.cf_amministrazione) as code
from (select distinct cf_amministrazione from stg_pcc_invoices) as written
where tax_id(written.cf_amministrazione) is not null
