-- One row per document of PCC that was delivered more than once, and delivery: what PCC had told of it by then.
-- Key: progressivo_registrazione, delivery. What a delivery does not tell stands as told before. Payments count as paid
-- whenever they were: of a state on the way nobody says more.
with repeated as (
    select progressivo_registrazione
    from feed_pcc_invoices
    -- Only a document of which a row took another's place came twice.
    semi join (
        select again.progressivo_registrazione
        from feed_pcc_invoices as again
        semi join (select row_id from corrected_rows where kind = 'pcc_invoices') as former using (row_id)
    ) as several using (progressivo_registrazione)
    where not coalesce(partial, false)
    group by progressivo_registrazione
    having count(distinct delivery) > 1
),

delivered as (
    select arrivals.*
    from feed_pcc_invoices as arrivals
    semi join repeated using (progressivo_registrazione)
    where not coalesce(arrivals.partial, false)
    qualify row_number() over (partition by progressivo_registrazione, delivery order by row_id desc) = 1
),

told as (
    select
        progressivo_registrazione,
        delivery,
        received_at,
        row_id,
        tipo_documento,
        data_emissione,
        importo_totale,
        stato_documento,
        last_value(data_scadenza ignore nulls) over document as data_scadenza,
        last_value(data_ricezione ignore nulls) over document as data_ricezione,
        last_value(totale_imposta ignore nulls) over document as vat,
        last_value(importo_imponibile ignore nulls) over document as taxable,
        coalesce(last_value(split_payment ignore nulls) over document, false) as splits,
        coalesce(last_value(escluso ignore nulls) over document, false) as left_out,
        commercial_amount_of(importo_totale, vat, taxable, splits) as commercial_amount,
        coalesce(last_value(importo_sospeso ignore nulls) over document, 0) as suspended,
        last_value(importo_sospeso_contenzioso ignore nulls) over document as lawsuit,
        last_value(importo_sospeso_contestazione ignore nulls) over document as contested,
        last_value(importo_sospeso_verifica ignore nulls) over document as to_check,
        -- A start and a cause are told with the amount: where it is gone they are.
        concat_ws(', ', italian_date(data_sospensione_contenzioso), italian_date(data_sospensione_contestazione),
                  italian_date(data_sospensione_verifica)) as starts,
        causale_sospensione as cause,
        coalesce(last_value(importo_non_liquidabile ignore nulls) over document, 0) as not_payable,
        coalesce(last_value(importo_non_commerciale ignore nulls) over document, 0) as non_commercial,
        coalesce(last_value(importo_pagato ignore nulls) over document, 0) as paid,
        coalesce(last_value(importo_pagato_non_commerciale ignore nulls) over document, 0) as paid_non_commercial
    from delivered
    window document as (
        partition by progressivo_registrazione order by row_id rows between unbounded preceding and current row
    )
),

valued as (
    select
        told.*,
        document_sign(types.sign, told.importo_totale) as sign,
        case
            when coalesce(told.lawsuit, told.contested, told.to_check) is not null then
                excluded_kinds(told.lawsuit, told.contested, told.to_check)
            when causes.excluded then told.suspended
            else 0
        end as excluded,
        (
            told.stato_documento <> 'RIFIUTATO'
            and not told.left_out
            and told.data_emissione <= reference_date()
            and coalesce(
                possible_due(told.data_scadenza, told.data_emissione),
                coalesce(possible_day(told.data_ricezione), told.data_emissione) + payment_term()
            ) <= reference_date()
        )::integer as counts
    from told
    join rule_document_types as types on types.code = told.tipo_documento
    left join rule_suspension_causes as causes on causes.cause = upper(told.cause)
)

select
    ente_code() as ente,
    progressivo_registrazione,
    delivery,
    received_at,
    row_id,
    stato_documento,
    data_scadenza,
    left_out,
    commercial_amount,
    excluded,
    not_payable,
    non_commercial,
    paid,
    paid_non_commercial,
    sign,
    counts,
    commercial_amount - excluded - not_payable - non_commercial - paid - paid_non_commercial as open_amount,
    nullif(concat_ws(
        ', ', if(suspended <> 0, italian_money(suspended), null),
        if(lawsuit <> 0, 'contenzioso ' || italian_money(lawsuit), null),
        if(contested <> 0, 'contestazione ' || italian_money(contested), null),
        if(to_check <> 0, 'verifica ' || italian_money(to_check), null),
        if(suspended <> 0, nullif(starts, ''), null), if(suspended <> 0, cause, null)
    ), '') as suspension
from valued
