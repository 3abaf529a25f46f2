-- One row per payment order of which PCC is to be told.
-- Key: id_documento, numero_mandato, data_mandato. What PCC lacks is told from the latest order backwards, on either side
-- of D what is lacking there. Which orders PCC lacks: unreported_orders.
with first_share as (
    select
        orders.*,
        if(by_reference, least(lacking, greatest(
            greatest(least(needed_at_reference, needed), 0) - coalesce(sum(if(by_reference, lacking, 0)) over later, 0), 0
        )), 0) as share
    from unreported_orders as orders
    window later as (partition by id_documento order by paid_on desc, numero_mandato desc, order_year desc rows between unbounded preceding and 1 preceding)
),

second_share as (
    select
        *,
        share + if(by_reference, 0, least(lacking, greatest(
            needed - sum(share) over (partition by id_documento) - coalesce(sum(if(by_reference, 0, lacking)) over later, 0), 0
        ))) as second
    from first_share
    window later as (partition by id_documento order by paid_on desc, numero_mandato desc, order_year desc rows between unbounded preceding and 1 preceding)
),

-- What neither side of D could take goes to whatever order is left.
third_share as (
    select
        *,
        second + least(lacking - second, greatest(
            needed - sum(second) over (partition by id_documento) - coalesce(sum(lacking - second) over later, 0), 0
        )) as amount
    from second_share
    window later as (partition by id_documento order by paid_on desc, numero_mandato desc, order_year desc rows between unbounded preceding and 1 preceding)
)

select
    ente_code() as ente,
    id_documento,
    numero_mandato,
    -- One date goes to PCC: the order's, unless that would put the payment on the other side of D.
    if(ordered_on is not null and (ordered_on <= reference_date()) = by_reference, ordered_on, paid_on) as data_mandato,
    paid_on,
    cf_beneficiario,
    modalita,
    amount,
    row_number() over (partition by id_documento order by paid_on, numero_mandato, order_year) as position
from third_share
where amount > 0
