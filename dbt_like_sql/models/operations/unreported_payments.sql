-- One row per payment order of which PCC is to be told.
-- Key: id_documento, numero_mandato, data_mandato. What PCC lacks is told from the latest order backwards, on either side
-- of D what is lacking there; orders that PCC has (same number, else same amount) are left out. Reversals reduce their order.
with bearers as (
    select
        anomalies.id_documento,
        bool_or(catalogue.pays is not null and not anomalies.manual) as unreported,
        -- A person answers first.
        bool_or(catalogue.holds_payment) as held
    from anomalies
    join rule_anomalies as catalogue on catalogue.code = anomalies.code
    where anomalies.id_documento is not null
    group by anomalies.id_documento
),

credit_notes as (
    select invoice, sum(amount) as credited from credit_note_uses group by invoice
),

payers as materialized (
    select
        documents.id_documento,
        documents.progressivo_registrazione,
        coalesce(documents.pcc_paid_at_observation, 0) as paid_on_pcc,
        least(
            documents.erp_paid_at_observation - coalesce(documents.pcc_paid_at_observation, 0),
            if(documents.to_communicate, abs(documents.erp_total),
               documents.pcc_unbooked + documents.pcc_liquidated + documents.pcc_suspended + documents.pcc_not_payable)
        ) - least(coalesce(credit_notes.credited, 0), documents.erp_paid_at_observation - coalesce(documents.pcc_paid_at_observation, 0))
            as needed,
        documents.erp_paid_at_reference - coalesce(documents.pcc_paid_at_reference, 0) - coalesce(credit_notes.credited, 0) as needed_at_reference
    from documents
    join (select id_documento from bearers where unreported and not held) as asked on asked.id_documento = documents.id_documento
    left join credit_notes on credit_notes.invoice = documents.id_documento
),

paid as (
    select
        payments.*,
        bool_or(coalesce(payments.storno, false)) over (partition by payments.id_documento, payments.numero_mandato) as partly_reversed
    from payments
    semi join payers on payers.id_documento = payments.id_documento
    where payments.data_pagamento <= observed_at()
),

-- An order paid in two days around D is told twice; one with reversals once, with what is left.
orders as (
    select
        id_documento,
        numero_mandato,
        if(partly_reversed, null, data_pagamento <= reference_date()) as side,
        sum(if(storno, -importo, importo)) as paid,
        max(data_pagamento) filter (not coalesce(storno, false)) as paid_on,
        max(data_mandato) filter (not coalesce(storno, false)) as ordered_on,
        arg_max(cf_beneficiario, data_pagamento) filter (not coalesce(storno, false)) as cf_beneficiario
    from paid
    group by all
    having paid > 0 and paid_on is not null
),

-- PCC's movements tell which orders it has, where they sum to what its row says is paid; else the row alone is believed.
told as (
    select payers.id_documento, movements.numero_mandato, movements.importo
    from stg_pcc_operations as movements
    join payers on payers.progressivo_registrazione = movements.progressivo_registrazione
    where movements.azione = 'CP' and coalesce(movements.data_pagamento, movements.data_operazione) <= observed_at()
    qualify sum(movements.importo) over (partition by payers.id_documento) = payers.paid_on_pcc
),

told_by_number as (
    select id_documento, numero_mandato, sum(importo) as told from told where numero_mandato is not null group by all
),

numbered as (
    select orders.*, greatest(orders.paid - coalesce(told_by_number.told, 0), 0) as left_by_number
    from orders
    left join told_by_number using (id_documento, numero_mandato)
),

told_elsewhere as (
    select told.id_documento, told.importo, count(*) as times
    from told
    anti join orders using (id_documento, numero_mandato)
    group by all
),

lacking as (
    select
        numbered.*,
        if(
            numbered.left_by_number = numbered.paid and row_number() over same_amount <= coalesce(told_elsewhere.times, 0),
            0, numbered.left_by_number
        ) as lacking,
        numbered.paid_on <= reference_date() as by_reference
    from numbered
    left join told_elsewhere on told_elsewhere.id_documento = numbered.id_documento and told_elsewhere.importo = numbered.paid
    window same_amount as (partition by numbered.id_documento, numbered.paid order by numbered.paid_on, numbered.numero_mandato)
),

first_share as (
    select
        lacking.*,
        payers.needed,
        if(by_reference, least(lacking, greatest(
            greatest(least(payers.needed_at_reference, payers.needed), 0) - coalesce(sum(if(by_reference, lacking, 0)) over later, 0), 0
        )), 0) as share
    from lacking
    join payers using (id_documento)
    window later as (partition by lacking.id_documento order by paid_on desc, numero_mandato desc rows between unbounded preceding and 1 preceding)
),

second_share as (
    select
        *,
        share + if(by_reference, 0, least(lacking, greatest(
            needed - sum(share) over (partition by id_documento) - coalesce(sum(if(by_reference, 0, lacking)) over later, 0), 0
        ))) as second
    from first_share
    window later as (partition by id_documento order by paid_on desc, numero_mandato desc rows between unbounded preceding and 1 preceding)
),

-- What neither side of D could take goes to whatever order is left.
third_share as (
    select
        *,
        second + least(lacking - second, greatest(
            needed - sum(second) over (partition by id_documento) - coalesce(sum(lacking - second) over later, 0), 0
        )) as amount
    from second_share
    window later as (partition by id_documento order by paid_on desc, numero_mandato desc rows between unbounded preceding and 1 preceding)
)

select
    ente_code() as ente,
    id_documento,
    numero_mandato,
    -- One date goes to PCC: the order's, unless that would put the payment on the other side of D.
    if(ordered_on is not null and (ordered_on <= reference_date()) = by_reference, ordered_on, paid_on) as data_mandato,
    cf_beneficiario,
    amount,
    row_number() over (partition by id_documento order by paid_on, numero_mandato) as position
from third_share
where amount > 0
