-- materialized: view
-- One row per document of PCC: the latest delivered stands.
-- Key: progressivo_registrazione. A row of PCC's export per modello 003 (partial) knows less than the plain feed: what it
-- lacks stands as the last whole row had it, and the accounts change only all together. Whole rows find none to complete them.
with latest as (
    select arrivals.* exclude (sequence, received_at)
    from feed_pcc_invoices as arrivals
    anti join (select row_id from corrected_rows where kind = 'pcc_invoices') as corrected using (row_id)
    anti join (select row_id from gone_rows where kind = 'pcc_invoices' and state = 'GONE') as gone using (row_id)
),

whole as (
    select arrivals.*
    from feed_pcc_invoices as arrivals
    semi join (select progressivo_registrazione from feed_pcc_invoices where partial) using (progressivo_registrazione)
    where not coalesce(arrivals.partial, false)
    qualify row_number() over (partition by arrivals.progressivo_registrazione order by arrivals.row_id desc) = 1
),

completed as (
    select
        latest.ente,
        latest.delivery,
        latest.line,
        latest.progressivo_registrazione,
        coalesce(latest.lotto_sdi, whole.lotto_sdi) as lotto_sdi,
        coalesce(latest.codice_ufficio, whole.codice_ufficio) as codice_ufficio,
        coalesce(latest.cf_amministrazione, whole.cf_amministrazione) as cf_amministrazione,
        coalesce(latest.cf_fornitore, whole.cf_fornitore) as cf_fornitore,
        coalesce(latest.id_fiscale_iva, whole.id_fiscale_iva) as id_fiscale_iva,
        coalesce(latest.denominazione_fornitore, whole.denominazione_fornitore) as denominazione_fornitore,
        coalesce(whole.tipo_documento, latest.tipo_documento) as tipo_documento,
        latest.numero_documento,
        latest.data_emissione,
        coalesce(latest.data_ricezione, whole.data_ricezione) as data_ricezione,
        coalesce(latest.numero_protocollo, whole.numero_protocollo) as numero_protocollo,
        latest.importo_totale,
        coalesce(latest.importo_imponibile, whole.importo_imponibile) as importo_imponibile,
        coalesce(latest.totale_imposta, whole.totale_imposta) as totale_imposta,
        coalesce(latest.split_payment, whole.split_payment) as split_payment,
        coalesce(latest.importo_liquidato, latest.importo_sospeso, latest.importo_non_liquidabile, latest.importo_pagato) is not null
            or latest.stato_documento = 'RIFIUTATO' or whole.row_id is null as tells_accounts,
        if(tells_accounts, latest.stato_documento, whole.stato_documento) as stato_documento,
        coalesce(latest.data_scadenza, whole.data_scadenza) as data_scadenza,
        if(tells_accounts, latest.importo_liquidato, whole.importo_liquidato) as importo_liquidato,
        if(tells_accounts, latest.importo_sospeso, whole.importo_sospeso) as importo_sospeso,
        if(tells_accounts, latest.importo_non_liquidabile, whole.importo_non_liquidabile) as importo_non_liquidabile,
        if(tells_accounts, latest.importo_pagato, whole.importo_pagato) as importo_pagato,
        if(tells_accounts, latest.importo_pagato_non_commerciale, whole.importo_pagato_non_commerciale) as importo_pagato_non_commerciale,
        if(tells_accounts, latest.causale_sospensione, whole.causale_sospensione) as causale_sospensione,
        if(latest.partial, null, latest.importo_non_commerciale) as importo_non_commerciale,
        if(latest.partial, null, latest.importo_sospeso_contenzioso) as importo_sospeso_contenzioso,
        if(latest.partial, null, latest.data_sospensione_contenzioso) as data_sospensione_contenzioso,
        if(latest.partial, null, latest.importo_sospeso_contestazione) as importo_sospeso_contestazione,
        if(latest.partial, null, latest.data_sospensione_contestazione) as data_sospensione_contestazione,
        if(latest.partial, null, latest.importo_sospeso_verifica) as importo_sospeso_verifica,
        if(latest.partial, null, latest.data_sospensione_verifica) as data_sospensione_verifica,
        if(latest.partial, null, latest.escluso) as escluso,
        latest.movimenti,
        latest.partial,
        latest.row_id
    from latest
    left join whole on whole.progressivo_registrazione = if(latest.partial, latest.progressivo_registrazione, null)
)

select * exclude (tells_accounts)
from completed
