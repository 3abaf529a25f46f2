-- One row per living document of the accounting system that stands there again under another id (docs/rules.md#rule-7,
-- DUPLICATE_IN_ERP): the one that counts. Key: id_documento. The same supplier, number, date and amount, or the same lot
-- and number. A document that a person paired, or that bears another PCC number, is one of its own.
with alive as (
    select
        documents.row_id, documents.id_documento, documents.id_pcc, decided.id_documento is not null as decided,
        documents.lotto_sdi,
        if(documents.creditor_known, hash(documents.creditor, documents.number_key, documents.issue_date, documents.sign, documents.total), null)
            as identity,
        if(documents.lotto_sdi is null, null, hash(documents.lotto_sdi, documents.number_key, documents.sign)) as in_lot
    from erp_identities as documents
    join rule_document_types as types on types.code = documents.tipo_documento
    anti join sdi_refusals as refused on refused.erp_row = documents.row_id
    left join (select distinct id_documento from decided_match_decisions where verdict = 'pair') as decided
        on decided.id_documento = documents.id_documento
    where documents.number_key <> '' and types.debt <> 'none' and documents.stato not in ('RIFIUTATA', 'ANNULLATA')
),

-- Only what shares a key with another.
sharing as materialized (
    select *, row_number() over (order by not decided, id_pcc is null, lotto_sdi is null, row_id) as place
    from alive
    where identity in (select identity from alive where identity is not null group by identity having count(*) > 1)
       or in_lot in (select in_lot from alive where in_lot is not null group by in_lot having count(*) > 1)
),

-- One may be of the same lot as a second, and the second of the same identity as a third.
by_identity as (
    select *, if(identity is null, place, min(place) over (partition by identity)) as first_place from sharing
),

by_lot as (
    select *, if(in_lot is null, first_place, min(first_place) over (partition by in_lot)) as second_place from by_identity
),

counted as (
    select *, if(identity is null, second_place, min(second_place) over (partition by identity)) as counts_as from by_lot
)

select ente_code() as ente, copies.id_documento, originals.id_documento as original
from counted as copies
join sharing as originals on originals.place = copies.counts_as
where copies.place <> copies.counts_as
  and not copies.decided
  and coalesce(copies.id_pcc = originals.id_pcc, true)
