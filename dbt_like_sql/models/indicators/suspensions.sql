-- One row per document and source that says when it was suspended, as spans of days.
-- Key: source, id_documento, progressivo_registrazione. A span without an end still stood at O.
with moves as (
    select operations.progressivo_registrazione, operations.data_operazione, operations.row_id, states.from_account = 'sospeso' as ends
    from stg_pcc_operations as operations
    join rule_debt_movements as states on states.azione = operations.azione and states.stato_debito = operations.stato_debito
    where operations.data_operazione <= observed_at()
      and 'sospeso' in (states.from_account, states.to_account)
),

numbered as (
    select
        progressivo_registrazione,
        data_operazione,
        ends,
        count(*) filter (ends) over (
            partition by progressivo_registrazione
            order by data_operazione, row_id
            rows between unbounded preceding and 1 preceding
        ) as ended_before
    from moves
),

-- From the first movement that suspends to the first that lifts, also in part.
told as (
    select
        progressivo_registrazione,
        min(data_operazione) filter (not ends) as starts_on,
        min(data_operazione) filter (ends) as ends_on
    from numbered
    group by progressivo_registrazione, ended_before
    having count(*) filter (not ends) > 0
),

-- Today's platform gives the start with the amount that is suspended now.
states as (
    select
        progressivo_registrazione,
        least(
            possible_day(data_sospensione_contenzioso),
            possible_day(data_sospensione_contestazione),
            possible_day(data_sospensione_verifica)
        ) as starts_on
    from stg_pcc_invoices
    where coalesce(
        importo_sospeso,
        coalesce(importo_sospeso_contenzioso, 0) + coalesce(importo_sospeso_contestazione, 0) + coalesce(importo_sospeso_verifica, 0)
    ) > 0
),

spans as (
    select 'PCC_MOVEMENTS' as source, null as id_documento, progressivo_registrazione, starts_on, ends_on
    from told
    union all
    select 'PCC_STATE', null, progressivo_registrazione, starts_on, null
    from states
    where starts_on <= observed_at()
    union all
    select 'ERP', id_documento, null, suspended_from, null
    from erp_documents
    where stato = 'SOSPESA' and suspended_from <= observed_at()
)

select
    ente_code() as ente,
    source,
    id_documento,
    progressivo_registrazione,
    list({'starts_on': starts_on, 'ends_on': ends_on} order by starts_on) as spans
from spans
group by source, id_documento, progressivo_registrazione
