-- materialized: view
-- One row per document and kind of suspension: what each side has suspended of it, and since when.
-- Key: id_documento, progressivo_registrazione, kind. Amounts are signed. The accounting system's kind is its cause's; what a
-- special case CONTENZIOSO holds is a lawsuit. `other` is a cause that today's PCC has no kind for.
with told as (
    select
        documents.id_documento,
        documents.progressivo_registrazione,
        documents.numero,
        documents.erp_sign * greatest(documents.erp_suspended, if(documents.dispute, documents.erp_excluded, 0)) as amount,
        if(documents.dispute, disputes.dispute_from, documents.erp_suspended_from) as since,
        if(documents.dispute, 'lawsuit', coalesce(causes.kind, 'other')) as kind
    from documents
    left join disputes on disputes.id_documento = documents.id_documento
    left join rule_suspension_causes as causes on causes.cause = documents.erp_cause
    where not documents.erp_rejected
),

shown as (
    select
        documents.id_documento,
        documents.progressivo_registrazione,
        documents.numero,
        documents.pcc_sign as sign,
        unnest([
            {kind: 'lawsuit', amount: kinds.lawsuit, since: kinds.lawsuit_from},
            {kind: 'contested', amount: kinds.contested, since: kinds.contested_from},
            {kind: 'check', amount: kinds."check", since: kinds.check_from},
            {kind: 'other', amount: kinds.other, since: null}
        ], recursive := true)
    from documents
    join pcc_suspensions as kinds on kinds.progressivo_registrazione = documents.progressivo_registrazione
    where not documents.pcc_rejected
),

sides as (
    select id_documento, progressivo_registrazione, numero, kind, amount as erp_amount, since as erp_since, 0 as pcc_amount, null as pcc_since
    from told
    where amount <> 0
    union all
    select id_documento, progressivo_registrazione, numero, kind, 0, null, sign * amount, since
    from shown
    where amount <> 0
)

select
    ente_code() as ente,
    id_documento,
    progressivo_registrazione,
    numero,
    kind,
    sum(erp_amount)::decimal(18, 2) as erp_amount,
    max(erp_since)::date as erp_since,
    sum(pcc_amount)::decimal(18, 2) as pcc_amount,
    max(pcc_since)::date as pcc_since,
    reference_date() as reference_date,
    observed_at() as observed_at
from sides
group by id_documento, progressivo_registrazione, numero, kind
