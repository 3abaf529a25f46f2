-- One row per pair of documents that a person or a tier found: SETTLED where unique on both sides, else CONTESTED.
-- Key: erp_row, pcc_row, tier. What a tier settles is closed to the next (rules, section 6).
-- Keys are 64-bit hashes of the tier's fields; pairs are verified on the fields themselves at the end.
-- A person's word comes first: a pair by hand is the tier manual; a split pair is none to any tier, and what shares
-- a key with it is told pair by pair (`<tier>_apart`) instead of key by key.
with decided as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, decisions.verdict
    from decided_match_decisions as decisions
    join erp_documents as erp on erp.id_documento = decisions.id_documento
    join pcc_documents as pcc on pcc.progressivo_registrazione = decisions.progressivo_registrazione
),

by_hand as (
    select erp_row, pcc_row from decided where verdict = 'pair'
),

split as (
    select erp_row, pcc_row from decided where verdict = 'split'
),

erp_keys as materialized (
    select
        row_id,
        case when id_pcc is not null then hash(id_pcc) end as pcc_id,
        case when lotto_sdi is not null and number_key <> '' then hash(lotto_sdi, number_key) end as sdi_lot,
        case when known then hash(creditor, number_key, issue_date, sign) end as exact,
        case when known then hash(creditor, number_key, total, sign) end as number_amount,
        case when creditor_known then hash(creditor, issue_date, total, sign) end as date_amount
    from (select *, creditor_known and number_key <> '' as known from erp_documents)
    anti join by_hand on by_hand.erp_row = row_id
),

pcc_keys as materialized (
    select
        row_id,
        hash(progressivo_registrazione) as pcc_id,
        case when lotto_sdi is not null and number_key <> '' then hash(lotto_sdi, number_key) end as sdi_lot,
        case when known then hash(creditor, number_key, issue_date, sign) end as exact,
        case when known then hash(creditor, number_key, total, sign) end as number_amount,
        case when creditor_known then hash(creditor, issue_date, total, sign) end as date_amount
    from (select *, creditor_known and number_key <> '' as known from pcc_documents)
    anti join by_hand on by_hand.pcc_row = row_id
),

-- The keys that a split pair shares, by tier.
split_keys as materialized (
    select
        if(erp.pcc_id = pcc.pcc_id, erp.pcc_id, null) as pcc_id,
        if(erp.sdi_lot = pcc.sdi_lot, erp.sdi_lot, null) as sdi_lot,
        if(erp.exact = pcc.exact, erp.exact, null) as exact,
        if(erp.number_amount = pcc.number_amount, erp.number_amount, null) as number_amount,
        if(erp.date_amount = pcc.date_amount, erp.date_amount, null) as date_amount
    from split
    join erp_keys as erp on erp.row_id = split.erp_row
    join pcc_keys as pcc on pcc.row_id = split.pcc_row
),

-- Tier 1: pcc_id.
pcc_id_found as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, erp.key, erp.documents = 1 and pcc.documents = 1 as settled
    from (select pcc_id as key, count(*) as documents, min(row_id) as row_id from erp_keys where pcc_id is not null group by pcc_id) as erp
    join (select pcc_id as key, count(*) as documents, min(row_id) as row_id from pcc_keys where pcc_id is not null group by pcc_id) as pcc
        using (key)
    anti join (select pcc_id as key from split_keys where pcc_id is not null) using (key)
),

pcc_id_apart as materialized (
    select
        erp.row_id as erp_row,
        pcc.row_id as pcc_row,
        count(*) over (partition by erp.row_id) = 1 and count(*) over (partition by pcc.row_id) = 1 as settled
    from (select row_id, pcc_id from erp_keys semi join split_keys using (pcc_id)) as erp
    join (select row_id, pcc_id from pcc_keys semi join split_keys using (pcc_id)) as pcc using (pcc_id)
    anti join split on split.erp_row = erp.row_id and split.pcc_row = pcc.row_id
),

pcc_id_settled as (
    select erp_row, pcc_row from pcc_id_found where settled
    union all
    select erp_row, pcc_row from pcc_id_apart where settled
),

-- Tier 2: sdi_lot, over what pcc_id left open.
open_erp_2 as materialized (
    select * from erp_keys anti join (select erp_row as row_id from pcc_id_settled) using (row_id)
),

open_pcc_2 as materialized (
    select * from pcc_keys anti join (select pcc_row as row_id from pcc_id_settled) using (row_id)
),

sdi_lot_found as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, erp.key, erp.documents = 1 and pcc.documents = 1 as settled
    from (select sdi_lot as key, count(*) as documents, min(row_id) as row_id from open_erp_2 where sdi_lot is not null group by sdi_lot) as erp
    join (select sdi_lot as key, count(*) as documents, min(row_id) as row_id from open_pcc_2 where sdi_lot is not null group by sdi_lot) as pcc
        using (key)
    anti join (select sdi_lot as key from split_keys where sdi_lot is not null) using (key)
),

sdi_lot_apart as materialized (
    select
        erp.row_id as erp_row,
        pcc.row_id as pcc_row,
        count(*) over (partition by erp.row_id) = 1 and count(*) over (partition by pcc.row_id) = 1 as settled
    from (select row_id, sdi_lot from open_erp_2 semi join split_keys using (sdi_lot)) as erp
    join (select row_id, sdi_lot from open_pcc_2 semi join split_keys using (sdi_lot)) as pcc using (sdi_lot)
    anti join split on split.erp_row = erp.row_id and split.pcc_row = pcc.row_id
),

sdi_lot_settled as (
    select erp_row, pcc_row from sdi_lot_found where settled
    union all
    select erp_row, pcc_row from sdi_lot_apart where settled
),

-- Tier 3: exact, over what sdi_lot left open.
open_erp_3 as materialized (
    select * from open_erp_2 anti join (select erp_row as row_id from sdi_lot_settled) using (row_id)
),

open_pcc_3 as materialized (
    select * from open_pcc_2 anti join (select pcc_row as row_id from sdi_lot_settled) using (row_id)
),

exact_found as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, erp.key, erp.documents = 1 and pcc.documents = 1 as settled
    from (select exact as key, count(*) as documents, min(row_id) as row_id from open_erp_3 where exact is not null group by exact) as erp
    join (select exact as key, count(*) as documents, min(row_id) as row_id from open_pcc_3 where exact is not null group by exact) as pcc
        using (key)
    anti join (select exact as key from split_keys where exact is not null) using (key)
),

exact_apart as materialized (
    select
        erp.row_id as erp_row,
        pcc.row_id as pcc_row,
        count(*) over (partition by erp.row_id) = 1 and count(*) over (partition by pcc.row_id) = 1 as settled
    from (select row_id, exact from open_erp_3 semi join split_keys using (exact)) as erp
    join (select row_id, exact from open_pcc_3 semi join split_keys using (exact)) as pcc using (exact)
    anti join split on split.erp_row = erp.row_id and split.pcc_row = pcc.row_id
),

exact_settled as (
    select erp_row, pcc_row from exact_found where settled
    union all
    select erp_row, pcc_row from exact_apart where settled
),

-- Tier 4: number_amount, over what exact left open.
open_erp_4 as materialized (
    select * from open_erp_3 anti join (select erp_row as row_id from exact_settled) using (row_id)
),

open_pcc_4 as materialized (
    select * from open_pcc_3 anti join (select pcc_row as row_id from exact_settled) using (row_id)
),

number_amount_found as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, erp.key, erp.documents = 1 and pcc.documents = 1 as settled
    from (select number_amount as key, count(*) as documents, min(row_id) as row_id from open_erp_4 where number_amount is not null group by number_amount) as erp
    join (select number_amount as key, count(*) as documents, min(row_id) as row_id from open_pcc_4 where number_amount is not null group by number_amount) as pcc
        using (key)
    anti join (select number_amount as key from split_keys where number_amount is not null) using (key)
),

number_amount_apart as materialized (
    select
        erp.row_id as erp_row,
        pcc.row_id as pcc_row,
        count(*) over (partition by erp.row_id) = 1 and count(*) over (partition by pcc.row_id) = 1 as settled
    from (select row_id, number_amount from open_erp_4 semi join split_keys using (number_amount)) as erp
    join (select row_id, number_amount from open_pcc_4 semi join split_keys using (number_amount)) as pcc using (number_amount)
    anti join split on split.erp_row = erp.row_id and split.pcc_row = pcc.row_id
),

number_amount_settled as (
    select erp_row, pcc_row from number_amount_found where settled
    union all
    select erp_row, pcc_row from number_amount_apart where settled
),

-- Tier 5: date_amount, over what number_amount left open.
open_erp_5 as materialized (
    select * from open_erp_4 anti join (select erp_row as row_id from number_amount_settled) using (row_id)
),

open_pcc_5 as materialized (
    select * from open_pcc_4 anti join (select pcc_row as row_id from number_amount_settled) using (row_id)
),

date_amount_found as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, erp.key, erp.documents = 1 and pcc.documents = 1 as settled
    from (select date_amount as key, count(*) as documents, min(row_id) as row_id from open_erp_5 where date_amount is not null group by date_amount) as erp
    join (select date_amount as key, count(*) as documents, min(row_id) as row_id from open_pcc_5 where date_amount is not null group by date_amount) as pcc
        using (key)
    anti join (select date_amount as key from split_keys where date_amount is not null) using (key)
),

date_amount_apart as materialized (
    select
        erp.row_id as erp_row,
        pcc.row_id as pcc_row,
        count(*) over (partition by erp.row_id) = 1 and count(*) over (partition by pcc.row_id) = 1 as settled
    from (select row_id, date_amount from open_erp_5 semi join split_keys using (date_amount)) as erp
    join (select row_id, date_amount from open_pcc_5 semi join split_keys using (date_amount)) as pcc using (date_amount)
    anti join split on split.erp_row = erp.row_id and split.pcc_row = pcc.row_id
),

date_amount_settled as (
    select erp_row, pcc_row from date_amount_found where settled
    union all
    select erp_row, pcc_row from date_amount_apart where settled
),

found as (
    select erp_row, pcc_row, 'manual' as tier, 'SETTLED' as status from by_hand
    union all
    select erp_row, pcc_row, 'pcc_id', 'SETTLED' from pcc_id_settled
    union all
    select erp_row, pcc_row, 'sdi_lot', 'SETTLED' from sdi_lot_settled
    union all
    select erp_row, pcc_row, 'exact', 'SETTLED' from exact_settled
    union all
    select erp_row, pcc_row, 'number_amount', 'SETTLED' from number_amount_settled
    union all
    select erp_row, pcc_row, 'date_amount', 'SETTLED' from date_amount_settled
    union all
    select erp.row_id, pcc.row_id, 'pcc_id', 'CONTESTED'
    from pcc_id_found
    join (select row_id, pcc_id as key from erp_keys) as erp using (key)
    join (select row_id, pcc_id as key from pcc_keys) as pcc using (key)
    where not settled
    union all
    select erp_row, pcc_row, 'pcc_id', 'CONTESTED' from pcc_id_apart where not settled
    union all
    select erp.row_id, pcc.row_id, 'sdi_lot', 'CONTESTED'
    from sdi_lot_found
    join (select row_id, sdi_lot as key from open_erp_2) as erp using (key)
    join (select row_id, sdi_lot as key from open_pcc_2) as pcc using (key)
    where not settled
    union all
    select erp_row, pcc_row, 'sdi_lot', 'CONTESTED' from sdi_lot_apart where not settled
    union all
    select erp.row_id, pcc.row_id, 'exact', 'CONTESTED'
    from exact_found
    join (select row_id, exact as key from open_erp_3) as erp using (key)
    join (select row_id, exact as key from open_pcc_3) as pcc using (key)
    where not settled
    union all
    select erp_row, pcc_row, 'exact', 'CONTESTED' from exact_apart where not settled
    union all
    select erp.row_id, pcc.row_id, 'number_amount', 'CONTESTED'
    from number_amount_found
    join (select row_id, number_amount as key from open_erp_4) as erp using (key)
    join (select row_id, number_amount as key from open_pcc_4) as pcc using (key)
    where not settled
    union all
    select erp_row, pcc_row, 'number_amount', 'CONTESTED' from number_amount_apart where not settled
    union all
    select erp.row_id, pcc.row_id, 'date_amount', 'CONTESTED'
    from date_amount_found
    join (select row_id, date_amount as key from open_erp_5) as erp using (key)
    join (select row_id, date_amount as key from open_pcc_5) as pcc using (key)
    where not settled
    union all
    select erp_row, pcc_row, 'date_amount', 'CONTESTED' from date_amount_apart where not settled
)

select ente_code() as ente, erp_row, pcc_row, tier, status
from found
