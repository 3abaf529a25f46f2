-- One row per delivered row of a kind that may be an increment or whole, where several deliveries of it came: what tells it
-- apart from others, and its content.
-- Key: kind, row_id. Empty where one delivery of each kind came: then nothing can be corrected by a later one, nor be gone.
with several as (
    select kind
    from deliveries
    where kind in ('erp_invoices', 'erp_payments', 'pcc_invoices', 'pcc_operations')
    group by kind
    having count(*) > 1
),

-- PCC's answers in XML are deliveries of movements as well.
asked as (
    select kind from several
    union
    select 'pcc_operations' from feed_pcc_invoices where movimenti is not null
),

rows as (
    select
        'erp_invoices' as kind, row_id, sequence, id_documento as document, null as order_number, data_emissione as day,
        importo_totale as amount, null as order_year, null as beneficiary, false as storno, id_documento as key,
        hash({{ content_of("erp_invoices") }}) as content
    from feed_erp_invoices
    where 'erp_invoices' in (select kind from several)
    union all
    select
        'pcc_invoices', row_id, sequence, progressivo_registrazione, null, data_emissione,
        importo_totale, null, null, false, progressivo_registrazione,
        hash({{ content_of("pcc_invoices") }})
    from feed_pcc_invoices
    where 'pcc_invoices' in (select kind from several)
    union all
    select
        'erp_payments', row_id, sequence, id_documento, numero_mandato, data_pagamento,
        importo, year(data_mandato), tax_id(cf_beneficiario), coalesce(storno, false),
        concat_ws('|', id_documento, ltrim(numero_mandato, '0'), data_pagamento, coalesce(storno, false)),
        hash({{ content_of("erp_payments") }})
    from feed_erp_payments
    where 'erp_payments' in (select kind from several)
    union all
    select
        'pcc_operations', row_id, sequence, progressivo_registrazione, numero_mandato, coalesce(data_pagamento, data_operazione),
        importo, null, null, false,
        concat_ws('|', progressivo_registrazione, data_operazione, azione, coalesce(data_pagamento, data_operazione), ltrim(numero_mandato, '0')),
        hash({{ content_of("pcc_operations") }})
    from pcc_movements
    where 'pcc_operations' in (select kind from asked)
)

select
    ente_code() as ente,
    kind,
    row_id,
    sequence,
    document,
    order_number,
    order_year,
    day,
    amount,
    beneficiary,
    storno,
    key,
    -- A number of 63 bits: it says whether a row was repeated, never which row it is.
    (content >> 1)::bigint as content
from rows
