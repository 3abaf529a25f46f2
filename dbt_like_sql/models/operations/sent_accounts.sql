-- One row per document and model file in which lines of Modello 003 on it were sent, as PCC has it since.
-- Key: progressivo_registrazione, file. Whether its accounts have taken what the lines not refused move, all together.
with sent as (
    select
        operations.progressivo_registrazione,
        operations.file,
        operations.sent_at,
        operations.azione,
        operations.stato_debito,
        operations.importo,
        outcomes.outcome
    from decided_sent_operations as operations
    left join sent_outcomes as outcomes
        on outcomes.operation_id = operations.operation_id and outcomes.attempt = operations.attempt
    where operations.model = '003' and operations.progressivo_registrazione is not null
),

delivered as (
    select
        sent.progressivo_registrazione,
        sent.file,
        sent.sent_at,
        rows.row_id,
        rows.received_at,
        rows.data_scadenza,
        rows.stato_documento,
        rows.causale_sospensione,
        coalesce(rows.importo_liquidato, 0) as liquidated,
        coalesce(rows.importo_sospeso, 0) as suspended,
        coalesce(rows.importo_non_liquidabile, 0) as not_payable,
        coalesce(rows.importo_pagato, 0) + coalesce(rows.importo_pagato_non_commerciale, 0) as paid
    from (select distinct progressivo_registrazione, file, sent_at from sent) as sent
    join feed_pcc_invoices as rows on rows.progressivo_registrazione = sent.progressivo_registrazione
    where not coalesce(rows.partial, false)
),

-- As it stood when the file was written, and as the latest delivery has it.
accounts as (
    select
        progressivo_registrazione,
        file,
        max_by({liquidated: liquidated, suspended: suspended, not_payable: not_payable, paid: paid}, row_id)
            filter (received_at <= sent_at) as before,
        max_by({
            liquidated: liquidated, suspended: suspended, not_payable: not_payable, paid: paid,
            due_date: data_scadenza, stato: stato_documento, cause: causale_sospensione, received_at: received_at
        }, row_id) filter (received_at > sent_at) as after
    from delivered
    group by progressivo_registrazione, file
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
    where sent.outcome is distinct from 'refused' and sent.azione in ('CO', 'CP')
    group by sent.progressivo_registrazione, sent.file
)

select
    ente_code() as ente,
    accounts.progressivo_registrazione,
    accounts.file,
    coalesce(
        (moved.liquidated, moved.suspended, moved.not_payable, moved.paid) <> (0, 0, 0, 0)
        and accounts.after.liquidated = coalesce(accounts.before.liquidated, 0) + moved.liquidated
        and accounts.after.suspended = coalesce(accounts.before.suspended, 0) + moved.suspended
        and accounts.after.not_payable = coalesce(accounts.before.not_payable, 0) + moved.not_payable
        and accounts.after.paid = coalesce(accounts.before.paid, 0) + moved.paid,
        false
    ) as reached,
    accounts.after.due_date as due_date,
    accounts.after.stato as stato,
    accounts.after.cause as cause,
    accounts.after.received_at as received_at
from accounts
left join moved using (progressivo_registrazione, file)
