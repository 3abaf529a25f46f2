-- One row per document and anomaly that needs a person's answer: the question in plain Italian, with the facts.
-- Key: code, id_documento, progressivo_registrazione. Besides what is manual: operations that cannot bring the document
-- where it belongs (situation short), that a person refused (refused), and credit notes whose invoice is not known (link).
{% from "question_facts.jinja" import question_facts %}
with projected as (
    select
        remedies.id_documento,
        remedies.progressivo_registrazione,
        remedies.paid_short,
        remedies.credit_note_linked,
        accounts.operations is not null as has_operations,
        coalesce(accounts.stock, remedies.pcc_stock) - remedies.right_stock as remaining
    from remedies
    left join projected_accounts as accounts
        on accounts.id_documento is not distinct from remedies.id_documento
        and accounts.progressivo_registrazione is not distinct from remedies.progressivo_registrazione
),

-- Documents of which a person refused an operation.
refused as (
    select distinct lines.id_documento, lines.progressivo_registrazione, true as refused
    from operation_lines as lines
    semi join (select operation_id from decided_operation_decisions where state = 'refused') as decided using (operation_id)
),

asked_by_document as (
    select id_documento, progressivo_registrazione, bool_or(manual) as asked
    from anomalies
    group by id_documento, progressivo_registrazione
),

open_points as (
    select
        anomalies.code,
        anomalies.id_documento,
        anomalies.progressivo_registrazione,
        anomalies.severity,
        anomalies.amount,
        anomalies.question,
        anomalies.erp_says,
        anomalies.pcc_says,
        projected.remaining,
        case
            when anomalies.manual then 'manual'
            when refused.refused and not asked_by_document.asked then if(projected.remaining <> 0, 'refused', null)
            when not asked_by_document.asked
                and (projected.remaining <> 0 or (not projected.has_operations or projected.paid_short > 0) and not coalesce(spoken.silent, false)) then 'short'
            when anomalies.code = 'CREDIT_NOTE_OPEN' and not projected.credit_note_linked then 'link'
            when anomalies.code = 'PAID_NOT_REPORTED' and withheld.id_documento is not null then 'withheld'
        end as situation
    from anomalies
    join projected
        on projected.id_documento is not distinct from anomalies.id_documento
        and projected.progressivo_registrazione is not distinct from anomalies.progressivo_registrazione
    left join refused
        on refused.id_documento is not distinct from anomalies.id_documento
        and refused.progressivo_registrazione is not distinct from anomalies.progressivo_registrazione
    left join spoken_remedies as spoken on spoken.code = anomalies.code
    -- Only the e-invoice says what is withheld.
    left join (select id_documento from documents where withholding_from_einvoice and erp_withheld > 0) as withheld
        on withheld.id_documento = anomalies.id_documento
    join asked_by_document
        on asked_by_document.id_documento is not distinct from anomalies.id_documento
        and asked_by_document.progressivo_registrazione is not distinct from anomalies.progressivo_registrazione
),

-- The code's own text for the situation, else the one for all codes.
worded as (
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
    coalesce(worded.question, filled_in(worded.template, {{ question_facts("null", "worded.remaining", "words.words") }})) as question,
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
