-- One row per document of one side that bears a date which cannot be (docs/rules.md#rule-2): which, in words.
-- Key: id_documento, progressivo_registrazione. These dates are as if they were not given.
with erp_days as (
    select id_documento, unnest([
        {what: 'scadenza', day: if(possible_due(data_scadenza, data_emissione) is null, data_scadenza, null)},
        {what: 'data di emissione', day: if(possible_day(data_emissione) is null, data_emissione, null)},
        {what: 'data di ricezione', day: if(possible_day(data_ricezione) is null, data_ricezione, null)},
        {what: 'inizio della sospensione', day: if(possible_day(data_sospensione) is null, data_sospensione, null)}
    ], max_depth := 2)
    from stg_erp_invoices
    where data_scadenza is not null and possible_due(data_scadenza, data_emissione) is null
       or possible_day(data_emissione) is null
       or data_ricezione is not null and possible_day(data_ricezione) is null
       or data_sospensione is not null and possible_day(data_sospensione) is null
    union all
    select id_documento, unnest([
        {what: 'data di pagamento del mandato ' || numero_mandato, day: if(possible_day(data_pagamento) is null, data_pagamento, null)},
        {what: 'data del mandato ' || numero_mandato, day: if(possible_day(data_mandato) is null, data_mandato, null)}
    ], max_depth := 2)
    from stg_erp_payments
    where possible_day(data_pagamento) is null or data_mandato is not null and possible_day(data_mandato) is null
),

einvoice_days as (
    select sdi_documents.id_documento, sdi.data_emissione, unnest(list_transform(sdi.pagamenti, lambda due: due.data_scadenza)) as day
    from sdi_documents
    join stg_sdi_invoices as sdi on sdi.file = sdi_documents.file and sdi.line = sdi_documents.line
),

pcc_days as (
    select progressivo_registrazione, unnest([
        {what: 'scadenza', day: if(possible_due(data_scadenza, data_emissione) is null, data_scadenza, null)},
        {what: 'data di emissione', day: if(possible_day(data_emissione) is null, data_emissione, null)},
        {what: 'data di ricezione', day: if(possible_day(data_ricezione) is null, data_ricezione, null)}
    ], max_depth := 2)
    from stg_pcc_invoices
    where data_scadenza is not null and possible_due(data_scadenza, data_emissione) is null
       or possible_day(data_emissione) is null
       or data_ricezione is not null and possible_day(data_ricezione) is null
    union all
    select progressivo_registrazione, 'data di pagamento', data_pagamento
    from stg_pcc_operations
    where data_pagamento is not null and possible_day(data_pagamento) is null
),

days as (
    select id_documento, null as progressivo_registrazione, what || ' ' || italian_date(day) || ' nel gestionale' as words
    from erp_days
    where day is not null
    union
    select id_documento, null, 'scadenza ' || italian_date(day) || ' nella fattura elettronica'
    from einvoice_days
    where day is not null and possible_due(day, data_emissione) is null
    union
    select null, progressivo_registrazione, what || ' ' || italian_date(day) || ' su PCC'
    from pcc_days
    where day is not null
)

select ente_code() as ente, id_documento, progressivo_registrazione, string_agg(words, ', ' order by words) as dates
from days
group by id_documento, progressivo_registrazione
