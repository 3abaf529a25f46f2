-- One row per part of a commercial document, by view: each payment of it by O, and what O finds unpaid (paid_on null).
-- No key. All indicators and the trend are sums over these rows. Amounts signed; what is not payable, or suspended and out of
-- the stock, is no part. A payment on PCC without a movement has no date: it is no part and counts as paid before everything.
with positions as (
    select
        view,
        id_documento,
        progressivo_registrazione,
        issue_date,
        reception_date,
        due_date,
        if(commercial_amount < 0, -1, 1) as sign,
        commercial_amount - paid_at_observation - not_payable - suspended_excluded as unpaid
    from debt_positions
    where reason not in ('REJECTED', 'NON_COMMERCIAL', 'AMBIGUOUS', 'DUPLICATE')
),

erp_payments as (
    select id_documento, data_pagamento as paid_on, if(coalesce(storno, false), -importo, importo) as amount
    from payments
    where data_pagamento <= observed_at() and importo <> 0
),

pcc_payments as (
    select progressivo_registrazione, coalesce(data_pagamento, data_operazione) as paid_on, importo as amount
    from stg_pcc_operations
    where azione = 'CP' and coalesce(data_pagamento, data_operazione) <= observed_at() and importo <> 0
),

parts as (
    select positions.* exclude (unpaid), erp_payments.paid_on, positions.sign * erp_payments.amount as amount
    from positions
    join erp_payments using (id_documento)
    where positions.view = 'right'
    union all
    select positions.* exclude (unpaid), pcc_payments.paid_on, positions.sign * pcc_payments.amount
    from positions
    join pcc_payments using (progressivo_registrazione)
    where positions.view <> 'right' or positions.id_documento is null
    union all
    -- A payment told to PCC counts on the day of its mandate; the account pagato non commerciale gives no dates.
    select positions.* exclude (unpaid), coalesce(told.data_mandato, observed_at()), positions.sign * told.importo
    from positions
    join operation_lines as told
        on told.id_documento is not distinct from positions.id_documento
        and told.progressivo_registrazione is not distinct from positions.progressivo_registrazione
    where positions.view = 'projected' and told.azione = 'CP' and not told.non_commercial and told.importo <> 0
    union all
    select * exclude (unpaid), null, unpaid
    from positions
    where unpaid <> 0
)

select ente_code() as ente, * from parts
