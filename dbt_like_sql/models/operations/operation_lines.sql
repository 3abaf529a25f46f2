-- One row per line to send to PCC: the moves of `remedies` in the order in which PCC takes them.
-- Key: operation_id. Reception, refusal, what frees an account, what fills one, the due date, payments.
with moves as (
    select
        remedies.*,
        unnest([
            {place: 1, azione: 'RC', stato: null, amount: if(new_on_pcc, commercial_amount, 0), wanted: ['MISSING_ON_PCC']},
            {place: 2, azione: 'RF', stato: null, amount: if(refused, commercial_amount, 0), wanted: ['REJECTED_STILL_OPEN']},
            {place: 10, azione: 'CO', stato: 'NLdaSOSP', amount: nl_da_sosp, wanted: closes},
            {place: 11, azione: 'CO', stato: 'LIQdaSOSP', amount: liq_da_sosp, wanted: lifts},
            {place: 12, azione: 'CO', stato: 'LIQdaNL', amount: liq_da_nl, wanted: ['NOT_PAYABLE_NOT_LIFTED', 'PAID_NOT_REPORTED']},
            {place: 13, azione: 'CO', stato: 'SOSPdaNL', amount: sosp_da_nl, wanted: suspends},
            {place: 14, azione: 'CO', stato: 'NOLIQ', amount: noliq, wanted: closes},
            {place: 15, azione: 'CO', stato: 'NLdaLIQ', amount: nl_da_liq, wanted: closes},
            {place: 16, azione: 'CO', stato: 'SOSP', amount: sosp, wanted: suspends},
            {place: 17, azione: 'CO', stato: 'SOSPdaLIQ', amount: sosp_da_liq, wanted: suspends},
            {place: 18, azione: 'CO', stato: 'LIQ', amount: liq,
             wanted: ['PAID_NOT_REPORTED', 'CREDIT_NOTE_OPEN', 'NOT_BOOKED', 'MISSING_ON_PCC']},
            {place: 20, azione: 'CS', stato: null,
             amount: case
                 when due_date_told is null or new_on_pcc then 0
                 -- What is neither paid nor non liquidabile by then; the whole document where nothing is.
                 else greatest(coalesce(nullif(greatest(
                     unbooked + liquidated + suspended + liq_da_nl + sosp_da_nl - noliq - nl_da_liq - nl_da_sosp, 0), 0), commercial_amount), 0.01)
             end,
             wanted: ['DUE_DATE_DIFFERS', 'DUE_DATE_SHIFTS_STOCK', 'SUSPENSION_NOT_LIFTED', 'SUSPENSION_CAUSE_DIFFERS', 'NOT_PAYABLE_NOT_REPORTED', 'PAID_NOT_REPORTED']}
        ], max_depth := 2)
    from (
        select
            *,
            ['REJECTED_STILL_OPEN', 'DUPLICATE_ON_PCC', 'NOT_PAYABLE_NOT_REPORTED', 'SPLIT_VAT_OPEN', 'PAID_NOT_REPORTED',
             'MISSING_ON_PCC'] as closes,
            ['SUSPENSION_NOT_LIFTED', 'SUSPENSION_CAUSE_DIFFERS', 'SUSPENSION_NOT_REPORTED', 'PAID_NOT_REPORTED', 'CREDIT_NOTE_OPEN']
                as lifts,
            ['SUSPENSION_NOT_REPORTED', 'SUSPENSION_CAUSE_DIFFERS', 'SUSPENSION_NOT_LIFTED', 'MISSING_ON_PCC'] as suspends
        from remedies
    ) as remedies
),

proposed as materialized (
    select
        * exclude (wanted),
        coalesce(first_borne(wanted, codes), codes[1]) as code,
        cast(null as varchar) as numero_mandato,
        cast(null as date) as data_mandato,
        cast(null as varchar) as cf_beneficiario
    from moves
    where amount > 0
    union all by name
    select
        remedies.*,
        20 + payments.position as place,
        'CP' as azione,
        cast(null as varchar) as stato,
        payments.amount,
        coalesce(
            first_borne(['NON_COMMERCIAL_NOT_REPORTED', 'PAID_NOT_REPORTED', 'CREDIT_NOTE_OPEN', 'MISSING_ON_PCC'], remedies.codes),
            remedies.codes[1]
        ) as code,
        payments.numero_mandato,
        payments.data_mandato,
        payments.cf_beneficiario
    from remedies
    join unreported_payments as payments on payments.id_documento = remedies.id_documento
    where remedies.to_pay > 0
),

-- Nothing is booked on what was only presented: its reception is told first, under the code of what follows.
received as (
    select
        * replace (0 as place, 'RC' as azione, null as stato, null as amount, null as numero_mandato, null as data_mandato,
                   null as cf_beneficiario)
    from proposed
    where booked_first
    qualify row_number() over (partition by id_documento, progressivo_registrazione order by place) = 1
),

ordered as materialized (
    select *, row_number() over (partition by id_documento, progressivo_registrazione order by place) as step
    from (select * from proposed union all by name select * from received)
),

erp as (
    select invoices.*, if(types.sign = -1, 'TD04', case
        when invoices.tipo_documento in ('TD02', 'TD03', 'TD05', 'TD06') then invoices.tipo_documento
        when invoices.tipo_documento = 'PARCELLA' then 'TD06'
        else 'TD01'
    end) as model_type
    from stg_erp_invoices as invoices
    semi join ordered on ordered.id_documento = invoices.id_documento
    join rule_document_types as types on types.code = invoices.tipo_documento
),

pcc as materialized (
    select invoices.*
    from stg_pcc_invoices as invoices
    semi join ordered on ordered.progressivo_registrazione = invoices.progressivo_registrazione
),

ente_on_pcc as (
    select max(cf_amministrazione) as cf_amministrazione from pcc
),

written as (
    select
        ordered.code,
        ordered.id_documento,
        ordered.progressivo_registrazione,
        ordered.step,
        if(ordered.new_on_pcc and ordered.place = 1, '002', '003') as model,
        ordered.azione,
        if(ordered.azione = 'RF', null, ordered.amount) as importo,
        case
            when movements.natura_na then 'NA'
            when ordered.azione in ('CO', 'CP') then coalesce(erp.natura_spesa, 'CO')
        end as natura_spesa,
        ordered.stato as stato_debito,
        case movements.to_account
            when 'sospeso' then ordered.causale_sospensione
            when 'non_liquidabile' then ordered.causale_non_liquidabile
        end as causale,
        case
            when ordered.azione = 'RF' then if(erp.stato = 'ANNULLATA', 'Documento annullato', 'Documento rifiutato') || ' dall''ente'
            when movements.to_account = 'sospeso' then ordered.suspension_words || ' dal ' || italian_date(ordered.suspended_from)
            when movements.to_account = 'non_liquidabile' then case
                when ordered.causale_non_liquidabile = 'NCRED' then 'Chiuso con nota di credito'
                when ordered.causale_non_liquidabile is not null then ordered.suspension_words || ' dal ' || italian_date(ordered.suspended_from)
                when list_contains(ordered.codes, 'REJECTED_STILL_OPEN') then if(erp.stato = 'ANNULLATA', 'Documento annullato', 'Documento rifiutato') || ' dall''ente'
                when list_contains(ordered.codes, 'DUPLICATE_ON_PCC') then 'Documento già presente su PCC'
                when list_contains(ordered.codes, 'SPLIT_VAT_OPEN') or ordered.new_on_pcc and erp.stato <> 'NON_LIQUIDABILE' then 'IVA in scissione dei pagamenti'
                else 'Non liquidabile'
            end
            when ordered.azione = 'CP' and ordered.non_commercial then 'Debito non commerciale'
            when ordered.azione = 'RC' and ordered.place = 1 then erp.tipo_documento || ' n. ' || erp.numero || ' del ' || italian_date(erp.data_emissione)
        end as descrizione,
        if(ordered.azione in ('CO', 'CP'), erp.capitolo, null) as capitoli,
        if(ordered.azione in ('CO', 'CP'), erp.impegno, null) as estremi_impegno,
        case
            when movements.cig_na then 'NA'
            when ordered.azione in ('CO', 'CP') or ordered.place = 1 then coalesce(erp.cig, 'NA')
        end as cig,
        case
            when movements.cig_na then 'NA'
            when ordered.azione in ('CO', 'CP') or ordered.place = 1 then coalesce(erp.cup, 'NA')
        end as cup,
        if(ordered.azione = 'CS' or ordered.place = 1, ordered.due_date_told, null) as data_scadenza,
        ordered.numero_mandato,
        ordered.data_mandato,
        if(ordered.azione = 'CP', fiscal_identity(coalesce(ordered.cf_beneficiario, ordered.original_creditor)), null)
            as id_fiscale_beneficiario,
        ordered.azione = 'CP' and ordered.non_commercial as non_commercial,
        if(ordered.azione = 'RC', coalesce(erp.protocollo, pcc.numero_protocollo), null) as protocollo,
        if(ordered.azione = 'RC', coalesce(pcc.data_ricezione, erp.data_ricezione, erp.data_emissione, pcc.data_emissione), null)
            as data_ricezione,
        if(ordered.azione = 'RF', observed_at(), null) as data_rifiuto,
        coalesce(pcc.cf_amministrazione, ente_on_pcc.cf_amministrazione) as cf_amministrazione,
        coalesce(pcc.codice_ufficio, erp.codice_ufficio) as codice_ufficio,
        coalesce(pcc.cf_fornitore, erp.cf_fornitore, ordered.original_creditor) as cf_fornitore,
        fiscal_identity(coalesce(pcc.id_fiscale_iva, erp.piva_fornitore, erp.cf_fornitore, pcc.cf_fornitore)) as id_fiscale_iva,
        coalesce(pcc.denominazione_fornitore, erp.denominazione_fornitore) as denominazione_fornitore,
        coalesce(pcc.numero_documento, erp.numero) as numero_documento,
        coalesce(pcc.data_emissione, erp.data_emissione) as data_emissione,
        coalesce(pcc.importo_totale, erp.importo_totale) as importo_totale,
        coalesce(pcc.importo_imponibile, erp.imponibile) as importo_imponibile,
        coalesce(pcc.totale_imposta, erp.iva) as totale_imposta,
        if(ordered.new_on_pcc, erp.model_type, pcc.tipo_documento) as tipo_documento,
        pcc.lotto_sdi as lotto,
        ordered.original_creditor,
        -- The state on PCC that the line starts from.
        concat_ws('|', ordered.pcc_stato, ordered.unbooked, ordered.liquidated, ordered.suspended, ordered.not_payable, ordered.paid,
                  ordered.paid_non_commercial, ordered.due_date) as state
    from ordered
    left join erp on erp.id_documento = ordered.id_documento
    left join pcc on pcc.progressivo_registrazione = ordered.progressivo_registrazione
    left join rule_debt_movements as movements on movements.stato_debito = ordered.stato
    cross join ente_on_pcc
)

select
    ente_code() as ente,
    md5(concat_ws(
        '|', ente_code(), model, coalesce(progressivo_registrazione, ''), coalesce(id_documento, ''), azione, coalesce(importo::varchar, ''),
        coalesce(stato_debito, ''), coalesce(causale, ''), coalesce(natura_spesa, ''), coalesce(data_scadenza::varchar, ''),
        coalesce(numero_mandato, ''), coalesce(data_mandato::varchar, ''), coalesce(id_fiscale_beneficiario, ''), non_commercial,
        coalesce(cig, ''), coalesce(cup, ''), state
    )) as operation_id,
    *
from written
