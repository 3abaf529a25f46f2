-- One row per operation and attempt sent to PCC: what became of it.
-- Key: operation_id, attempt. Refused is what PCC says; done is what a later feed of PCC shows: the movement itself, or the
-- document's accounts where the lines not refused take them. Nothing is inferred from silence.
with answered as (
    select
        operation_id,
        attempt,
        max_by(outcome, row_id) as outcome,
        max_by(coalesce(answer_code, ''), row_id) as answer_code,
        max_by(coalesce(reason, ''), row_id) as reason,
        max_by(received_at, row_id) as answered_at
    from sent_answers
    where operation_id is not null
    group by operation_id, attempt
),

sent as (
    select
        sent.*,
        answered.outcome,
        nullif(answered.answer_code, '') as answer_code,
        nullif(answered.reason, '') as reason,
        answered.answered_at
    from decided_sent_operations as sent
    left join answered on answered.operation_id = sent.operation_id and answered.attempt = sent.attempt
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

-- PCC's rows of the documents concerned, as they stood when a file was written and as the latest delivery has them.
sent_documents as (
    select distinct progressivo_registrazione, file, sent_at from sent where model = '003' and progressivo_registrazione is not null
),

accounts as (
    select
        sent_documents.progressivo_registrazione,
        sent_documents.file,
        max_by(struct_pack(
            liquidated := coalesce(importo_liquidato, 0), suspended := coalesce(importo_sospeso, 0),
            not_payable := coalesce(importo_non_liquidabile, 0),
            paid := coalesce(importo_pagato, 0) + coalesce(importo_pagato_non_commerciale, 0)
        ), row_id) filter (received_at <= sent_at) as before,
        max_by(struct_pack(
            liquidated := coalesce(importo_liquidato, 0), suspended := coalesce(importo_sospeso, 0),
            not_payable := coalesce(importo_non_liquidabile, 0),
            paid := coalesce(importo_pagato, 0) + coalesce(importo_pagato_non_commerciale, 0),
            due_date := data_scadenza, stato := stato_documento, cause := causale_sospensione, received_at := received_at
        ), row_id) filter (received_at > sent_at) as after
    from sent_documents
    join feed_pcc_invoices as rows using (progressivo_registrazione)
    where not coalesce(partial, false)
    group by sent_documents.progressivo_registrazione, sent_documents.file
),

-- What the lines of one document in one file move, those refused left out.
moved as (
    select
        sent.progressivo_registrazione,
        sent.file,
        sum(case 'liquidato' when states.to_account then importo when states.from_account then -importo else 0 end) as liquidated,
        sum(case 'sospeso' when states.to_account then importo when states.from_account then -importo else 0 end) as suspended,
        sum(case 'non_liquidabile' when states.to_account then importo when states.from_account then -importo else 0 end) as not_payable,
        sum(case 'pagato' when states.to_account then importo else 0 end) as paid
    from sent
    left join rule_debt_movements as states
        on states.azione = sent.azione
        and states.stato_debito is not distinct from sent.stato_debito
        -- Paid is both accounts together.
        and not coalesce(states.non_commercial, false)
    where sent.model = '003' and sent.outcome is distinct from 'refused' and sent.azione in ('CO', 'CP')
    group by sent.progressivo_registrazione, sent.file
),

reached as (
    select
        accounts.progressivo_registrazione,
        accounts.file,
        accounts.after,
        coalesce(
            (moved.liquidated, moved.suspended, moved.not_payable, moved.paid) <> (0, 0, 0, 0)
            and accounts.after.liquidated = coalesce(accounts.before.liquidated, 0) + moved.liquidated
            and accounts.after.suspended = coalesce(accounts.before.suspended, 0) + moved.suspended
            and accounts.after.not_payable = coalesce(accounts.before.not_payable, 0) + moved.not_payable
            and accounts.after.paid = coalesce(accounts.before.paid, 0) + moved.paid,
            false
        ) as accounts_reached
    from accounts
    left join moved using (progressivo_registrazione, file)
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
            when movements.seen_at is not null and not coalesce(movements.seen_before, false) then movements.seen_at
            when sent.azione in ('CO', 'CP') and reached.accounts_reached then reached.after.received_at
            -- A change of cause moves nothing on balance: the cause tells.
            when sent.azione = 'CO' and reached.after.cause = sent.causale then reached.after.received_at
            when sent.azione = 'CS' and reached.after.due_date = sent.data_scadenza then reached.after.received_at
            when sent.azione = 'RF' and reached.after.stato = 'RIFIUTATO' then reached.after.received_at
            when sent.azione = 'RC' and reached.after.stato <> 'PRESENTATO' then reached.after.received_at
        end as seen_at
    from sent
    left join movements on movements.operation_id = sent.operation_id and movements.attempt = sent.attempt
    left join reached on reached.progressivo_registrazione = sent.progressivo_registrazione and reached.file = sent.file
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
