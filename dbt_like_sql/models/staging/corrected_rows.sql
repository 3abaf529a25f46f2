-- One row per delivered row that a later one takes the place of (docs/rules.md#rule-12): worked out once for all who read a feed.
-- Key: kind, row_id. A document: its id. A payment: document, order number and year, day, storno, beneficiary; a year or a
-- beneficiary that one of the two rows does not say does not tell them apart. A movement: document, day, action, order.
with repeated as (
    select 'erp_invoices' as kind, id_documento as document, max(row_id) as standing
    from feed_erp_invoices
    group by id_documento
    having count(*) > 1
    union all
    select 'pcc_invoices', progressivo_registrazione, max(row_id)
    from feed_pcc_invoices
    group by progressivo_registrazione
    having count(*) > 1
),

documents as (
    select 'erp_invoices' as kind, id_documento as document, row_id from feed_erp_invoices
    union all
    select 'pcc_invoices', progressivo_registrazione, row_id from feed_pcc_invoices
),

versions as (
    select kind, key, order_year, beneficiary, min(sequence) as first, max(sequence) as latest
    from delivered_rows
    where kind in ('erp_payments', 'pcc_operations')
    group by kind, key, order_year, beneficiary
),

-- Each version with what stands of all that it cannot be told apart from.
standing as (
    select own.kind, own.key, own.order_year, own.beneficiary, min(other.first) as first, max(other.latest) as latest
    from versions as own
    join versions as other
        on other.kind = own.kind
        and other.key = own.key
        and coalesce(other.order_year = own.order_year, true)
        and coalesce(other.beneficiary = own.beneficiary, true)
    group by own.kind, own.key, own.order_year, own.beneficiary
),

payments as (
    select delivered.*, standing.first, standing.latest
    from delivered_rows as delivered
    join standing
        on standing.kind = delivered.kind
        and standing.key = delivered.key
        and standing.order_year is not distinct from delivered.order_year
        and standing.beneficiary is not distinct from delivered.beneficiary
),

-- Payments of equal document, day, amount and beneficiary: the first, second, … of a delivery.
alike as (
    select
        row_id, sequence, first, latest, document, day, amount, storno, coalesce(beneficiary, '') as beneficiary, key
    from payments
    where kind = 'erp_payments'
),

former as (
    select
        *,
        row_number() over (partition by document, day, amount, storno, beneficiary, sequence order by key, row_id) as place
    from alike
    where sequence = latest
),

-- Where a number is heard of for the first time, though later deliveries may repeat it.
heard as (
    select
        *,
        row_number() over (partition by document, day, amount, storno, beneficiary, sequence order by key, row_id) as place
    from alike
    where sequence = first
),

renumbered as (
    select distinct former.row_id
    from former
    join heard using (document, day, amount, storno, beneficiary, place)
    -- Its number was not known while the former one was: so both are not in one delivery.
    where heard.key <> former.key and heard.sequence > former.sequence
)

select ente_code() as ente, kind, row_id
from documents
join repeated using (kind, document)
where documents.row_id <> repeated.standing
union all
select ente_code(), kind, row_id from payments where sequence < latest
union all
select ente_code(), 'erp_payments', row_id from renumbered
