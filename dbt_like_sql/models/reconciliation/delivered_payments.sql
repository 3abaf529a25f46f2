-- One row per payment of a document as delivered: the accounting system's own, and what the treasurer's journal says was paid by
-- orders (OPI) where the accounting system has no such payment.
-- Key: row_id. What was paid of a document that stands there twice (erp_copies) is paid of the one that counts; a payment
-- that is exported with both counts once. A day that cannot be is as if not given (docs/rules.md#rule-2): the order's own day
-- stands, else none. Which of them count: payments.
with named as (
    select * replace (
        coalesce(possible_day(data_pagamento), possible_day(data_mandato)) as data_pagamento,
        possible_day(data_mandato) as data_mandato
    )
    from stg_erp_payments
    union all by name
    select
        ente,
        delivery,
        line,
        id_documento,
        numero_mandato,
        data_mandato,
        data_pagamento,
        abs(importo) as importo,
        cf_beneficiario,
        storno,
        payment_row as row_id
    from opi_payments
    where stato = 'COUNTED' and importo <> 0
),

doubled as (
    select id_documento, original from erp_copies
    union
    select original, original from erp_copies
),

of_doubled as (
    select named.* replace (doubled.original as id_documento), named.id_documento as written_on
    from named
    join doubled on doubled.id_documento = named.id_documento
),

numbered as (
    select
        *,
        row_number() over (
            partition by written_on, numero_mandato, data_pagamento, importo, storno, cf_beneficiario order by row_id
        ) as times
    from of_doubled
)

select * from named
anti join doubled on doubled.id_documento = named.id_documento
union all by name
select * exclude (written_on, times)
from numbered
qualify row_number() over (
    partition by id_documento, numero_mandato, data_pagamento, importo, storno, cf_beneficiario, times order by row_id
) = 1
