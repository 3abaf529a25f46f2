-- One row per line of Modello 003 or 002 to send to PCC: what each of `operation_moves` says, column by column.
-- Key: operation_id, a hash of what the line says and of the state of the document on PCC that it starts from.
with erp as (
    select
        invoices.id_documento,
        invoices.stato,
        invoices.tipo_documento,
        invoices.numero,
        invoices.data_emissione,
        invoices.capitolo,
        invoices.impegno,
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

documents as materialized (
    select line_documents.*
    from line_documents
    semi join operation_moves
        on operation_moves.id_documento is not distinct from line_documents.id_documento
        and operation_moves.progressivo_registrazione is not distinct from line_documents.progressivo_registrazione
),

ente_on_pcc as (
    select max(cf_amministrazione) as cf_amministrazione from documents
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
            when moves.azione in ('CO', 'CP') then documents.natura_spesa
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
            when moves.azione in ('CO', 'CP') or moves.registers then documents.cig
        end as cig,
        case
            when movements.cig_na then 'NA'
            when moves.azione in ('CO', 'CP') or moves.registers then documents.cup
        end as cup,
        if(moves.azione = 'CS' or moves.registers, remedies.due_date_told, null) as data_scadenza,
        moves.numero_mandato,
        moves.data_mandato,
        if(moves.azione = 'CP', fiscal_identity(coalesce(moves.cf_beneficiario, documents.original_creditor)), null)
            as id_fiscale_beneficiario,
        moves.azione = 'CP' and remedies.non_commercial as non_commercial,
        if(moves.azione = 'RC', documents.protocollo, null) as protocollo,
        if(moves.azione = 'RC', coalesce(
            possible_day(documents.received_on_pcc), possible_day(documents.received_by_erp), documents.issued
        ), null) as data_ricezione,
        if(moves.azione = 'RF', observed_at(), null) as data_rifiuto,
        coalesce(documents.cf_amministrazione, ente_on_pcc.cf_amministrazione) as cf_amministrazione,
        documents.codice_ufficio,
        documents.cf_fornitore,
        documents.id_fiscale_iva,
        documents.denominazione_fornitore,
        documents.numero_documento,
        documents.data_emissione,
        documents.importo_totale,
        documents.importo_imponibile,
        documents.totale_imposta,
        if(remedies.new_on_pcc, erp.model_type, documents.tipo_documento) as tipo_documento,
        documents.lotto,
        documents.original_creditor,
        -- The state on PCC that the line starts from.
        concat_ws('|', remedies.pcc_stato, remedies.unbooked, remedies.liquidated, remedies.suspended, remedies.not_payable, remedies.paid,
                  remedies.paid_non_commercial, remedies.due_date) as state
    from operation_moves as moves
    join remedies
        on remedies.id_documento is not distinct from moves.id_documento
        and remedies.progressivo_registrazione is not distinct from moves.progressivo_registrazione
    join documents
        on documents.id_documento is not distinct from moves.id_documento
        and documents.progressivo_registrazione is not distinct from moves.progressivo_registrazione
    left join erp on erp.id_documento = moves.id_documento
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
