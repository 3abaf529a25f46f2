-- materialized: step
-- One row per payment of the accounting system by O, as far as it counts: up to the commercial amount of its document, and with
-- what is withheld once the net is paid (docs/rules.md#rule-1 and docs/rules.md#rule-11).
-- Key: row_id. Petty cash and direct debits have no order to transmit: their own day counts.
with paid as (
    select
        row_id,
        id_documento,
        data_pagamento as paid_on,
        if(coalesce(modalita, 'MANDATO') = 'MANDATO', data_trasmissione, data_pagamento) as sent_on,
        giorni_sospensione as suspended_days,
        if(coalesce(storno, false), -importo, importo) as amount
    from payments
    where data_pagamento <= observed_at() and importo <> 0
),

-- The few documents of which another sum counts than was paid.
limited as (
    select
        id_documento,
        erp_commercial_amount as commercial_amount,
        greatest(erp_withheld, erp_paid_at_reference - erp_written_paid_at_reference, 0) as withheld
    from documents
    where id_documento is not null
      and (erp_written_paid_at_observation <> erp_paid_at_observation or erp_written_paid_at_reference <> erp_paid_at_reference)
),

running as (
    select
        paid.*,
        limited.commercial_amount,
        limited.withheld,
        sum(paid.amount) over (partition by paid.id_documento order by paid.paid_on, paid.row_id) as paid_so_far
    from paid
    join limited on limited.id_documento = paid.id_documento
),

reached as (
    select
        *,
        if(
            paid_so_far > 0 and commercial_amount - paid_so_far = withheld,
            commercial_amount,
            greatest(least(paid_so_far, commercial_amount), 0)
        ) as counts_so_far
    from running
)

select ente_code() as ente, paid.*
from paid
anti join limited on limited.id_documento = paid.id_documento
union all by name
select
    ente_code() as ente,
    row_id,
    id_documento,
    paid_on,
    sent_on,
    suspended_days,
    counts_so_far - coalesce(lag(counts_so_far) over (partition by id_documento order by paid_on, row_id), 0) as amount
from reached
