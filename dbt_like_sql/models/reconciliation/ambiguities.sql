-- One row per document that several others could be and that no later tier settled.
-- Key: the row of its side. The accounting system's document is ambiguous while a candidate of it is free.
with settled as (
    select erp_row, pcc_row from pairs where status = 'SETTLED'
),

open_pairs as (
    select contested.erp_row, contested.pcc_row, tiers.ordinal, contested.tier
    from pairs as contested
    join rule_match_tiers as tiers using (tier)
    anti join settled as settled_erp on settled_erp.erp_row = contested.erp_row
    anti join settled as settled_pcc on settled_pcc.pcc_row = contested.pcc_row
    where contested.status = 'CONTESTED'
)

select ente_code() as ente, erp_row, cast(null as bigint) as pcc_row, arg_min(tier, ordinal) as tier
from open_pairs
group by erp_row
union all
select ente_code(), null, pcc_row, arg_min(tier, ordinal)
from open_pairs
group by pcc_row
