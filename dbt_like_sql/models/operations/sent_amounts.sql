-- One row per operation of today's models and attempt: when a delivery of PCC shows it done.
-- Key: operation_id, attempt. The latest delivery after the file is compared with what the row set; what was paid, with what
-- the rows of its file not refused pay beyond the delivery before it.
with sent as (
    select operations.*, coalesce(outcomes.outcome, '') as outcome
    from decided_sent_operations as operations
    left join sent_outcomes as outcomes
        on outcomes.operation_id = operations.operation_id and outcomes.attempt = operations.attempt
    where operations.model not in ('003', '002')
),

delivered as (
    select
        rows.*,
        coalesce(importo_sospeso_contenzioso, importo_sospeso_contestazione, importo_sospeso_verifica) is not null as tells_kinds,
        coalesce(importo_non_commerciale, 0) as non_commercial,
        coalesce(importo_non_liquidabile, 0) as not_payable,
        coalesce(importo_pagato, 0) + coalesce(importo_pagato_non_commerciale, 0) as paid,
        commercial_amount_of(importo_totale, totale_imposta, importo_imponibile, split_payment) as commercial_amount
    from feed_pcc_invoices as rows
    where not coalesce(partial, false) and progressivo_registrazione in (select progressivo_registrazione from sent)
),

seen as (
    select
        sent.operation_id,
        sent.attempt,
        max_by(delivered, delivered.row_id) filter (delivered.received_at > sent.sent_at) as after,
        max_by(delivered.paid, delivered.row_id) filter (delivered.received_at <= sent.sent_at) as paid_before
    from sent
    join delivered on delivered.progressivo_registrazione = sent.progressivo_registrazione
    group by sent.operation_id, sent.attempt
),

paying as (
    select progressivo_registrazione, file, sum(importo) as pays
    from sent
    where azione = 'IP' and outcome <> 'refused'
    group by progressivo_registrazione, file
)

select
    ente_code() as ente,
    sent.operation_id,
    sent.attempt,
    seen.after.received_at as seen_at
from sent
join seen on seen.operation_id = sent.operation_id and seen.attempt = sent.attempt
left join paying on paying.progressivo_registrazione = sent.progressivo_registrazione and paying.file = sent.file
where case sent.azione
    when 'SID' then seen.after.non_commercial = sent.importo_non_commerciale and seen.after.not_payable = sent.importo_non_liquidabile
        and if(
            seen.after.tells_kinds,
            coalesce(seen.after.importo_sospeso_contenzioso, 0) = sent.importo_sospeso_contenzioso
                and coalesce(seen.after.importo_sospeso_contestazione, 0) = sent.importo_sospeso_contestazione
                and coalesce(seen.after.importo_sospeso_verifica, 0) = sent.importo_sospeso_verifica,
            coalesce(seen.after.importo_sospeso, 0)
                = sent.importo_sospeso_contenzioso + sent.importo_sospeso_contestazione + sent.importo_sospeso_verifica
        )
    when 'MI' then coalesce(seen.after.split_payment, false) = sent.split_payment
    when 'CH' then seen.after.commercial_amount - seen.after.non_commercial - seen.after.not_payable - seen.after.paid <= 0
    when 'RS' then seen.after.commercial_amount - seen.after.non_commercial - seen.after.not_payable - seen.after.paid > 0
    when 'RT' then seen.after.non_commercial + seen.after.not_payable + coalesce(seen.after.importo_sospeso, 0) = 0
    when 'IP' then seen.after.paid >= coalesce(seen.paid_before, 0) + paying.pays
    when 'CS' then seen.after.data_scadenza = sent.data_scadenza
    when 'RF' then seen.after.stato_documento = 'RIFIUTATO'
    when 'RC' then seen.after.stato_documento <> 'PRESENTATO'
end
