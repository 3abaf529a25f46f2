-- One row per row of today's models to send to PCC: what each of `amount_moves` says, cell by cell.
-- Key: operation_id, a hash of model, identification, action and payload (docs/rules.md#rule-11); where the same row was sent
-- before and seen done, of how often too.
with days as (
    select id_documento, numero_mandato, nullif(max(giorni_sospensione), 0) as giorni_sospensione
    from stg_erp_payments
    where giorni_sospensione is not null
    group by id_documento, numero_mandato
),

-- What names two documents of PCC names none: a copy of the same lot and number, or of the same number, day, supplier, office.
hashed as materialized (
    select
        progressivo_registrazione, if(lotto_sdi is null, null, hash(lotto_sdi, numero_documento)) as lot_key,
        hash(numero_documento, data_emissione, cf_fornitore, codice_ufficio) as identity_key
    from stg_pcc_invoices
),

-- Only those that share a hash with another are compared.
alike as (
    select
        progressivo_registrazione,
        lotto_sdi is not null and count(*) over (partition by lotto_sdi, numero_documento) > 1 as lot_shared,
        count(*) over (partition by numero_documento, data_emissione, cf_fornitore, codice_ufficio) > 1 as identity_shared
    from stg_pcc_invoices
    semi join (
        select progressivo_registrazione
        from hashed
        where lot_key in (select lot_key from hashed where lot_key is not null group by lot_key having count(*) > 1)
           or identity_key in (select identity_key from hashed group by identity_key having count(*) > 1)
    ) as sharing using (progressivo_registrazione)
),

placed as (
    select *, row_number() over (partition by id_documento, progressivo_registrazione order by place) as step
    from amount_moves
),

written as (
    select
        moves.code,
        moves.id_documento,
        moves.progressivo_registrazione,
        moves.step + if(targets.new_on_pcc, 1, 0) as step,
        if(moves.azione = 'IP', 'area_rgs_pagamenti', 'area_rgs_importi') as model,
        moves.azione,
        moves.importo,
        if(moves.azione = 'IP', documents.natura_spesa, null) as natura_spesa,
        if(moves.azione = 'IP', documents.cig, null) as cig,
        if(moves.azione = 'IP', documents.cup, null) as cup,
        if(moves.azione = 'IP', 'C', null) as tipo_debito,
        -- Days of a suspension that PCC had it counts by itself.
        if(moves.azione = 'IP' and targets.now_suspended_lawsuit + targets.now_suspended_contested + targets.now_suspended_check
           + targets.now_suspended_other = 0, days.giorni_sospensione, null) as giorni_sospensione,
        if(moves.azione = 'CS', targets.due_date, null) as data_scadenza,
        moves.numero_mandato,
        moves.data_mandato,
        if(moves.azione = 'IP', fiscal_identity(coalesce(moves.cf_beneficiario, documents.original_creditor)), null)
            as id_fiscale_beneficiario,
        false as non_commercial,
        if(moves.azione = 'RC', documents.protocollo, null) as protocollo,
        if(moves.azione = 'RC', coalesce(
            possible_day(documents.received_on_pcc), possible_day(documents.received_by_erp), documents.issued
        ), null) as data_ricezione,
        if(moves.azione = 'RF', observed_at(), null) as data_rifiuto,
        if(moves.azione = 'SID', targets.non_commercial + if(targets.payments_non_commercial, targets.payments_lacking, 0), null)
            as importo_non_commerciale,
        if(moves.azione = 'SID', targets.suspended_lawsuit, null) as importo_sospeso_contenzioso,
        if(moves.azione = 'SID', targets.lawsuit_from, null) as data_sospensione_contenzioso,
        if(moves.azione = 'SID', targets.suspended_contested, null) as importo_sospeso_contestazione,
        if(moves.azione = 'SID', targets.contested_from, null) as data_sospensione_contestazione,
        if(moves.azione = 'SID', targets.suspended_check, null) as importo_sospeso_verifica,
        if(moves.azione = 'SID', targets.check_from, null) as data_sospensione_verifica,
        if(moves.azione = 'SID', targets.not_payable + targets.offset_lacking, null) as importo_non_liquidabile,
        if(moves.azione = 'MI', targets.split_payment, null) as split_payment,
        documents.cf_amministrazione,
        documents.codice_ufficio,
        documents.cf_fornitore,
        documents.id_fiscale_iva,
        documents.denominazione_fornitore,
        documents.numero_documento,
        documents.data_emissione,
        documents.importo_totale,
        documents.importo_imponibile,
        documents.totale_imposta,
        documents.tipo_documento,
        documents.lotto,
        documents.original_creditor,
        moves.words,
        -- The ways of naming the document that are at hand, the preferred first.
        list_filter(ways.identifications, lambda way: case way
            when 1 then moves.progressivo_registrazione is not null
            when 2 then documents.lotto is not null and not coalesce(alike.lot_shared, false)
            else documents.codice_ufficio is not null and documents.cf_fornitore is not null
                and not coalesce(alike.identity_shared, false)
        end)[1] as identificativo
    from placed as moves
    join document_targets as targets
        on targets.id_documento is not distinct from moves.id_documento
        and targets.progressivo_registrazione is not distinct from moves.progressivo_registrazione
    join line_documents as documents
        on documents.id_documento is not distinct from moves.id_documento
        and documents.progressivo_registrazione is not distinct from moves.progressivo_registrazione
    cross join (select list(identification order by position) as identifications from rule_pcc_identifications) as ways
    left join alike on alike.progressivo_registrazione = moves.progressivo_registrazione
    left join days on days.id_documento = moves.id_documento and days.numero_mandato = moves.numero_mandato
),

keyed as (
    select
        *,
        md5(concat_ws(
            '|', ente_code(), model,
            case identificativo
                when 1 then progressivo_registrazione
                when 2 then lotto || '/' || numero_documento
                else concat_ws('/', numero_documento, data_emissione, cf_fornitore, codice_ufficio)
            end,
            azione,
            coalesce(importo::varchar, ''), coalesce(importo_non_commerciale::varchar, ''),
            coalesce(importo_sospeso_contenzioso::varchar, ''), coalesce(data_sospensione_contenzioso::varchar, ''),
            coalesce(importo_sospeso_contestazione::varchar, ''), coalesce(data_sospensione_contestazione::varchar, ''),
            coalesce(importo_sospeso_verifica::varchar, ''), coalesce(data_sospensione_verifica::varchar, ''),
            coalesce(importo_non_liquidabile::varchar, ''), coalesce(split_payment::varchar, ''),
            coalesce(data_scadenza::varchar, ''), coalesce(data_ricezione::varchar, ''), coalesce(protocollo::varchar, ''),
            coalesce(data_rifiuto::varchar, ''), coalesce(tipo_debito::varchar, ''), coalesce(natura_spesa::varchar, ''),
            coalesce(numero_mandato::varchar, ''), coalesce(data_mandato::varchar, ''),
            coalesce(id_fiscale_beneficiario::varchar, ''), coalesce(cig::varchar, ''), coalesce(cup::varchar, '')
        )) as payload_key
    from written
),

done as (
    select payload_key, count(*) as times
    from (
        select sent.payload_key
        from decided_sent_operations as sent
        join sent_states as states using (operation_id, attempt)
        where states.state = 'done' and sent.payload_key is not null
    )
    group by payload_key
)

select
    ente_code() as ente,
    if(done.times > 0, md5(keyed.payload_key || '|' || done.times), keyed.payload_key) as operation_id,
    keyed.*,
    amount_words(keyed) as descrizione
from keyed
left join done using (payload_key)
