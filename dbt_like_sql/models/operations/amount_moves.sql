-- One row per row of today's models to send to PCC: what `document_targets` asks for, in the order in which PCC takes it.
-- Key: id_documento, progressivo_registrazione, place. Reception, refusal, VAT regime, amounts, closing, due date, payments
-- (docs/rules.md#rule-11-order). There is none for an ente of Modello 003. RS and RT only where a person asked for it and PCC
-- has not taken it yet.
with asked as (
    select requests.progressivo_registrazione, requests.azione as restart
    from decided_operation_requests as requests
    anti join (
        select sent.progressivo_registrazione, sent.azione, sent.sent_at
        from decided_sent_operations as sent
        join sent_states as states using (operation_id, attempt)
        where sent.azione in ('RS', 'RT') and states.state <> 'refused'
    ) as told
        on told.progressivo_registrazione = requests.progressivo_registrazione and told.azione = requests.azione
        and told.sent_at >= requests.decided_at
),

-- Restored or reset, a document has nothing set: all that it shall have is set anew (docs/rules.md#rule-11-order).
standing as (
    select targets.* replace (
        if(asked.restart is null, targets.now_non_commercial, 0) as now_non_commercial,
        if(asked.restart is null, targets.now_suspended_lawsuit, 0) as now_suspended_lawsuit,
        if(asked.restart is null, targets.now_suspended_contested, 0) as now_suspended_contested,
        if(asked.restart is null, targets.now_suspended_check, 0) as now_suspended_check,
        if(asked.restart is null, targets.now_suspended_other, 0) as now_suspended_other,
        if(asked.restart is null, targets.now_not_payable, 0) as now_not_payable
    ), asked.restart
    from document_targets as targets
    left join asked on asked.progressivo_registrazione = targets.progressivo_registrazione
),

bearers as (
    select
        *,
        -- A credit note's use is no payment: as much of it as counts by D is non liquidabile.
        offset_lacking > 0 or list_contains(codes, 'CREDIT_NOTE_OPEN') as offsets,
        non_commercial + if(payments_non_commercial, payments_lacking, 0) as to_be_non_commercial,
        not_payable + if(offsets, offset_lacking, 0) as to_be_not_payable,
        (to_be_non_commercial, suspended_lawsuit, suspended_contested, suspended_check, to_be_not_payable)
            is distinct from (now_non_commercial, now_suspended_lawsuit, now_suspended_contested, now_suspended_check, now_not_payable)
            or suspended_other < now_suspended_other or starts_differ as amounts_differ,
        (suspended_lawsuit, suspended_contested, suspended_check) is distinct from
            (now_suspended_lawsuit, now_suspended_contested, now_suspended_check) or starts_differ as suspension_differs
    from standing
    where movable and pcc_models() <> '003' and not list_has_any(codes, {{ codes_that("holds") }})
),

moves as (
    select id_documento, progressivo_registrazione, received_first, codes, unnest([
        {place: 1, azione: restart, wanted: if(restart is not null, codes, null)},
        {place: 2, azione: 'RF', wanted: if(rejected, {{ codes_that("refuses") }}, null)},
        {place: 3, azione: 'MI', wanted: if(changes and split_payment, {{ codes_that("closes") }}, null)},
        {place: 4, azione: 'SID', wanted: if(changes and not closed and amounts_differ,
            if(suspension_differs, {{ codes_that("suspends") }} || {{ codes_that("lifts") }}, [])
            || {{ codes_that("closes") }} || {{ codes_that("frees") }} || {{ codes_that("suspends") }} || {{ codes_that("lifts") }}
            || {{ codes_that("pays") }}, null)},
        -- What is wholly non payable already needs no closing.
        {place: 5, azione: 'CH', wanted: if(changes and closed and now_not_payable < commercial_amount - now_non_commercial - paid, {{ codes_that("closes") }}, null)},
        {place: 6, azione: 'CS', wanted: if(due_date is not null and not new_on_pcc and not coalesce(too_late, false),
            {{ codes_that("tells_due_date") }}, null)}
    ], max_depth := 2)
    from (
        select
            *,
            threshold('cs_until_day') > 0
                and observed_at() > date_trunc('month', due_date) + interval 1 month + to_days(threshold('cs_until_day')::integer - 1) as too_late
        from bearers
    )
),

proposed as (
    select
        id_documento, progressivo_registrazione, received_first, place, azione, first_borne(wanted, codes) as code,
        null::decimal(18, 2) as importo, null as numero_mandato, null::date as data_mandato, null as cf_beneficiario, null as modalita,
        null as words
    from moves
    where wanted is not null
    union all
    select
        bearers.id_documento, bearers.progressivo_registrazione, bearers.received_first, 10 + payments.position, 'IP',
        first_borne({{ codes_that("pays") }}, bearers.codes), payments.amount, payments.numero_mandato, payments.data_mandato,
        payments.cf_beneficiario, payments.modalita, carriers.words
    from bearers
    join unreported_payments as payments on payments.id_documento = bearers.id_documento
    left join order_carriers as carriers
        on carriers.id_documento = payments.id_documento
        and carriers.numero_mandato = payments.numero_mandato
        and carriers.data_mandato = payments.data_mandato
    where bearers.changes and bearers.payments_lacking > 0 and not bearers.offsets and not bearers.payments_non_commercial
      and not coalesce(carriers.waits, false)
)

select
    ente_code() as ente, id_documento, progressivo_registrazione, place, azione, code, importo, numero_mandato, data_mandato,
    cf_beneficiario, modalita, words
from proposed
union all by name
-- Nothing is told of what was only presented: its reception goes first, under the code of what follows.
select ente_code() as ente, id_documento, progressivo_registrazione, 0 as place, 'RC' as azione, arg_min(code, place) as code
from proposed
where received_first
group by id_documento, progressivo_registrazione
