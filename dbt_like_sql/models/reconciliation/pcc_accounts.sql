-- materialized: view
-- One row per document of PCC as delivered, with its accounts (docs/rules.md#rule-3), unsigned, and what does not sum in them.
-- Key: progressivo_registrazione.
with payments as (
    select
        progressivo_registrazione,
        sum(importo) as told,
        coalesce(sum(importo) filter (paid_on > reference_date()), 0) as after_reference,
        coalesce(sum(importo) filter (paid_on > observed_at()), 0) as after_observation
    from pcc_payments
    group by progressivo_registrazione
),

-- A document of negative total may have its accounts written negative too.
signed as (
    select
        invoices.*,
        coalesce(invoices.importo_sospeso_contenzioso, invoices.importo_sospeso_contestazione, invoices.importo_sospeso_verifica)
            is not null as tells_kinds,
        if(invoices.importo_totale < 0 and least(
            invoices.importo_liquidato, invoices.importo_sospeso, invoices.importo_non_liquidabile, invoices.importo_pagato,
            invoices.importo_pagato_non_commerciale
        ) < 0, -1, 1) as accounts_sign
    from stg_pcc_invoices as invoices
),

amounts as (
    select
        progressivo_registrazione,
        commercial_amount_of(importo_totale, totale_imposta, importo_imponibile, split_payment) as commercial_amount,
        accounts_sign * coalesce(importo_liquidato, 0) as liquidated,
        if(
            tells_kinds and importo_sospeso is null,
            coalesce(importo_sospeso_contenzioso, 0) + coalesce(importo_sospeso_contestazione, 0)
                + coalesce(importo_sospeso_verifica, 0),
            accounts_sign * coalesce(importo_sospeso, 0)
        ) as suspended,
        coalesce(importo_sospeso_contenzioso, 0) + coalesce(importo_sospeso_contestazione, 0)
            + coalesce(importo_sospeso_verifica, 0) as kinds,
        accounts_sign * coalesce(importo_non_liquidabile, 0) as not_payable,
        accounts_sign * coalesce(importo_pagato, 0) as paid,
        accounts_sign * coalesce(importo_pagato_non_commerciale, 0) as paid_non_commercial,
        coalesce(importo_non_commerciale, 0) as non_commercial,
        coalesce(escluso, false) as left_out,
        signed.*
    from signed
),

split as (
    select
        amounts.*,
        amounts.commercial_amount - amounts.non_commercial - amounts.liquidated - amounts.suspended - amounts.not_payable
            - amounts.paid - amounts.paid_non_commercial as unbooked,
        -- Movements never take more than the row has as paid.
        least(coalesce(payments.after_observation, 0), greatest(amounts.paid, 0)) as after_observation,
        least(coalesce(payments.after_reference, 0), greatest(amounts.paid, 0)) as after_reference,
        payments.told as told_paid
    from amounts
    left join payments using (progressivo_registrazione)
)

select
    amounts.*,
    case
        when least(amounts.unbooked, amounts.liquidated, amounts.suspended, amounts.not_payable, amounts.paid,
                   amounts.paid_non_commercial, amounts.non_commercial) < 0 then 'AMOUNT'
        when amounts.tells_kinds and amounts.kinds <> amounts.suspended then 'KINDS'
        when amounts.told_paid <> amounts.paid and amounts.told_paid <> amounts.paid + amounts.paid_non_commercial then 'PAYMENTS'
        when amounts.stato_documento = 'PAGATO' and amounts.commercial_amount > 0 and amounts.unbooked = amounts.commercial_amount
            then 'EMPTY'
    end as accounts_fault
from split as amounts
