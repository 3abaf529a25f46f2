-- One row per pair of documents that a tier found: SETTLED where unique on both sides, else CONTESTED.
-- Key: erp_row, pcc_row, tier. What a tier settles is closed to the next (rules, section 6).
-- Keys are 64-bit hashes of the tier's fields; pairs are verified on the fields themselves at the end.
with erp_keys as materialized (
    select
        row_id,
        hash(id_pcc) as pcc_id,
        case when lotto_sdi is not null and number_key <> '' then hash(lotto_sdi, number_key) end as sdi_lot,
        case when known then hash(creditor, number_key, issue_date, sign) end as exact,
        case when known then hash(creditor, number_key, total, sign) end as number_amount,
        case when creditor <> 'NON_INDICATO' then hash(creditor, issue_date, total, sign) end as date_amount,
        id_pcc is not null as has_pcc_id
    from (select *, creditor <> 'NON_INDICATO' and number_key <> '' as known from erp_documents)
),

pcc_keys as materialized (
    select
        row_id,
        hash(progressivo_registrazione) as pcc_id,
        case when lotto_sdi is not null and number_key <> '' then hash(lotto_sdi, number_key) end as sdi_lot,
        case when known then hash(creditor, number_key, issue_date, sign) end as exact,
        case when known then hash(creditor, number_key, total, sign) end as number_amount,
        case when creditor <> 'NON_INDICATO' then hash(creditor, issue_date, total, sign) end as date_amount
    from (select *, creditor <> 'NON_INDICATO' and number_key <> '' as known from pcc_documents)
),

-- Tier 1: pcc_id.
pcc_id_found as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, erp.key, erp.documents = 1 and pcc.documents = 1 as settled
    from (select pcc_id as key, count(*) as documents, min(row_id) as row_id from erp_keys where has_pcc_id group by pcc_id) as erp
    join (select pcc_id as key, count(*) as documents, min(row_id) as row_id from pcc_keys where true group by pcc_id) as pcc
        using (key)
),

-- Tier 2: sdi_lot, over what pcc_id left open.
open_erp_2 as materialized (
    select * from erp_keys anti join (select erp_row as row_id from pcc_id_found where settled) using (row_id)
),

open_pcc_2 as materialized (
    select * from pcc_keys anti join (select pcc_row as row_id from pcc_id_found where settled) using (row_id)
),

sdi_lot_found as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, erp.key, erp.documents = 1 and pcc.documents = 1 as settled
    from (select sdi_lot as key, count(*) as documents, min(row_id) as row_id from open_erp_2 where sdi_lot is not null group by sdi_lot) as erp
    join (select sdi_lot as key, count(*) as documents, min(row_id) as row_id from open_pcc_2 where sdi_lot is not null group by sdi_lot) as pcc
        using (key)
),

-- Tier 3: exact, over what sdi_lot left open.
open_erp_3 as materialized (
    select * from open_erp_2 anti join (select erp_row as row_id from sdi_lot_found where settled) using (row_id)
),

open_pcc_3 as materialized (
    select * from open_pcc_2 anti join (select pcc_row as row_id from sdi_lot_found where settled) using (row_id)
),

exact_found as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, erp.key, erp.documents = 1 and pcc.documents = 1 as settled
    from (select exact as key, count(*) as documents, min(row_id) as row_id from open_erp_3 where exact is not null group by exact) as erp
    join (select exact as key, count(*) as documents, min(row_id) as row_id from open_pcc_3 where exact is not null group by exact) as pcc
        using (key)
),

-- Tier 4: number_amount, over what exact left open.
open_erp_4 as materialized (
    select * from open_erp_3 anti join (select erp_row as row_id from exact_found where settled) using (row_id)
),

open_pcc_4 as materialized (
    select * from open_pcc_3 anti join (select pcc_row as row_id from exact_found where settled) using (row_id)
),

number_amount_found as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, erp.key, erp.documents = 1 and pcc.documents = 1 as settled
    from (select number_amount as key, count(*) as documents, min(row_id) as row_id from open_erp_4 where number_amount is not null group by number_amount) as erp
    join (select number_amount as key, count(*) as documents, min(row_id) as row_id from open_pcc_4 where number_amount is not null group by number_amount) as pcc
        using (key)
),

-- Tier 5: date_amount, over what number_amount left open.
open_erp_5 as materialized (
    select * from open_erp_4 anti join (select erp_row as row_id from number_amount_found where settled) using (row_id)
),

open_pcc_5 as materialized (
    select * from open_pcc_4 anti join (select pcc_row as row_id from number_amount_found where settled) using (row_id)
),

date_amount_found as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, erp.key, erp.documents = 1 and pcc.documents = 1 as settled
    from (select date_amount as key, count(*) as documents, min(row_id) as row_id from open_erp_5 where date_amount is not null group by date_amount) as erp
    join (select date_amount as key, count(*) as documents, min(row_id) as row_id from open_pcc_5 where date_amount is not null group by date_amount) as pcc
        using (key)
),

found as (
    select erp_row, pcc_row, 'pcc_id' as tier, 'SETTLED' as status from pcc_id_found where settled
    union all
    select erp_row, pcc_row, 'sdi_lot' as tier, 'SETTLED' as status from sdi_lot_found where settled
    union all
    select erp_row, pcc_row, 'exact' as tier, 'SETTLED' as status from exact_found where settled
    union all
    select erp_row, pcc_row, 'number_amount' as tier, 'SETTLED' as status from number_amount_found where settled
    union all
    select erp_row, pcc_row, 'date_amount' as tier, 'SETTLED' as status from date_amount_found where settled
    union all
    select erp.row_id, pcc.row_id, 'pcc_id', 'CONTESTED'
    from pcc_id_found
    join (select row_id, pcc_id as key from erp_keys where has_pcc_id) as erp using (key)
    join (select row_id, pcc_id as key from pcc_keys) as pcc using (key)
    where not settled
    union all
    select erp.row_id, pcc.row_id, 'sdi_lot', 'CONTESTED'
    from sdi_lot_found
    join (select row_id, sdi_lot as key from open_erp_2) as erp using (key)
    join (select row_id, sdi_lot as key from open_pcc_2) as pcc using (key)
    where not settled
    union all
    select erp.row_id, pcc.row_id, 'exact', 'CONTESTED'
    from exact_found
    join (select row_id, exact as key from open_erp_3) as erp using (key)
    join (select row_id, exact as key from open_pcc_3) as pcc using (key)
    where not settled
    union all
    select erp.row_id, pcc.row_id, 'number_amount', 'CONTESTED'
    from number_amount_found
    join (select row_id, number_amount as key from open_erp_4) as erp using (key)
    join (select row_id, number_amount as key from open_pcc_4) as pcc using (key)
    where not settled
    union all
    select erp.row_id, pcc.row_id, 'date_amount', 'CONTESTED'
    from date_amount_found
    join (select row_id, date_amount as key from open_erp_5) as erp using (key)
    join (select row_id, date_amount as key from open_pcc_5) as pcc using (key)
    where not settled
)

select ente_code() as ente, erp_row, pcc_row, tier, status
from found
