-- One row per document and creditor that it may be known under: the keys of the tiers (docs/rules.md#rule-6).
-- Key: of_pcc, row_id, creditor. The creditor is the supplier, or who is creditor by a special case on the day of issue or
-- at O. Keys are hashes of 63 bits; those without a creditor stand on the first row of the document alone.
with refused as (
    select erp_row, pcc_row from sdi_refusals
),

documents_named as (
    select
        false as of_pcc, row_id, creditor, creditor_known, number_key, issue_date, total, lotto_sdi, id_pcc,
        -- A tax document without a debt of its own is no candidate for one that is owed.
        erp_identities.sign + if(types.debt = 'none', 10, 0) as sign,
        1 as in_lot,
        stato in ('RIFIUTATA', 'ANNULLATA') or row_id in (select erp_row from refused where erp_row is not null) as dead
    from erp_identities
    join rule_document_types as types on types.code = erp_identities.tipo_documento
    anti join erp_copies as copies on copies.id_documento = erp_identities.id_documento
    union all
    select
        true, row_id, creditor, creditor_known, number_key, issue_date, total, lotto_sdi, progressivo_registrazione,
        pcc_documents.sign + if(types.debt = 'none', 10, 0),
        if(lotto_sdi in (select lotto_sdi from pcc_documents where lotto_sdi is not null group by lotto_sdi having count(*) > 1), 2, 1),
        rejected or row_id in (select pcc_row from refused where pcc_row is not null)
    from pcc_documents
    join rule_document_types as types on types.code = pcc_documents.tipo_documento
),

successors as (
    select distinct documents_named.of_pcc, documents_named.row_id, present.creditor
    from present_creditors as present
    join documents_named
        on documents_named.row_id = coalesce(present.erp_row, present.pcc_row)
        and documents_named.of_pcc = (present.pcc_row is not null)
    where present.on_day in (documents_named.issue_date, observed_at())
      and present.creditor <> documents_named.creditor
),

known_as as (
    select *, if(creditor_known, creditor, null) as party, true as first
    from documents_named
    union all
    select documents_named.*, successors.creditor, false
    from documents_named
    join successors using (of_pcc, row_id)
),

-- What a self-invoice stands for, under its own creditor or the one that its e-invoice names.
named as (
    select
        pcc_row is not null as of_pcc, coalesce(erp_row, pcc_row) as row_id, debt,
        min(number_key) as number_key, min(issue_date) as issue_date, min(creditor) as creditor
    from document_references
    group by pcc_row, erp_row, debt
    having count(*) = 1
)

select
    ente_code() as ente,
    known_as.of_pcc,
    known_as.row_id,
    known_as.party as creditor,
    known_as.issue_date,
    known_as.dead,
    exists (select 1 from successors where successors.of_pcc = known_as.of_pcc and successors.row_id = known_as.row_id) as several,
    case when known_as.first and known_as.id_pcc is not null then (hash(known_as.id_pcc) // 2)::bigint end as pcc_id,
    case when known_as.first and known_as.lotto_sdi is not null and known_as.number_key <> ''
        then (hash(known_as.lotto_sdi, known_as.number_key) // 2)::bigint end as sdi_lot,
    case when known_as.first and known_as.lotto_sdi is not null and known_as.in_lot = 1
        then (hash(known_as.lotto_sdi, known_as.sign, known_as.total) // 2)::bigint end as lot_alone,
    case when known_as.party is not null and known_as.number_key <> ''
        then (hash(known_as.party, known_as.number_key, known_as.issue_date, known_as.sign) // 2)::bigint end as exact,
    case when known_as.party is not null and known_as.number_key <> ''
        then (hash(known_as.party, known_as.number_key, known_as.total, known_as.sign) // 2)::bigint end as number_amount,
    case when known_as.party is not null then (hash(known_as.party, known_as.issue_date, known_as.total, known_as.sign) // 2)::bigint end as date_amount,
    case when named.debt = 'taxable' then (hash(coalesce(known_as.party, named.creditor), named.number_key, named.issue_date, known_as.sign) // 2)::bigint end as foreign_document,
    case when named.debt = 'substitute' then (hash(coalesce(known_as.party, named.creditor), named.number_key, named.issue_date, known_as.sign) // 2)::bigint end as missing_document
from known_as
left join named on named.of_pcc = known_as.of_pcc and named.row_id = known_as.row_id
