-- One row per operation and attempt sent to PCC: what became of it.
-- Key: operation_id, attempt. Refused is what PCC says (sent_outcomes); done is what a later feed of PCC shows: the movement
-- itself, or the document's accounts where the lines not refused take them (sent_accounts). Nothing is inferred from silence.
with sent as (
    select operations.*, outcomes.outcome, outcomes.answer_code, outcomes.reason, outcomes.answered_at
    from decided_sent_operations as operations
    left join sent_outcomes as outcomes
        on outcomes.operation_id = operations.operation_id and outcomes.attempt = operations.attempt
),

-- The movement itself in a delivery after the sending, and in none before.
movements as (
    select
        sent.operation_id,
        sent.attempt,
        min(seen.received_at) filter (seen.received_at > sent.sent_at) as seen_at,
        bool_or(seen.received_at <= sent.sent_at) as seen_before
    from sent
    join feed_pcc_operations as seen
        on seen.progressivo_registrazione = sent.progressivo_registrazione
        and seen.azione = sent.azione
        and (
            (sent.azione = 'CO' and seen.importo = sent.importo and seen.stato_debito = sent.stato_debito)
            or (sent.azione = 'CP' and seen.importo = sent.importo and plain_code(seen.numero_mandato) = plain_code(sent.numero_mandato))
            or (sent.azione = 'CS' and seen.data_scadenza = sent.data_scadenza)
            or sent.azione in ('RC', 'RF')
        )
    group by sent.operation_id, sent.attempt
),

-- A document of Modello 002 is done when PCC has it.
registered as (
    select
        sent.operation_id,
        sent.attempt,
        min(rows.received_at) as seen_at
    from sent
    join feed_pcc_invoices as rows
        on rows.data_emissione = sent.data_emissione
        and normalised_number(rows.numero_documento, rows.data_emissione) = normalised_number(sent.numero_documento, sent.data_emissione)
        and tax_id(coalesce(rows.id_fiscale_iva, rows.cf_fornitore)) = tax_id(coalesce(sent.id_fiscale_iva, sent.cf_fornitore))
    where sent.model = '002' and rows.received_at > sent.sent_at
    group by sent.operation_id, sent.attempt
),

seen as (
    select
        sent.*,
        case
            when sent.model = '002' then registered.seen_at
            when sent.model <> '003' then amounts.seen_at
            when movements.seen_at is not null and not coalesce(movements.seen_before, false) then movements.seen_at
            when sent.azione in ('CO', 'CP') and accounts.reached then accounts.received_at
            -- A change of cause moves nothing on balance: the cause tells.
            when sent.azione = 'CO' and accounts.cause = sent.causale then accounts.received_at
            when sent.azione = 'CS' and accounts.due_date = sent.data_scadenza then accounts.received_at
            when sent.azione = 'RF' and accounts.stato = 'RIFIUTATO' then accounts.received_at
            when sent.azione = 'RC' and accounts.stato <> 'PRESENTATO' then accounts.received_at
        end as seen_at
    from sent
    left join movements on movements.operation_id = sent.operation_id and movements.attempt = sent.attempt
    left join sent_accounts as accounts
        on sent.model = '003'
        and accounts.progressivo_registrazione = sent.progressivo_registrazione
        and accounts.file = sent.file
    left join sent_amounts as amounts on amounts.operation_id = sent.operation_id and amounts.attempt = sent.attempt
    left join registered on registered.operation_id = sent.operation_id and registered.attempt = sent.attempt
),

states as (
    select
        *,
        case
            when outcome = 'refused' then 'refused'
            when seen_at is not null then 'done'
            when outcome = 'accepted' then 'accepted'
            else 'sent'
        end as state
    from seen
)

select
    ente_code() as ente,
    operation_id,
    attempt,
    file,
    line,
    sent_at,
    code,
    id_documento,
    progressivo_registrazione,
    azione,
    importo,
    state,
    answer_code,
    reason,
    answered_at,
    if(state = 'done', seen_at, null) as seen_done_at,
    state in ('sent', 'accepted') and observed_at() - in_italy(sent_at)::date > threshold('seen_done_days') as overdue,
    state in ('sent', 'accepted') as in_flight
from states
