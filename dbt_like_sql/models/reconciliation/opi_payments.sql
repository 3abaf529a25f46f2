-- One row per invoice block of a payment order and movement of the cash journal; one per block not executed, one per
-- movement of an order never delivered: what became of it.
-- Key: row_id, block_row_id, tipo_movimento. Only the journal pays, on its day. Which order stands: opi_orders; which
-- movements count: opi_movements; what each pays: opi_allotted; which document is meant: opi_documents.
with known_payments as (
    -- The accounting system's own payments, by document, order and year.
    select distinct
        id_documento,
        ltrim(regexp_extract(numero_mandato, '[0-9]+'), '0') as numero_mandato,
        unnest(if(data_mandato is null, [year(data_pagamento), year(data_pagamento) - 1], [year(data_mandato)])) as esercizio
    from stg_erp_payments
    where id_documento in (select id_documento from opi_documents)
),

judged as (
    select
        lines.*,
        found.id_documento,
        found.sign,
        case
            when lines.tipo_movimento is null then if(lines.cancelled, 'CANCELLED', 'NOT_EXECUTED')
            when lines.block_row_id = 0 then 'UNKNOWN_ORDER'
            when coalesce(lines.tipo_debito, 'COMMERCIALE') <> 'COMMERCIALE' then 'NOT_COMMERCIAL'
            when lines.numero_fattura is null then 'NO_INVOICE'
            when found.documents is null then 'NO_DOCUMENT'
            when found.documents > 1 then 'SEVERAL_DOCUMENTS'
            when known_payments.id_documento is not null then 'ALREADY_IN_ERP'
            else 'COUNTED'
        end as stato
    from opi_allotted as lines
    left join opi_documents as found using (block_row_id)
    left join known_payments
        on known_payments.id_documento = found.id_documento
        and known_payments.numero_mandato = lines.numero_mandato
        and known_payments.esercizio = lines.esercizio
)

select
    ente_code() as ente,
    judged.row_id,
    judged.block_row_id,
    judged.delivery,
    judged.line,
    -- Among the accounting system's payments, whose rows count upwards.
    -row_number() over (order by judged.row_id, judged.block_row_id, judged.tipo_movimento) as payment_row,
    judged.stato,
    states.meaning as motivo,
    judged.id_documento,
    judged.esercizio,
    judged.numero_mandato,
    judged.data_mandato,
    judged.data_pagamento,
    judged.tipo_movimento,
    (judged.cents::decimal(18, 0) / 100)::decimal(18, 2) as importo,
    judged.beneficiario,
    judged.cf_beneficiario,
    judged.tipo_debito,
    judged.lotto_sdi,
    judged.numero_fattura,
    judged.anno_emissione,
    judged.cig,
    coalesce(judged.sign * judged.cents, judged.cents) < 0 as storno
from judged
join rule_opi_states as states on states.stato = judged.stato
