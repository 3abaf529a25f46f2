-- One row per document and anomaly that needs a person's answer: the question in plain Italian, with the facts.
-- Key: code, id_documento, progressivo_registrazione. Besides what is manual: operations that cannot bring the document
-- where it belongs (situation short), and credit notes whose invoice is not known (link).
with projected as (
    select
        remedies.id_documento,
        remedies.progressivo_registrazione,
        remedies.codes,
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
    select distinct lines.id_documento, lines.progressivo_registrazione
    from operation_lines as lines
    semi join (select operation_id from decided_operation_decisions where state = 'refused') as decided using (operation_id)
),

asked_by_document as (
    select id_documento, progressivo_registrazione, bool_or(manual) as asked from anomalies group by all
),

open_points as (
    select
        anomalies.*,
        projected.remaining,
        case
            when anomalies.manual then 'manual'
            when refused.refused and not asked_by_document.asked then if(projected.remaining <> 0, 'refused', null)
            when not asked_by_document.asked
                and (projected.remaining <> 0 or not projected.has_operations or projected.paid_short > 0) then 'short'
            when anomalies.code = 'CREDIT_NOTE_OPEN' and not projected.credit_note_linked then 'link'
        end as situation
    from anomalies
    join projected
        on projected.id_documento is not distinct from anomalies.id_documento
        and projected.progressivo_registrazione is not distinct from anomalies.progressivo_registrazione
    left join (select *, true as refused from refused) as refused
        on refused.id_documento is not distinct from anomalies.id_documento
        and refused.progressivo_registrazione is not distinct from anomalies.progressivo_registrazione
    join asked_by_document
        on asked_by_document.id_documento is not distinct from anomalies.id_documento
        and asked_by_document.progressivo_registrazione is not distinct from anomalies.progressivo_registrazione
),

-- What an ambiguous document could be, on the other side.
contested as (
    select erp_documents.id_documento, pcc_documents.progressivo_registrazione
    from (select distinct erp_row, pcc_row from pairs where status = 'CONTESTED') as pairs
    join erp_documents on erp_documents.row_id = pairs.erp_row
    join pcc_documents on pcc_documents.row_id = pairs.pcc_row
),

candidates as (
    select id_documento, null as progressivo_registrazione,
        'PCC: ' || string_agg(progressivo_registrazione, ', ' order by progressivo_registrazione) as candidates
    from contested
    group by id_documento
    union all
    select null, progressivo_registrazione, 'gestionale: ' || string_agg(id_documento, ', ' order by id_documento)
    from contested
    group by progressivo_registrazione
),

facts as (
    select
        open_points.*,
        candidates.candidates,
        documents.creditor_name,
        coalesce(documents.erp_issue_date, documents.pcc_issue_date) as data_emissione,
        documents.* exclude (ente, id_documento, progressivo_registrazione, numero, original_creditor, creditor, creditor_name, origin, to_communicate),
        templates.addressee,
        templates.question as template
    from open_points
    join documents
        on documents.id_documento is not distinct from open_points.id_documento
        and documents.progressivo_registrazione is not distinct from open_points.progressivo_registrazione
    left join candidates
        on open_points.code = 'AMBIGUOUS_MATCH'
        and candidates.id_documento is not distinct from open_points.id_documento
        and candidates.progressivo_registrazione is not distinct from open_points.progressivo_registrazione
    left join rule_questions as own on own.code = open_points.code and own.situation = open_points.situation
    join rule_questions as templates
        on templates.code = coalesce(own.code, '*') and templates.situation = if(own.code is null and open_points.situation <> 'refused', 'short', open_points.situation)
    where open_points.situation is not null
),

filled as (
    select
        *,
        [
            ('{documento}', if(coalesce(erp_sign, pcc_sign) = -1, 'Nota di credito n. ', 'Fattura n. ')
                || regexp_replace(numero, '^\s*(fatt(ura)?|ft|num|nr?)[\s.]+(n[r.]*\s+)?', '', 'i') || ' del '
                || italian_date(data_emissione) || ' di ' || coalesce(creditor_name || ' (' || original_creditor || ')', original_creditor)),
            ('{importo_gestionale}', italian_money(erp_amount)),
            ('{importo_pcc}', italian_money(pcc_amount)),
            ('{pagato_gestionale}', italian_money(erp_paid_at_observation)),
            ('{pagato_pcc}', italian_money(pcc_paid_at_observation)),
            ('{pagato_gestionale_d}', italian_money(erp_paid_at_reference)),
            ('{pagato_pcc_d}', italian_money(pcc_paid_at_reference)),
            ('{sospeso_gestionale}', italian_money(greatest(erp_suspended, erp_excluded))),
            ('{riferimento}', italian_date(reference_date())),
            ('{stato_gestionale}', lower(erp_stato)),
            ('{emissione_gestionale}', italian_date(erp_issue_date)),
            ('{emissione_pcc}', italian_date(pcc_issue_date)),
            ('{scadenza_gestionale}', italian_date(right_due_date)),
            ('{ufficio_gestionale}', erp_office),
            ('{ufficio_pcc}', pcc_office),
            ('{provenienza}', if(erp_lotto_sdi is null, 'senza lotto SDI nel gestionale', 'pur avendo il lotto SDI ' || erp_lotto_sdi)),
            ('{creditore}', creditor),
            ('{dettaglio}', erp_says),
            ('{dettaglio_pcc}', pcc_says),
            ('{candidati}', candidates),
            ('{documento_pronto}', coalesce('gestionale ' || id_documento, 'PCC ' || progressivo_registrazione)),
            ('{progressivo}', progressivo_registrazione),
            ('{residuo}', italian_money(remaining))
        ] as values_of
    from facts
)

select
    ente_code() as ente,
    code,
    id_documento,
    progressivo_registrazione,
    addressee,
    severity,
    list_reduce(
        list_transform(values_of, lambda pair: [pair[1], coalesce(pair[2], 'non indicato')]),
        lambda written, pair: [replace(written[1], pair[1], pair[2])],
        [template]
    )[1] as question,
    amount,
    remaining,
    numero,
    data_emissione,
    original_creditor,
    creditor,
    creditor_name,
    reference_date() as reference_date,
    observed_at() as observed_at
from filled
