-- One row per line that PCC handed back, with the sent operation it answers: the same document and movement, sent before
-- the answer came; of several the one in a file of that name, else the latest.
-- Key: row_id.
with answers as (
    select
        arrivals.row_id,
        arrivals.received_at,
        arrivals.line,
        deliveries.file,
        arrivals.codice_segnalazione,
        arrivals.descrizione_segnalazione,
        arrivals.model,
        if(model in ('003', '002'), line_document(if(model = '003', progressivo_registrazione, null), coalesce(nullif(id_fiscale_iva, 'NA'), cf_fornitore),
                      numero_documento, data_emissione, importo_totale),
           area_document(null, progressivo_registrazione, lotto, numero_documento, data_emissione, cf_fornitore, codice_ufficio)) as document,
        if(model in ('003', '002'), line_movement(if(model = '003', azione, null), importo, stato_debito, causale, data_scadenza, numero_mandato, data_mandato,
                      id_fiscale_beneficiario, data_ricezione, data_rifiuto), area_movement(arrivals)) as movement
    from feed_pcc_outcomes as arrivals
    left join deliveries using (delivery)
),

sent as (
    select
        operation_id,
        attempt,
        sent_at,
        model,
        lower(regexp_replace(file, '\.csv$', '')) as file_stem,
        if(model in ('003', '002'), line_document(if(model = '003', progressivo_registrazione, null), coalesce(id_fiscale_iva, cf_fornitore),
                      numero_documento, data_emissione, importo_totale),
           area_document(identificativo, progressivo_registrazione, lotto, numero_documento, data_emissione, cf_fornitore, codice_ufficio)) as document,
        if(model in ('003', '002'), line_movement(if(model = '003', azione, null), importo, stato_debito, causale, data_scadenza, numero_mandato, data_mandato,
                      id_fiscale_beneficiario, data_ricezione, data_rifiuto), area_movement(operations)) as movement
    from decided_sent_operations as operations
),

linked as (
    select
        answers.row_id,
        max_by(struct_pack(operation_id := sent.operation_id, attempt := sent.attempt),
               struct_pack(named := contains(lower(answers.file), sent.file_stem), sent_at := sent.sent_at)) as operation
    from answers
    join sent using (model, document, movement)
    where sent.sent_at <= answers.received_at
    group by answers.row_id
),

outcomes as (
    select
        told.codice_segnalazione,
        coalesce(max_by(rules.outcome, length(rules.prefix)), 'unclear') as outcome
    from (select distinct codice_segnalazione from answers where codice_segnalazione is not null) as told
    left join rule_pcc_answer_codes as rules on rules.prefix <> '*' and starts_with(upper(told.codice_segnalazione), rules.prefix)
    group by told.codice_segnalazione
)

select
    ente_code() as ente,
    answers.row_id,
    linked.operation.operation_id as operation_id,
    linked.operation.attempt as attempt,
    case
        when answers.model in ('003', '002') then coalesce(outcomes.outcome, 'accepted')
        -- Today's models: nothing, or OK, in either answer; anything else is a refusal (docs/formats.md#area-rgs-outcomes).
        when upper(trim(answers.codice_segnalazione)) = 'OK' or upper(trim(answers.descrizione_segnalazione)) = 'OK'
            or coalesce(answers.codice_segnalazione, answers.descrizione_segnalazione) is null then 'accepted'
        else 'refused'
    end as outcome,
    answers.codice_segnalazione as answer_code,
    answers.descrizione_segnalazione as reason,
    answers.received_at,
    answers.file,
    answers.line
from answers
left join linked on linked.row_id = answers.row_id
left join outcomes on outcomes.codice_segnalazione = answers.codice_segnalazione
