-- One row per document of one side and thing that happened to it.
-- Key: id_documento, progressivo_registrazione, kind, row_id. Each row bears the key of its own side alone: no join of the
-- sides is needed, and a document that was not matched has its history as well. Messages: message_documents.
with repeated as (
    select id_documento, min(row_id) as first_row
    from feed_erp_invoices
    where id_documento in (
        select id_documento from feed_erp_invoices semi join (select row_id from corrected_rows where kind = 'erp_invoices') as former using (row_id)
    )
    group by id_documento
),

-- A state that the first row of a document bears already came before it was delivered: only suspensions and what is not
-- payable tell more there (day, amount).
states as (
    select arrivals.id_documento, arrivals.stato, min(arrivals.row_id) as row_id
    from feed_erp_invoices as arrivals
    left join repeated on repeated.id_documento = arrivals.id_documento
    where arrivals.stato in ('SOSPESA', 'NON_LIQUIDABILE') or (arrivals.stato <> 'REGISTRATA' and repeated.first_row is not null)
    group by arrivals.id_documento, arrivals.stato
    having arrivals.stato in ('SOSPESA', 'NON_LIQUIDABILE') or min(arrivals.row_id) > min(repeated.first_row)
),

-- The accounting system gives no day of its states, but for suspensions: else the delivery that said it first.
first_states as (
    select
        arrivals.id_documento,
        arrivals.row_id,
        arrivals.stato,
        arrivals.causale,
        case arrivals.stato when 'SOSPESA' then arrivals.importo_sospeso when 'NON_LIQUIDABILE' then arrivals.importo_non_liquidabile end
            as amount,
        if(arrivals.stato = 'SOSPESA', arrivals.data_sospensione, null) as told_on,
        in_italy(arrivals.received_at)::date as seen_on
    from states
    join feed_erp_invoices as arrivals on arrivals.row_id = states.row_id
),

arrived as (
    select
        invoices.id_documento,
        invoices.row_id,
        invoices.data_ricezione,
        invoices.importo_totale,
        invoices.stato,
        invoices.causale,
        invoices.protocollo,
        in_italy(deliveries.received_at)::date as seen_on
    from stg_erp_invoices as invoices
    left join deliveries on deliveries.delivery = invoices.delivery and deliveries.kind = 'erp_invoices'
),

credited as (
    select
        links.note,
        notes.row_id as note_row,
        notes.numero as note_number,
        notes.issue_date,
        notes.total,
        links.found_by,
        invoices.id_documento as invoice,
        invoices.row_id as invoice_row,
        invoices.numero as invoice_number
    from credit_note_links as links
    join erp_documents as notes on notes.id_documento = links.note
    join erp_documents as invoices on invoices.id_documento = links.invoice
),

-- Payments after O are out of pagato at O: until then they were liquidato, whence PCC takes them (docs/rules.md#rule-3).
accounts as (
    select
        * exclude (liquidated),
        commercial_amount - unbooked - suspended - not_payable - paid - paid_non_commercial as liquidated
    from pcc_documents
),

balances as (
    select progressivo_registrazione, row_id * 8 as row_id, 'RICEVUTO' as code, unbooked as amount, null as words
    from accounts where unbooked <> 0
    union all
    select progressivo_registrazione, row_id * 8 + 1, 'LIQUIDATO', liquidated, null from accounts where liquidated <> 0
    union all
    select progressivo_registrazione, row_id * 8 + 2, 'SOSPESO', suspended, cause from accounts where suspended <> 0
    union all
    select progressivo_registrazione, row_id * 8 + 3, 'NON_LIQUIDABILE', not_payable, null from accounts where not_payable <> 0
    union all
    select progressivo_registrazione, row_id * 8 + 4, 'PAGATO', paid, null from accounts where paid <> 0
    union all
    select progressivo_registrazione, row_id * 8 + 5, 'PAGATO_NON_COMMERCIALE', paid_non_commercial, null from accounts where paid_non_commercial <> 0
),

events as (
    select
        id_documento,
        null as progressivo_registrazione,
        'ERP' as side,
        'REGISTERED' as kind,
        row_id,
        coalesce(data_ricezione, seen_on) as day,
        data_ricezione is null as first_seen,
        importo_totale as amount,
        stato as code,
        null as detail,
        causale as words,
        protocollo as reference,
        null as reference_day,
        null as linked
    from arrived
    union all
    select id_documento, null, 'ERP', 'STATE', row_id, coalesce(told_on, seen_on), told_on is null, amount, stato, null, causale, null, null, null
    from first_states
    union all
    select
        id_documento, null, 'ERP', if(coalesce(storno, false), 'REVERSAL', 'PAYMENT'), row_id, data_pagamento, false,
        if(coalesce(storno, false), -importo, importo), null, null, null, numero_mandato, data_mandato, null
    from payments
    where data_pagamento <= observed_at()
    union all
    select id_documento, null, 'ERP', 'WITHHELD', row_id, observed_at(), false, erp_withheld, null, null, null, null, null, null
    from documents join erp_documents using (id_documento) where erp_withheld <> 0
    union all
    select invoice, null, 'ERP', 'CREDIT_NOTE', note_row, issue_date, false, total, found_by, note_number, null, null, null, note
    from credited
    union all
    select note, null, 'ERP', 'CREDITED', invoice_row, issue_date, false, total, found_by, invoice_number, null, null, null, invoice
    from credited
    union all
    select
        told.id_documento, told.progressivo_registrazione, 'SDI', 'MESSAGE', messages.row_id, messages.data_ricezione, false, null,
        messages.tipo, messages.esito, nullif(concat_ws('; ', messages.descrizione, messages.errori), ''), messages.sdi_id, null, null
    from message_documents as told
    join messages on messages.row_id = told.row_id
    union all
    select
        null, progressivo_registrazione, 'PCC', 'REGISTERED', row_id, coalesce(reception_date, issue_date), false, total, stato, null, cause,
        null, null, null
    from pcc_documents
    union all
    select
        null, progressivo_registrazione, 'PCC', 'MOVEMENT', row_id, data_operazione, false, importo, azione, stato_debito, causale,
        numero_mandato, coalesce(data_scadenza, data_pagamento), null
    from stg_pcc_operations
    where data_operazione <= observed_at()
    union all
    select null, progressivo_registrazione, 'PCC', 'BALANCE', row_id, observed_at(), false, amount, code, null, words, null, null, null
    from balances
)

select ente_code() as ente, *
from events
