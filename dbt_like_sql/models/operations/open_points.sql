-- materialized: step
-- One row per document and anomaly: whether a person is needed, and in which situation (null: none is).
-- Key: code, id_documento, progressivo_registrazione. Besides what is manual: operations that cannot bring the document
-- where it belongs (short), that a person refused (refused), credit notes whose invoice is not known (link), what is withheld
-- by the e-invoice alone (withheld), orders that SIOPE+ still carries (siope), a cause that PCC has no kind for (no_kind).
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

-- Orders of which nothing is told yet: SIOPE+ still carries them (docs/rules.md#rule-11-siope).
waiting as (
    select
        carriers.id_documento,
        string_agg(carriers.numero_mandato || ' del ' || italian_date(carriers.data_mandato), ', ' order by carriers.data_mandato, carriers.numero_mandato)
            as orders
    from order_carriers as carriers
    join document_targets as targets on targets.id_documento = carriers.id_documento
    where carriers.waits and pcc_models() <> '003' and targets.changes and not targets.payments_non_commercial
      and not list_contains(targets.codes, 'CREDIT_NOTE_OPEN')
    group by carriers.id_documento
),

-- Suspended for a cause of which today's PCC has no kind: a SID leaves it out.
unsayable as (
    select targets.id_documento, coalesce(causes.meaning, documents.erp_cause) as cause
    from document_targets as targets
    join documents on documents.id_documento = targets.id_documento
    left join rule_suspension_causes as causes on causes.cause = documents.erp_cause
    where pcc_models() <> '003' and targets.movable and targets.suspended_other > targets.now_suspended_other
),

-- The situations that a code has words of its own for.
own as (
    select code, list(situation) as situations from rule_questions group by code
)

select
    ente_code() as ente,
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
        when not asked_by_document.asked and unsayable.id_documento is not null and list_contains(own.situations, 'no_kind') then 'no_kind'
        when not asked_by_document.asked and waiting.id_documento is not null and projected.paid_short = 0
            then if(list_contains(own.situations, 'siope'), 'siope', null)
        when not asked_by_document.asked
            and (projected.remaining <> 0 or (not projected.has_operations or projected.paid_short > 0) and not coalesce(spoken.silent, false)) then 'short'
        when anomalies.code = 'CREDIT_NOTE_OPEN' and not projected.credit_note_linked then 'link'
        when anomalies.code = 'PAID_NOT_REPORTED' and withheld.id_documento is not null then 'withheld'
    end as situation,
    case situation when 'no_kind' then unsayable.cause when 'siope' then waiting.orders end as words
from anomalies
join projected
    on projected.id_documento is not distinct from anomalies.id_documento
    and projected.progressivo_registrazione is not distinct from anomalies.progressivo_registrazione
left join refused
    on refused.id_documento is not distinct from anomalies.id_documento
    and refused.progressivo_registrazione is not distinct from anomalies.progressivo_registrazione
left join spoken_remedies as spoken on spoken.code = anomalies.code
left join own on own.code = anomalies.code
left join waiting on waiting.id_documento = anomalies.id_documento
left join unsayable on unsayable.id_documento = anomalies.id_documento
-- Only the e-invoice says what is withheld.
left join (select id_documento from documents where withholding_from_einvoice and erp_withheld > 0) as withheld
    on withheld.id_documento = anomalies.id_documento
join asked_by_document
    on asked_by_document.id_documento is not distinct from anomalies.id_documento
    and asked_by_document.progressivo_registrazione is not distinct from anomalies.progressivo_registrazione
