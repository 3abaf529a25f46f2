-- One row per payment order of which PCC is to be told: whether SIOPE+ carries it there by itself (docs/rules.md#rule-11-siope).
-- Key: id_documento, numero_mandato, data_mandato. `waits`: nothing is told before the days allowed have passed and a feed of
-- PCC has come since. `words`: what the order lacked, or what is to be looked at first.
with orders as (
    select
        payments.*,
        documents.progressivo_registrazione,
        pcc.lotto_sdi,
        pcc.numero_documento,
        ltrim(regexp_extract(payments.numero_mandato, '[0-9]+'), '0') as order_number
    from unreported_payments as payments
    left join documents on documents.id_documento = payments.id_documento
    left join stg_pcc_invoices as pcc on pcc.progressivo_registrazione = documents.progressivo_registrazione
),

-- How the order names the invoice: lot and number as in the XML, or a paper one by issuer and year.
blocks as (
    select
        orders.id_documento,
        orders.numero_mandato,
        orders.data_mandato,
        bool_or(blocks.lotto_sdi = orders.lotto_sdi and blocks.numero_fattura = orders.numero_documento
                or orders.lotto_sdi is null and blocks.cf_emittente is not null and blocks.anno_emissione is not null
                   and blocks.numero_fattura = orders.numero_documento) as rightly,
        bool_or(blocks.lotto_sdi is not distinct from orders.lotto_sdi) as lot_right
    from orders
    join opi_orders as blocks
        on blocks.numero_mandato = orders.order_number and blocks.esercizio = year(orders.data_mandato)
    join opi_documents as named on named.block_row_id = blocks.row_id and named.id_documento = orders.id_documento
    group by orders.id_documento, orders.numero_mandato, orders.data_mandato
),

delivered as (
    select
        (select count(*) > 0 from feed_erp_opi) as orders_known,
        (select in_italy(max(received_at))::date from feed_pcc_invoices) as pcc_seen_on
),

judged as (
    select
        orders.*,
        siope_plus() as siope_plus,
        coalesce(siope_plus_dal() <= orders.data_mandato, true) as since,
        orders.modalita in ('ECONOMALE', 'ADDEBITO') as outside_siope,
        delivered.orders_known,
        delivered.pcc_seen_on,
        blocks.rightly,
        blocks.lot_right
    from orders
    cross join delivered
    left join blocks using (id_documento, numero_mandato, data_mandato)
)

select
    ente_code() as ente,
    id_documento,
    numero_mandato,
    data_mandato,
    coalesce(siope_plus and since and not outside_siope and rightly, false) as carried,
    carried and (observed_at() - paid_on < threshold('siope_days') or coalesce(pcc_seen_on <= paid_on, true)) as waits,
    case
        when outside_siope or not siope_plus or not since then null
        when siope_plus is null or not orders_known then 'verificare prima se SIOPE+ lo ha già comunicato'
        when carried then 'atteso da SIOPE+ e non arrivato'
        when rightly is null then 'l''ordinativo non riporta la fattura'
        when lot_right then 'l''ordinativo riporta un altro numero di fattura'
        else 'l''ordinativo riporta un altro lotto SDI, o nessuno'
    end as words
from judged
