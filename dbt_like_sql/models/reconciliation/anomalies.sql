-- One row per document and anomaly code (docs/rules.md#rule-7): its amount, what each side says, its remedy or its question.
-- Key: code, id_documento, progressivo_registrazione. Which codes a document bears: differences. What a code asks for is
-- data (rule_anomalies); what is asked of a person is a text of rule_questions with the document's facts in it.
{% from "question_facts.jinja" import filled_in, question_of %}
with described as (
    select
        differences.code,
        catalogue.severity,
        case coalesce(spoken.asks, catalogue.asks)
            when 'always' then true
            when 'not_communicable' then not documents.to_communicate
            when 'unpaid' then documents.erp_paid_at_observation = 0
            when 'with_operations' then coalesce(documents.pcc_operations > 0, false) or documents.copy_of_another
            else false
        end as manual,
        if(manual and catalogue.asks <> 'always', 'manual', coalesce(spoken.remedy, catalogue.remedy)) as remedy,
        case
            when documents.id_documento is null and catalogue.corrects = 'rejection' then 'rifiutata tramite SDI (EC02)'
            when documents.id_documento is null then null
            when catalogue.shows = 'beneficiary' then wrong_beneficiaries.beneficiaries
            when catalogue.shows = 'due_date' then 'scadenza ' || documents.right_due_date
            when catalogue.shows = 'office' then 'ufficio ' || documents.erp_office
            when catalogue.shows = 'issue_date' then 'emessa il ' || documents.erp_issue_date
            else concat_ws(
                ', ', documents.erp_stato, documents.erp_cause, 'importo ' || documents.erp_amount,
                'pagato ' || documents.erp_paid_at_observation, 'sospeso ' || nullif(documents.erp_suspended, 0),
                'non liquidabile ' || nullif(documents.erp_not_payable, 0)
            )
        end as erp_says,
        case
            when documents.progressivo_registrazione is null then null
            when catalogue.shows = 'due_date' then 'scadenza ' || coalesce(documents.pcc_row_due_date::varchar, 'assente')
            when catalogue.shows = 'office' then 'ufficio ' || documents.pcc_office
            when catalogue.shows = 'issue_date' then 'emessa il ' || documents.pcc_issue_date
            else concat_ws(
                ', ', documents.pcc_stato, documents.pcc_cause, 'importo ' || documents.pcc_amount,
                'pagato ' || documents.pcc_paid_at_observation, 'liquidato ' || nullif(documents.pcc_liquidated, 0),
                'sospeso ' || nullif(documents.pcc_suspended, 0), 'non liquidabile ' || nullif(documents.pcc_not_payable, 0)
            )
        end as pcc_says,
        if(manual, {{ question_of(
            "templates.question", "coalesce(match_candidates.candidates, documents.counterpart)", "null::decimal(18, 2)", "words.words"
        ) }}, null)
            as question,
        documents.id_documento,
        documents.progressivo_registrazione,
        documents.pcc_stock - documents.right_stock as amount,
        documents.original_creditor,
        documents.creditor,
        documents.numero,
        documents.origin,
        list_contains({{ codes_that("registers") }}, differences.code) and documents.to_communicate as to_communicate
    from differences
    join rule_anomalies as catalogue on catalogue.code = differences.code
    left join spoken_remedies as spoken on spoken.code = differences.code
    join documents
        on documents.id_documento is not distinct from differences.id_documento
        and documents.progressivo_registrazione is not distinct from differences.progressivo_registrazione
    left join difference_words as words
        on words.code = differences.code
        and words.id_documento is not distinct from differences.id_documento
        and words.progressivo_registrazione is not distinct from differences.progressivo_registrazione
    left join rule_questions as templates
        on templates.code = differences.code
        and templates.situation = case
            when catalogue.code = 'MISSING_ON_PCC' and documents.counterpart is not null then 'proposed'
            when catalogue.code = 'PAID_TOO_MUCH_ON_PCC' and words.words is not null then 'double'
            when catalogue.code = 'DUPLICATE_ON_PCC' and documents.debt = 'none' then 'no_debt'
            when catalogue.code = 'DUPLICATE_ON_PCC' and documents.copy_of_another then 'copy'
            else 'manual'
        end
    left join wrong_beneficiaries on wrong_beneficiaries.id_documento = differences.id_documento
    left join match_candidates
        on match_candidates.id_documento is not distinct from differences.id_documento
        and match_candidates.progressivo_registrazione is not distinct from differences.progressivo_registrazione
        and differences.code = 'AMBIGUOUS_MATCH'
    union all by name
    -- What is paid is of no document that is known.
    select
        catalogue.code,
        catalogue.severity,
        true as manual,
        catalogue.remedy,
        'mandato ' || unknown.orders as erp_says,
        {{ filled_in("templates.question", [("{documento_pronto}", "unknown.id_documento"), ("{rilievo}", "unknown.orders")]) }} as question,
        unknown.id_documento,
        0 as amount,
        coalesce(identifiers.creditor, tax_id(unknown.cf_beneficiario), 'NON_INDICATO') as original_creditor,
        original_creditor as creditor,
        unknown.id_documento as numero,
        'UNTOLD' as origin,
        false as to_communicate
    from payments_without_document as unknown
    join rule_anomalies as catalogue on catalogue.code = 'PAYMENT_WITHOUT_DOCUMENT'
    left join rule_questions as templates on templates.code = catalogue.code and templates.situation = 'manual'
    left join identifiers on identifiers.identifier = tax_id(unknown.cf_beneficiario)
    union all by name
    -- What is out of the figures altogether stands on no side: it is asked about all the same.
    select
        catalogue.code,
        catalogue.severity,
        true as manual,
        catalogue.remedy,
        if(gone.id_documento is not null, 'non più nelle consegne: ' || gone.words, null) as erp_says,
        if(gone.id_documento is null, 'non più nelle consegne: ' || gone.words, null) as pcc_says,
        {{ filled_in("templates.question", [
            ("{documento}", "'Documento n. ' || gone.numero || ' di ' || coalesce(gone.creditor_name || ' (' || gone.creditor || ')', gone.creditor)"),
            ("{rilievo}", "gone.words")
        ]) }} as question,
        gone.id_documento,
        gone.progressivo_registrazione,
        0 as amount,
        coalesce(gone.creditor, 'NON_INDICATO') as original_creditor,
        original_creditor as creditor,
        gone.numero,
        'UNTOLD' as origin,
        false as to_communicate
    from gone_documents as gone
    join rule_anomalies as catalogue on catalogue.code = 'GONE_FROM_ERP'
    join rule_questions as templates on templates.code = catalogue.code and templates.situation = 'manual'
    anti join documents as ours on ours.id_documento = gone.id_documento
    anti join documents as theirs on theirs.progressivo_registrazione = gone.progressivo_registrazione
    where gone.wholly
)

select
    ente_code() as ente,
    code,
    id_documento,
    progressivo_registrazione,
    amount,
    severity,
    remedy,
    manual,
    question,
    erp_says,
    pcc_says,
    original_creditor,
    creditor,
    numero,
    origin,
    to_communicate,
    reference_date() as reference_date,
    observed_at() as observed_at
from described
