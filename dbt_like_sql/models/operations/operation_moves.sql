-- One row per line to send to PCC: the moves of `remedies` in the order in which PCC takes them.
-- Key: id_documento, progressivo_registrazione, step. Reception, refusal, what frees an account, what fills one, the due
-- date, payments. A move bears the code that asked for it (rule_anomalies); one that no code of its document asks for
-- bears none, and a check of `operations` shows it.
with bearers as (
    -- What a person answers first bears no operation at all.
    select * from remedies where not list_has_any(codes, {{ codes_that("holds") }})
),

moves as (
    select
        id_documento,
        progressivo_registrazione,
        codes,
        booked_first,
        unnest([
            {place: 1, azione: 'RC', stato: null, amount: if(new_on_pcc, commercial_amount, 0), wanted: {{ codes_that("registers") }}},
            {place: 2, azione: 'RF', stato: null, amount: if(refused, commercial_amount, 0), wanted: {{ codes_that("refuses") }}},
            {place: 10, azione: 'CO', stato: 'NLdaSOSP', amount: nl_da_sosp, wanted: {{ codes_that("closes") }}},
            {place: 11, azione: 'CO', stato: 'LIQdaSOSP', amount: liq_da_sosp, wanted: {{ codes_that("lifts") }}},
            {place: 12, azione: 'CO', stato: 'LIQdaNL', amount: liq_da_nl, wanted: {{ codes_that("frees") }}},
            {place: 13, azione: 'CO', stato: 'SOSPdaNL', amount: sosp_da_nl, wanted: {{ codes_that("suspends") }}},
            {place: 14, azione: 'CO', stato: 'NOLIQ', amount: noliq, wanted: {{ codes_that("closes") }}},
            {place: 15, azione: 'CO', stato: 'NLdaLIQ', amount: nl_da_liq, wanted: {{ codes_that("closes") }}},
            {place: 16, azione: 'CO', stato: 'SOSP', amount: sosp, wanted: {{ codes_that("suspends") }}},
            {place: 17, azione: 'CO', stato: 'SOSPdaLIQ', amount: sosp_da_liq, wanted: {{ codes_that("suspends") }}},
            {place: 18, azione: 'CO', stato: 'LIQ', amount: liq, wanted: {{ codes_that("books") }}},
            {place: 20, azione: 'CS', stato: null,
             amount: case
                 when due_date_told is null or new_on_pcc then 0
                 -- What is neither paid nor non liquidabile by then; the whole document where nothing is.
                 else greatest(coalesce(nullif(greatest(
                     unbooked + liquidated + suspended + liq_da_nl + sosp_da_nl - noliq - nl_da_liq - nl_da_sosp, 0
                 ), 0), commercial_amount), 0.01)
             end,
             wanted: {{ codes_that("tells_due_date") }}}
        ], max_depth := 2)
    from bearers
),

proposed as materialized (
    select
        id_documento,
        progressivo_registrazione,
        booked_first,
        place,
        azione,
        stato as stato_debito,
        amount as importo,
        first_borne(wanted, codes) as code,
        cast(null as varchar) as numero_mandato,
        cast(null as date) as data_mandato,
        cast(null as varchar) as cf_beneficiario,
        cast(null as varchar) as modalita
    from moves
    where amount > 0
    union all
    select
        bearers.id_documento,
        bearers.progressivo_registrazione,
        bearers.booked_first,
        20 + payments.position,
        'CP',
        null,
        payments.amount,
        first_borne({{ codes_that("pays") }}, bearers.codes),
        payments.numero_mandato,
        payments.data_mandato,
        payments.cf_beneficiario,
        payments.modalita
    from bearers
    join unreported_payments as payments on payments.id_documento = bearers.id_documento
    where bearers.to_pay > 0
),

-- Nothing is booked on what was only presented: its reception is told first, under the code of what follows.
received as (
    select
        id_documento,
        progressivo_registrazione,
        0 as place,
        'RC' as azione,
        arg_min(code, place) as code
    from proposed
    where booked_first
    group by id_documento, progressivo_registrazione
),

placed as (
    select
        id_documento, progressivo_registrazione, place, azione, stato_debito, importo, code, numero_mandato, data_mandato, cf_beneficiario,
        modalita
    from proposed
    union all by name
    select id_documento, progressivo_registrazione, place, azione, code
    from received
)

select
    ente_code() as ente,
    id_documento,
    progressivo_registrazione,
    row_number() over (partition by id_documento, progressivo_registrazione order by place) as step,
    place = 1 as registers,
    azione,
    stato_debito,
    importo,
    code,
    numero_mandato,
    data_mandato,
    cf_beneficiario,
    modalita
from placed
-- Today's models set amounts (amount_lines): of these only a document of Modello 002 is left.
where pcc_models() = '003' or place = 1
