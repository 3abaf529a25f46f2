-- One row per document and anomaly that needs a person's answer: the question in plain Italian, with the facts.
-- Key: code, id_documento, progressivo_registrazione. Who is asked, and why: open_points.
{% from "question_facts.jinja" import question_of %}
-- The code's own text for the situation, else the one for all codes.
with worded as (
    select open_points.*, templates.addressee, templates.question as template
    from open_points
    left join rule_questions as own on own.code = open_points.code and own.situation = open_points.situation
    join rule_questions as templates
        on templates.code = coalesce(own.code, '*')
        and templates.situation = if(own.code is null and open_points.situation <> 'refused', 'short', open_points.situation)
    where open_points.situation is not null
)

select
    ente_code() as ente,
    worded.code,
    worded.id_documento,
    worded.progressivo_registrazione,
    worded.addressee,
    worded.severity,
    -- What is manual was asked with the anomaly.
    coalesce(worded.question, {{ question_of("worded.template", "null", "worded.remaining", "coalesce(worded.words, words.words)") }}) as question,
    worded.amount,
    worded.remaining,
    documents.numero,
    coalesce(documents.erp_issue_date, documents.pcc_issue_date) as data_emissione,
    documents.original_creditor,
    documents.creditor,
    documents.creditor_name,
    reference_date() as reference_date,
    observed_at() as observed_at
from worded
join documents
    on documents.id_documento is not distinct from worded.id_documento
    and documents.progressivo_registrazione is not distinct from worded.progressivo_registrazione
left join difference_words as words
    on words.code = worded.code
    and words.id_documento is not distinct from worded.id_documento
    and words.progressivo_registrazione is not distinct from worded.progressivo_registrazione
union all by name
select
    ente_code() as ente,
    anomalies.code,
    anomalies.id_documento,
    templates.addressee,
    anomalies.severity,
    anomalies.question,
    anomalies.amount,
    0 as remaining,
    anomalies.numero,
    unknown.first_on as data_emissione,
    anomalies.original_creditor,
    anomalies.creditor,
    reference_date() as reference_date,
    observed_at() as observed_at
from anomalies
join payments_without_document as unknown on unknown.id_documento = anomalies.id_documento
join rule_questions as templates on templates.code = anomalies.code and templates.situation = 'manual'
where anomalies.code = 'PAYMENT_WITHOUT_DOCUMENT'
union all by name
-- What is out of the figures altogether has no document to ask on.
select
    ente_code() as ente,
    anomalies.code,
    anomalies.id_documento,
    anomalies.progressivo_registrazione,
    templates.addressee,
    anomalies.severity,
    anomalies.question,
    anomalies.amount,
    0 as remaining,
    anomalies.numero,
    gone.issue_date as data_emissione,
    anomalies.original_creditor,
    anomalies.creditor,
    gone.creditor_name,
    reference_date() as reference_date,
    observed_at() as observed_at
from anomalies
join rule_questions as templates on templates.code = anomalies.code and templates.situation = 'manual'
join gone_documents as gone
    on gone.id_documento is not distinct from anomalies.id_documento
    and gone.progressivo_registrazione is not distinct from anomalies.progressivo_registrazione
anti join documents as ours on ours.id_documento = anomalies.id_documento
anti join documents as theirs on theirs.progressivo_registrazione = anomalies.progressivo_registrazione
where anomalies.code = 'GONE_FROM_ERP' and gone.wholly
