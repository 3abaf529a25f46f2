-- One row per line of Modello 003 or 002 to send to PCC: what each of `operation_moves` says, column by column.
-- Key: operation_id, a hash of what the line says and of the state of the document on PCC that it starts from.
with erp as (
    select
        invoices.id_documento,
        invoices.stato,
        invoices.tipo_documento,
        invoices.numero,
        invoices.data_emissione,
        invoices.data_ricezione,
        invoices.protocollo,
        invoices.piva_fornitore,
        invoices.cf_fornitore,
        invoices.denominazione_fornitore,
        invoices.importo_totale,
        invoices.imponibile,
        invoices.iva,
        invoices.codice_ufficio,
        invoices.natura_spesa,
        invoices.capitolo,
        invoices.impegno,
        invoices.cig,
        invoices.cup,
        case
            when types.sign = -1 then 'TD04'
            when invoices.tipo_documento in ('TD02', 'TD03', 'TD05', 'TD06') then invoices.tipo_documento
            when invoices.tipo_documento = 'PARCELLA' then 'TD06'
            else 'TD01'
        end as model_type
    from stg_erp_invoices as invoices
    semi join operation_moves on operation_moves.id_documento = invoices.id_documento
    join rule_document_types as types on types.code = invoices.tipo_documento
),

pcc as materialized (
    select invoices.*
    from stg_pcc_invoices as invoices
    semi join operation_moves on operation_moves.progressivo_registrazione = invoices.progressivo_registrazione
),

ente_on_pcc as (
    select max(cf_amministrazione) as cf_amministrazione from pcc
),

written as (
    select
        moves.code,
        moves.id_documento,
        moves.progressivo_registrazione,
        moves.step,
        if(moves.registers, '002', '003') as model,
        moves.azione,
        if(moves.azione = 'RF', null, moves.importo) as importo,
        case
            when movements.natura_na then 'NA'
            when moves.azione in ('CO', 'CP') then coalesce(erp.natura_spesa, 'CO')
        end as natura_spesa,
        moves.stato_debito,
        case movements.to_account
            when 'sospeso' then remedies.causale_sospensione
            when 'non_liquidabile' then remedies.causale_non_liquidabile
        end as causale,
        case
            when moves.azione = 'RF' then refusal_words(erp.stato)
            when movements.to_account = 'sospeso' then remedies.suspension_words || ' dal ' || italian_date(remedies.suspended_from)
            when movements.to_account = 'non_liquidabile' then case
                when closing.words is not null then closing.words
                when remedies.causale_non_liquidabile is not null
                    then remedies.suspension_words || ' dal ' || italian_date(remedies.suspended_from)
                when list_has_any(remedies.codes, {{ codes_that("corrects", "rejection") }}) then refusal_words(erp.stato)
                when list_contains(remedies.codes, 'DUPLICATE_ON_PCC') then 'Documento già presente su PCC'
                when list_contains(remedies.codes, 'SPLIT_VAT_OPEN') or remedies.new_on_pcc and erp.stato <> 'NON_LIQUIDABILE'
                    then 'IVA in scissione dei pagamenti'
                else 'Non liquidabile'
            end
            when moves.azione = 'CP' then nullif(concat_ws(
                ', ', if(remedies.non_commercial, 'Debito non commerciale', null),
                case moves.modalita when 'ECONOMALE' then 'Pagamento con cassa economale' when 'ADDEBITO' then 'Addebito diretto' end
            ), '')
            when moves.registers then erp.tipo_documento || ' n. ' || erp.numero || ' del ' || italian_date(erp.data_emissione)
        end as descrizione,
        if(moves.azione in ('CO', 'CP'), erp.capitolo, null) as capitoli,
        if(moves.azione in ('CO', 'CP'), erp.impegno, null) as estremi_impegno,
        case
            when movements.cig_na then 'NA'
            when moves.azione in ('CO', 'CP') or moves.registers then coalesce(erp.cig, 'NA')
        end as cig,
        case
            when movements.cig_na then 'NA'
            when moves.azione in ('CO', 'CP') or moves.registers then coalesce(erp.cup, 'NA')
        end as cup,
        if(moves.azione = 'CS' or moves.registers, remedies.due_date_told, null) as data_scadenza,
        moves.numero_mandato,
        moves.data_mandato,
        if(moves.azione = 'CP', fiscal_identity(coalesce(moves.cf_beneficiario, remedies.original_creditor)), null)
            as id_fiscale_beneficiario,
        moves.azione = 'CP' and remedies.non_commercial as non_commercial,
        if(moves.azione = 'RC', coalesce(erp.protocollo, pcc.numero_protocollo), null) as protocollo,
        if(moves.azione = 'RC', coalesce(possible_day(pcc.data_ricezione), possible_day(erp.data_ricezione), erp.data_emissione, pcc.data_emissione), null)
            as data_ricezione,
        if(moves.azione = 'RF', observed_at(), null) as data_rifiuto,
        coalesce(pcc.cf_amministrazione, ente_on_pcc.cf_amministrazione) as cf_amministrazione,
        coalesce(pcc.codice_ufficio, erp.codice_ufficio) as codice_ufficio,
        coalesce(pcc.cf_fornitore, erp.cf_fornitore, remedies.original_creditor) as cf_fornitore,
        fiscal_identity(coalesce(pcc.id_fiscale_iva, erp.piva_fornitore, erp.cf_fornitore, pcc.cf_fornitore)) as id_fiscale_iva,
        coalesce(pcc.denominazione_fornitore, erp.denominazione_fornitore) as denominazione_fornitore,
        coalesce(pcc.numero_documento, erp.numero) as numero_documento,
        coalesce(pcc.data_emissione, erp.data_emissione) as data_emissione,
        coalesce(pcc.importo_totale, erp.importo_totale) as importo_totale,
        coalesce(pcc.importo_imponibile, erp.imponibile) as importo_imponibile,
        coalesce(pcc.totale_imposta, erp.iva) as totale_imposta,
        if(remedies.new_on_pcc, erp.model_type, pcc.tipo_documento) as tipo_documento,
        pcc.lotto_sdi as lotto,
        remedies.original_creditor,
        -- The state on PCC that the line starts from.
        concat_ws('|', remedies.pcc_stato, remedies.unbooked, remedies.liquidated, remedies.suspended, remedies.not_payable, remedies.paid,
                  remedies.paid_non_commercial, remedies.due_date) as state
    from operation_moves as moves
    join remedies
        on remedies.id_documento is not distinct from moves.id_documento
        and remedies.progressivo_registrazione is not distinct from moves.progressivo_registrazione
    left join erp on erp.id_documento = moves.id_documento
    left join pcc on pcc.progressivo_registrazione = moves.progressivo_registrazione
    -- By its state of debt: only a CO has one.
    left join rule_debt_movements as movements on movements.stato_debito = moves.stato_debito
    left join rule_pcc_causes as closing on closing.cause is null and closing.causale = remedies.causale_non_liquidabile
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
