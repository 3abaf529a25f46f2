-- One row per invoice block of a payment order and movement of the cash journal; one per block not executed, one per
-- movement of an order never delivered.
-- Key: row_id, block_row_id, tipo_movimento. A movement pays the blocks of its beneficiary (of the whole order, where it
-- names none) in proportion, to the cent: once all is executed each block has just its own amount. Whole cents.
with executed as (
    select
        row_id,
        delivery,
        line,
        esercizio,
        numero_mandato,
        scope,
        tipo_movimento,
        data_movimento,
        cents,
        beneficiario,
        cf_beneficiario,
        sum(cents) over run as paid_after,
        sum(cents) over run - cents as paid_before,
        sum(sign(cents)) over run as times_after,
        sum(sign(cents)) over run - sign(cents) as times_before
    from opi_movements
    window run as (partition by esercizio, numero_mandato, scope order by data_movimento, row_id rows unbounded preceding)
),

-- Each block within its beneficiary, and (scope 0) within the whole order: where it begins and ends, and what the whole is.
scopes as (
    select row_id, esercizio, numero_mandato, cents, scope as within, beneficiary_cents as said_whole
    from opi_orders
    union all
    select row_id, esercizio, numero_mandato, cents, 0, null
    from opi_orders
    semi join (select distinct esercizio, numero_mandato from opi_movements where scope = 0) as undivided using (esercizio, numero_mandato)
),

blocks as (
    select
        row_id,
        esercizio,
        numero_mandato,
        within,
        cents as own,
        sum(cents) over run as ends,
        sum(cents) over run - cents as begins,
        coalesce(nullif(said_whole, 0), sum(cents) over everything) as whole
    from scopes
    window
        run as (partition by esercizio, numero_mandato, within order by row_id rows unbounded preceding),
        everything as (partition by esercizio, numero_mandato, within)
),

allotted as (
    select
        blocks.row_id as block_row_id,
        executed.row_id,
        executed.delivery,
        executed.line,
        executed.tipo_movimento,
        executed.data_movimento,
        executed.beneficiario,
        executed.cf_beneficiario,
        -- An order whose credit notes make it up to nothing is executed whole, each time.
        if(
            blocks.whole <= 0,
            blocks.own * (executed.times_after - executed.times_before),
            (share(blocks.ends, executed.paid_after, greatest(blocks.whole, 1)) - share(blocks.begins, executed.paid_after, greatest(blocks.whole, 1)))
            - (share(blocks.ends, executed.paid_before, greatest(blocks.whole, 1)) - share(blocks.begins, executed.paid_before, greatest(blocks.whole, 1)))
        )::bigint as cents
    from executed
    join blocks
        on blocks.esercizio = executed.esercizio
        and blocks.numero_mandato = executed.numero_mandato
        and blocks.within = executed.scope
),

-- Every block, executed or not; the order's own words on who is paid come first.
of_blocks as (
    select
        coalesce(allotted.row_id, orders.row_id) as row_id,
        orders.row_id as block_row_id,
        coalesce(allotted.delivery, orders.delivery) as delivery,
        coalesce(allotted.line, orders.line) as line,
        orders.esercizio,
        orders.numero_mandato,
        orders.data_mandato,
        allotted.data_movimento as data_pagamento,
        allotted.tipo_movimento,
        coalesce(allotted.cents, orders.cents) as cents,
        coalesce(orders.beneficiario, allotted.beneficiario) as beneficiario,
        coalesce(orders.cf_beneficiario, allotted.cf_beneficiario) as cf_beneficiario,
        orders.tipo_debito,
        orders.lotto_sdi,
        orders.numero_fattura,
        orders.anno_emissione,
        orders.cf_emittente,
        orders.cents < 0 as credit,
        orders.cig,
        allotted.row_id is null and orders.cancelled as cancelled
    from opi_orders as orders
    left join allotted on allotted.block_row_id = orders.row_id
)

select ente_code() as ente, *
from of_blocks
union all by name
select
    ente_code() as ente, executed.row_id, 0 as block_row_id, executed.delivery, executed.line, executed.esercizio, executed.numero_mandato,
    executed.data_movimento as data_pagamento, executed.tipo_movimento, executed.cents, executed.beneficiario, executed.cf_beneficiario,
    false as credit, false as cancelled
from executed
anti join allotted on allotted.row_id = executed.row_id and allotted.tipo_movimento = executed.tipo_movimento
