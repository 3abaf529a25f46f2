-- One row per delivery that tells all there is in a span (docs/rules.md#rule-12): said by who delivered it, or by its looks.
-- Key: kind, sequence. It looks whole where at least half (threshold) of its rows repeat earlier ones unchanged. Of several
-- deliveries of a kind only: the first one has nothing to compare with.
with contents as (
    select kind, content, min(sequence) as first
    from delivered_rows
    group by kind, content
),

read as (
    select
        delivered.kind,
        delivered.sequence,
        count(*) as rows,
        count(*) filter (contents.first < delivered.sequence) as repeated,
        min(delivered.day) as first_day,
        max(delivered.day) as last_day
    from delivered_rows as delivered
    join contents on contents.kind = delivered.kind and contents.content = delivered.content
    group by delivered.kind, delivered.sequence
)

select
    ente_code() as ente,
    deliveries.kind,
    deliveries.sequence,
    deliveries.delivery,
    deliveries.file,
    deliveries.received_at,
    coalesce(deliveries.whole, false) as said,
    -- What it has and could not be read is not gone: such a delivery only asks.
    coalesce(deliveries.whole, false) and coalesce(deliveries.refused, 0) = 0 as certain,
    coalesce(deliveries.confirmed, false) as confirmed,
    if(deliveries.whole, coalesce(deliveries.span_from, date '0001-01-01'), read.first_day) as span_from,
    if(deliveries.whole, coalesce(deliveries.span_to, date '9999-12-31'), read.last_day) as span_to,
    threshold('gone_percent') as gone_percent
from deliveries
left join read on read.kind = deliveries.kind and read.sequence = deliveries.sequence
where deliveries.kind in ('erp_invoices', 'erp_payments', 'pcc_invoices', 'pcc_operations')
  and exists (select 1 from delivered_rows as other where other.kind = deliveries.kind and other.sequence < deliveries.sequence)
  and (deliveries.whole or deliveries.whole is null and read.repeated * 100 >= read.rows * threshold('looks_whole_percent'))
