-- One row per payment (CP) that PCC's movements tell, reversals negative.
-- Key: row_id. Its day is the payment's own, else the movement's. Where the document and its payments are written negative
-- the amounts count as positive.
select
    movements.ente,
    movements.row_id,
    movements.progressivo_registrazione,
    movements.numero_mandato,
    if(invoices.importo_totale < 0 and invoices.importo_pagato < 0, -movements.importo, movements.importo) as importo,
    coalesce(possible_day(movements.data_pagamento), movements.data_operazione) as paid_on,
    year(possible_day(movements.data_pagamento)) as order_year
from stg_pcc_operations as movements
left join stg_pcc_invoices as invoices
    on invoices.progressivo_registrazione = movements.progressivo_registrazione and invoices.importo_totale < 0
where movements.azione = 'CP'
