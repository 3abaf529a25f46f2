-- One row per pair of documents that no tier took and that may well be the same (docs/rules.md#rule-6, probable pairs).
-- Key: erp_row, pcc_row. Probable: number, date and amount agree and the creditor is written otherwise, or lot and amount
-- agree; both alive, and the one candidate of either. Beside them what is proposed without being probable, and what no
-- Modello 002 may be sent for either: the same number and amount of another time (YEAR), another amount of the same lot (LOT).
with taken as (
    select erp_row, pcc_row from pairs where status = 'SETTLED'
),

asked as (
    select erp_row, pcc_row from ambiguities
),

open_erp as materialized (
    select documents.row_id, documents.creditor, documents.creditor_known, documents.vat, documents.code, documents.number_key,
        documents.issue_date, documents.sign, documents.total, documents.lotto_sdi
    from erp_identities as documents
    join rule_document_types as types on types.code = documents.tipo_documento
    semi join (select row_id from document_keys where not of_pcc and not dead) as alive on alive.row_id = documents.row_id
    anti join taken on taken.erp_row = documents.row_id
    anti join asked on asked.erp_row = documents.row_id
    where types.debt <> 'none'
),

open_pcc as materialized (
    select documents.row_id, documents.creditor, documents.creditor_known, documents.vat, documents.code, documents.number_key,
        documents.issue_date, documents.sign, documents.total, documents.lotto_sdi
    from pcc_documents as documents
    join rule_document_types as types on types.code = documents.tipo_documento
    semi join (select row_id from document_keys where of_pcc and not dead) as alive on alive.row_id = documents.row_id
    anti join taken on taken.pcc_row = documents.row_id
    anti join asked on asked.pcc_row = documents.row_id
    where types.debt <> 'none'
),

-- Creditors that some special case ties together, whenever it holds; a VAT group and its members.
ties as (
    select original_creditor as one, next_creditor as other from creditors
    where effect = 'NEW_CREDITOR' and next_creditor is not null
    union
    select creditor, vat_group from subjects where vat_group is not null and creditor <> vat_group
),

related as (
    with recursive reached(one, other, steps) as (
        select one, other, 1 from ties
        union
        select other, one, 1 from ties
        union
        select reached.one, ties.other, reached.steps + 1
        from reached
        join (select one, other from ties union select other, one from ties) as ties on ties.one = reached.other
        where reached.steps < 6
    )
    select distinct one, other from reached where one <> other
),

same_document as (
    select erp.row_id as erp_row, pcc.row_id as pcc_row
    from open_erp as erp
    join open_pcc as pcc using (number_key, issue_date, sign, total)
    left join related on related.one = erp.creditor and related.other = pcc.creditor
    where number_key <> ''
      and (
          erp.creditor = pcc.creditor
          -- The other kind of identifier, or none.
          or erp.creditor = 'NON_INDICATO' or pcc.creditor = 'NON_INDICATO'
          or erp.vat is null and pcc.code is null
          or erp.code is null and pcc.vat is null
          -- Two ids with right check digits are two subjects.
          or one_sign_off(coalesce(erp.vat, erp.code), coalesce(pcc.vat, pcc.code))
              and not (right_tax_id(coalesce(erp.vat, erp.code)) and right_tax_id(coalesce(pcc.vat, pcc.code)))
          or one_sign_off(erp.code, pcc.code) and not (right_tax_id(erp.code) and right_tax_id(pcc.code))
          or related.one is not null
      )
),

same_lot as (
    select erp.row_id as erp_row, pcc.row_id as pcc_row
    from open_erp as erp
    join open_pcc as pcc using (lotto_sdi, sign, total)
    anti join same_document on same_document.erp_row = erp.row_id and same_document.pcc_row = pcc.row_id
),

other_time as (
    select erp.row_id as erp_row, pcc.row_id as pcc_row
    from open_erp as erp
    join open_pcc as pcc using (creditor, number_key, sign, total)
    where number_key <> ''
      and erp.creditor_known
      and abs(erp.issue_date - pcc.issue_date) > threshold('number_amount_days')
),

other_amount as (
    select erp.row_id as erp_row, pcc.row_id as pcc_row
    from open_erp as erp
    join open_pcc as pcc using (lotto_sdi, sign)
    where erp.total <> pcc.total
),

found as (
    select erp_row, pcc_row, 'CREDITOR' as reason, true as near from same_document
    union all
    select erp_row, pcc_row, 'NUMBER', true from same_lot
    union all
    select erp_row, pcc_row, 'YEAR', false from other_time
    union all
    select erp_row, pcc_row, 'LOT', false from other_amount
),

split as (
    select erp.row_id as erp_row, pcc.row_id as pcc_row
    from decided_match_decisions as decisions
    join erp_identities as erp on erp.id_documento = decisions.id_documento
    join pcc_documents as pcc on pcc.progressivo_registrazione = decisions.progressivo_registrazione
    where decisions.verdict = 'split'
),

-- A nearer candidate puts the farther out.
nearest as (
    select erp_row, pcc_row, min(reason) as reason, bool_or(near) as near
    from found
    anti join split using (erp_row, pcc_row)
    group by erp_row, pcc_row
)

select
    ente_code() as ente,
    erp_row,
    pcc_row,
    reason,
    near
        and count(*) filter (near) over (partition by erp_row) = 1
        and count(*) filter (near) over (partition by pcc_row) = 1 as probable
from nearest
