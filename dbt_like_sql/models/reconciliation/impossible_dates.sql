-- One row per document of one side that bears a date which cannot be (docs/rules.md#rule-2): which, in words.
-- Key: id_documento, progressivo_registrazione. These dates are as if they were not given.
with erp_days as (
    select id_documento, 'scadenza' as what, data_scadenza as day
    from stg_erp_invoices
    where data_scadenza is not null and possible_due(data_scadenza, data_emissione) is null
    union all
    select id_documento, 'data di emissione', data_emissione from stg_erp_invoices where possible_day(data_emissione) is null
    union all
    select id_documento, 'data di ricezione', data_ricezione
    from stg_erp_invoices
    where data_ricezione is not null and possible_day(data_ricezione) is null
    union all
    select id_documento, 'inizio della sospensione', data_sospensione
    from stg_erp_invoices
    where data_sospensione is not null and possible_day(data_sospensione) is null
    union all
    select id_documento, 'data di pagamento del mandato ' || numero_mandato, data_pagamento
    from stg_erp_payments
    where possible_day(data_pagamento) is null
    union all
    select id_documento, 'data del mandato ' || numero_mandato, data_mandato
    from stg_erp_payments
    where data_mandato is not null and possible_day(data_mandato) is null
),

einvoice_days as (
    select sdi_documents.id_documento, sdi.data_emissione, unnest(list_transform(sdi.pagamenti, lambda due: due.data_scadenza)) as day
    from sdi_documents
    join stg_sdi_invoices as sdi on sdi.file = sdi_documents.file and sdi.line = sdi_documents.line
),

pcc_days as (
    select progressivo_registrazione, 'scadenza' as what, data_scadenza as day
    from stg_pcc_invoices
    where data_scadenza is not null and possible_due(data_scadenza, data_emissione) is null
    union all
    select progressivo_registrazione, 'data di emissione', data_emissione
    from stg_pcc_invoices
    where possible_day(data_emissione) is null
    union all
    select progressivo_registrazione, 'data di ricezione', data_ricezione
    from stg_pcc_invoices
    where data_ricezione is not null and possible_day(data_ricezione) is null
    union all
    select progressivo_registrazione, 'data di pagamento', data_pagamento
    from stg_pcc_operations
    where data_pagamento is not null and possible_day(data_pagamento) is null
),

days as (
    select id_documento, null as progressivo_registrazione, what || ' ' || italian_date(day) || ' nel gestionale' as words from erp_days
    union
    select id_documento, null, 'scadenza ' || italian_date(day) || ' nella fattura elettronica'
    from einvoice_days
    where day is not null and possible_due(day, data_emissione) is null
    union
    select null, progressivo_registrazione, what || ' ' || italian_date(day) || ' su PCC'
    from pcc_days
)

select ente_code() as ente, id_documento, progressivo_registrazione, string_agg(words, ', ' order by words) as dates
from days
group by id_documento, progressivo_registrazione
