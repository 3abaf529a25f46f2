-- One row per living document of PCC that no pair took and that is the same as one that a pair took (docs/rules.md#rule-7,
-- DUPLICATE_ON_PCC). Key: pcc_row. The same creditor under any of its ids, number, date, sign and amount; a self-invoice has
-- the number and date of the document that it stands for, and its taxable amount.
-- Asked where both have a lot of their own, or where the copy is under another creditor (a factor's).
with identities as (
    select
        keys.row_id,
        unnest(list_distinct(list_filter([keys.exact, keys.foreign_document, keys.missing_document], lambda key: key is not null))) as key,
        documents.progressivo_registrazione,
        documents.creditor,
        documents.lotto_sdi,
        documents.total - if(types.debt = 'taxable' and not coalesce(documents.split_payment, false), documents.vat_amount, 0) as amount,
        taken.pcc_row is not null as paired
    from document_keys as keys
    join pcc_documents as documents on documents.row_id = keys.row_id
    join rule_document_types as types on types.code = documents.tipo_documento
    left join (select pcc_row from pairs where status = 'SETTLED') as taken on taken.pcc_row = keys.row_id
    where keys.of_pcc and not keys.dead and types.debt <> 'none'
),

spare as (
    select row_id, key, creditor, lotto_sdi, amount from identities where not paired
)

select
    ente_code() as ente,
    spare.row_id as pcc_row,
    min(taken.progressivo_registrazione) as original,
    bool_or(spare.creditor <> taken.creditor or coalesce(spare.lotto_sdi <> taken.lotto_sdi, false)) as to_ask
from spare
join (select * from identities where paired) as taken on taken.key = spare.key and taken.amount = spare.amount
group by spare.row_id
