-- One row per living document of PCC that no pair took and that is the same as one that a pair took (docs/rules.md#rule-7,
-- DUPLICATE_ON_PCC). Key: pcc_row. The same creditor under any of its ids, number, date, sign and amount; a self-invoice has
-- the number and date of the document that it stands for, and its taxable amount.
-- Asked where both have a lot of their own, or where the copy is under another creditor (a factor's).
with taken_rows as (
    select pcc_row from pairs where status = 'SETTLED'
),

spare_keys as materialized (
    select row_id, unnest(list_distinct(list_filter([exact, foreign_document, missing_document], lambda key: key is not null))) as key
    from document_keys
    anti join taken_rows on taken_rows.pcc_row = document_keys.row_id
    where of_pcc and not dead
),

taken_keys as (
    select row_id, unnest(list_distinct(list_filter([exact, foreign_document, missing_document], lambda key: key is not null))) as key
    from document_keys
    semi join taken_rows on taken_rows.pcc_row = document_keys.row_id
    where of_pcc and not dead
      and (
          exact in (select key from spare_keys)
          or foreign_document in (select key from spare_keys)
          or missing_document in (select key from spare_keys)
      )
),

owed as (
    select
        documents.row_id,
        documents.progressivo_registrazione,
        documents.creditor,
        documents.lotto_sdi,
        documents.total - if(types.debt = 'taxable' and not coalesce(documents.split_payment, false), documents.vat_amount, 0) as amount
    from pcc_documents as documents
    join rule_document_types as types on types.code = documents.tipo_documento
    where types.debt <> 'none'
),

spare as (
    select keys.key, owed.row_id, owed.creditor, owed.lotto_sdi, owed.amount
    from spare_keys as keys
    join owed on owed.row_id = keys.row_id
),

taken as (
    select keys.key, owed.progressivo_registrazione, owed.creditor, owed.lotto_sdi, owed.amount
    from taken_keys as keys
    join owed on owed.row_id = keys.row_id
)

select
    ente_code() as ente,
    spare.row_id as pcc_row,
    min(taken.progressivo_registrazione) as original,
    bool_or(spare.creditor <> taken.creditor or coalesce(spare.lotto_sdi <> taken.lotto_sdi, false)) as to_ask
from spare
join taken on taken.key = spare.key and taken.amount = spare.amount
group by spare.row_id
