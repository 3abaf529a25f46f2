-- One row per document and anomaly code (rules, section 7): its amount, what each side says, its remedy or its question.
-- Key: code, id_documento, progressivo_registrazione. Which codes a document bears: differences. What a code asks for is
-- data (rule_anomalies); what is asked of a person is a text of rule_questions with the document's facts in it.
{% from "question_facts.jinja" import question_facts %}
with described as (
    select
        differences.code,
        catalogue.severity,
        case catalogue.asks
            when 'always' then true
            when 'not_communicable' then not documents.to_communicate
            when 'unpaid' then documents.erp_paid_at_observation = 0
            when 'with_operations' then coalesce(documents.pcc_operations > 0, false)
            else false
        end as manual,
        if(manual and catalogue.asks <> 'always', 'manual', catalogue.remedy) as remedy,
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
        if(manual, filled_in(
            templates.question,
            {{ question_facts("match_candidates.candidates", "null::decimal(18, 2)", "coalesce(our_gone.words, their_gone.words)") }}
        ), null) as question,
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
    join documents
        on documents.id_documento is not distinct from differences.id_documento
        and documents.progressivo_registrazione is not distinct from differences.progressivo_registrazione
    left join rule_questions as templates on templates.code = differences.code and templates.situation = 'manual'
    left join gone_documents as our_gone
        on our_gone.id_documento = differences.id_documento and differences.code = 'GONE_FROM_ERP'
    left join gone_documents as their_gone
        on their_gone.id_documento is null
        and their_gone.progressivo_registrazione = differences.progressivo_registrazione
        and differences.code = 'GONE_FROM_ERP'
    left join wrong_beneficiaries on wrong_beneficiaries.id_documento = differences.id_documento
    left join match_candidates
        on match_candidates.id_documento is not distinct from differences.id_documento
        and match_candidates.progressivo_registrazione is not distinct from differences.progressivo_registrazione
        and differences.code = 'AMBIGUOUS_MATCH'
),

-- A document that is out of the figures altogether stands on no side: it is asked about all the same.
nowhere as (
    select gone.*
    from gone_documents as gone
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
union all
select
    ente_code(),
    catalogue.code,
    nowhere.id_documento,
    nowhere.progressivo_registrazione,
    0,
    catalogue.severity,
    catalogue.remedy,
    true,
    replace(
        replace(templates.question, '{documento}', 'Documento n. ' || nowhere.numero || ' di '
            || coalesce(nowhere.creditor_name || ' (' || nowhere.creditor || ')', nowhere.creditor, 'fornitore non indicato')),
        '{mancanti}', nowhere.words
    ),
    if(nowhere.progressivo_registrazione is null, 'non più nelle consegne: ' || nowhere.words, null),
    if(nowhere.progressivo_registrazione is null, null, 'non più nelle consegne: ' || nowhere.words),
    coalesce(nowhere.creditor, 'NON_INDICATO'),
    coalesce(nowhere.creditor, 'NON_INDICATO'),
    nowhere.numero,
    null,
    false,
    reference_date(),
    observed_at()
from nowhere
join rule_anomalies as catalogue on catalogue.code = 'GONE_FROM_ERP'
join rule_questions as templates on templates.code = catalogue.code and templates.situation = 'manual'
