-- One row per payment order of a document of which PCC lacks something, and side of D: what PCC lacks of it by its movements.
-- Key: id_documento, numero_mandato, order_year, side. Orders of one number in two years are two (docs/rules.md#rule-12); orders that
-- PCC has (same number and year, else same amount) lack nothing. Reversals reduce their order. How much of it is told:
-- unreported_payments.
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

payers as materialized (
    select
        documents.id_documento,
        documents.progressivo_registrazione,
        coalesce(documents.pcc_paid_at_observation, 0) as paid_on_pcc,
        documents.erp_withheld,
        documents.erp_paid_at_observation - coalesce(documents.pcc_paid_at_observation, 0) - coalesce(closed.amount, 0) as gap,
        least(
            gap,
            if(documents.to_communicate, abs(documents.erp_total),
               documents.pcc_unbooked + documents.pcc_liquidated + documents.pcc_suspended + documents.pcc_not_payable)
        ) - least(coalesce(credit_notes.credited, 0), gap) as needed,
        documents.erp_paid_at_reference - coalesce(documents.pcc_paid_at_reference, 0) - coalesce(closed.amount, 0)
            - coalesce(credit_notes.credited, 0) as needed_at_reference
    from documents
    join (select id_documento from bearers where unreported and not held) as asked on asked.id_documento = documents.id_documento
    left join (select invoice, sum(amount) as credited from credit_note_uses group by invoice) as credit_notes
        on credit_notes.invoice = documents.id_documento
    left join credit_notes_closed as closed on closed.id_documento = documents.id_documento
),

-- A reversal without an order's day is of the year of the latest payment of its number.
paid as (
    select
        payments.*,
        coalesce(
            year(payments.data_mandato),
            if(payments.storno, null, year(payments.data_pagamento)),
            last_value(if(payments.storno, null, order_year(payments.data_mandato, payments.data_pagamento)) ignore nulls) over earlier,
            year(payments.data_pagamento)
        ) as order_year
    from payments
    semi join payers on payers.id_documento = payments.id_documento
    where payments.data_pagamento <= observed_at()
    window earlier as (
        partition by payments.id_documento, payments.numero_mandato order by payments.data_pagamento, payments.row_id
        rows between unbounded preceding and current row
    )
),

sided as (
    select
        *,
        bool_or(coalesce(storno, false)) over (partition by id_documento, numero_mandato, order_year) as partly_reversed,
        if(partly_reversed, null, data_pagamento <= reference_date()) as side
    from paid
),

-- An order paid in two days around D is told twice; one with reversals once, with what is left.
ordered as (
    select
        id_documento,
        numero_mandato,
        order_year,
        side,
        sum(if(storno, -importo, importo)) as paid,
        max(data_pagamento) filter (not coalesce(storno, false)) as paid_on,
        max(data_mandato) filter (not coalesce(storno, false)) as ordered_on,
        arg_max(cf_beneficiario, data_pagamento) filter (not coalesce(storno, false)) as cf_beneficiario,
        arg_max(coalesce(modalita, 'MANDATO'), data_pagamento) filter (not coalesce(storno, false)) as modalita
    from sided
    group by id_documento, numero_mandato, order_year, side
    having paid > 0 and paid_on is not null
),

-- What is withheld is paid with the last order: PCC takes the gross.
orders as (
    select
        ordered.* replace (
            ordered.paid + if(
                row_number() over (partition by ordered.id_documento order by ordered.paid_on desc, ordered.numero_mandato desc) = 1,
                payers.erp_withheld, 0
            ) as paid
        )
    from ordered
    join payers on payers.id_documento = ordered.id_documento
),

-- PCC's movements tell which orders it has, where they sum to what its row says is paid; else the row alone is believed.
told as (
    select payers.id_documento, movements.row_id, movements.numero_mandato, movements.order_year, movements.importo
    from pcc_payments as movements
    join payers on payers.progressivo_registrazione = movements.progressivo_registrazione
    where movements.paid_on <= observed_at()
    qualify sum(movements.importo) over (partition by payers.id_documento) = payers.paid_on_pcc
),

-- Which order of its number a movement tells: the one of its year, else the one paid in it; any where it has no day.
told_orders as (
    select told.row_id, told.id_documento, told.importo, orders.numero_mandato, orders.order_year
    from told
    join (select distinct id_documento, numero_mandato, order_year, year(paid_on) as paid_year from orders) as orders
        on orders.id_documento = told.id_documento and orders.numero_mandato = told.numero_mandato
    where coalesce(told.order_year in (orders.order_year, orders.paid_year), true)
    qualify row_number() over (
        partition by told.row_id order by (orders.order_year = told.order_year) desc nulls last, orders.order_year
    ) = 1
),

told_by_number as (
    select id_documento, numero_mandato, order_year, sum(importo) as told
    from told_orders
    group by id_documento, numero_mandato, order_year
),

numbered as (
    select orders.*, greatest(orders.paid - coalesce(told_by_number.told, 0), 0) as left_by_number
    from orders
    left join told_by_number using (id_documento, numero_mandato, order_year)
),

told_elsewhere as (
    select told.id_documento, told.importo, count(*) as times
    from told
    anti join told_orders on told_orders.row_id = told.row_id
    group by told.id_documento, told.importo
)

select
    ente_code() as ente,
    numbered.*,
    if(
        numbered.left_by_number = numbered.paid and row_number() over same_amount <= coalesce(told_elsewhere.times, 0),
        0, numbered.left_by_number
    ) as lacking,
    numbered.paid_on <= reference_date() as by_reference,
    payers.needed,
    payers.needed_at_reference
from numbered
join payers on payers.id_documento = numbered.id_documento
left join told_elsewhere on told_elsewhere.id_documento = numbered.id_documento and told_elsewhere.importo = numbered.paid
window same_amount as (partition by numbered.id_documento, numbered.paid order by numbered.paid_on, numbered.numero_mandato)
