-- One row per document of PCC with something suspended, or whose feed tells the kinds: how much of which kind, and since when.
-- Key: progressivo_registrazione. As its feed says, else by the cause; `other` is what no kind of today's PCC stands for.
with kinds as (
    select
        accounts.*,
        coalesce(causes.kind, 'other') as kind
    from pcc_accounts as accounts
    left join rule_suspension_causes as causes on causes.cause = upper(accounts.causale_sospensione)
    where accounts.suspended > 0 or accounts.tells_kinds
)

select
    ente_code() as ente,
    progressivo_registrazione,
    tells_kinds,
    case when tells_kinds then coalesce(importo_sospeso_contenzioso, 0) when kind = 'lawsuit' then suspended else 0 end as lawsuit,
    case when tells_kinds then coalesce(importo_sospeso_contestazione, 0) when kind = 'contested' then suspended else 0 end as contested,
    case when tells_kinds then coalesce(importo_sospeso_verifica, 0) when kind = 'check' then suspended else 0 end as "check",
    suspended - lawsuit - contested - "check" as other,
    possible_day(data_sospensione_contenzioso) as lawsuit_from,
    possible_day(data_sospensione_contestazione) as contested_from,
    possible_day(data_sospensione_verifica) as check_from,
    suspended
from kinds
