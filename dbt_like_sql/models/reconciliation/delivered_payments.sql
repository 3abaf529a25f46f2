-- One row per payment of a document as delivered: the accounting system's own, and what the treasurer's journal says was
-- paid by orders (OPI) where the accounting system has no such payment.
-- Key: row_id. A day that cannot be is as if not given (rules, section 2): the order's own day stands, else none. Which of
-- them count: payments.
select
    * replace (
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
