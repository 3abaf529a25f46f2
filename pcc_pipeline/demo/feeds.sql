-- The feeds of one ente, as views over documents: the columns of each kind's feed table (tables/feeds.py),
-- lineage first, money as decimal(18, 2). Also the view truth: which case each document is.

create or replace macro euro(cents) as (cents::decimal(18, 0) / 100)::decimal(18, 2);

create or replace temp view erp_invoices as
select
    getvariable('ente') as ente, 'synthetic' as delivery, i + 2 as line,
    id_documento,
    case
        when twist = 'paper' then 'FATTURA'
        when not getvariable('plain_types') then tipo
        when tipo = 'TD04' then 'NOTA_CREDITO' when tipo = 'TD06' then 'PARCELLA' when tipo = 'TD01' then 'FATTURA'
        else tipo
    end as tipo_documento,
    erp_cf as cf_fornitore,
    erp_piva as piva_fornitore,
    name as denominazione_fornitore,
    erp_number as numero,
    issued as data_emissione,
    received as data_ricezione,
    (i + 1)::text as protocollo,
    erp_lot as lotto_sdi,
    if(tier = 'pcc_id', progressivo, null) as id_pcc,
    euro(erp_total) as importo_totale,
    euro(erp_net) as imponibile,
    euro(erp_vat) as iva,
    split as split_payment,
    -- Issued after D: a due date before it could not be (docs/rules.md#rule-2).
    if(twist in ('erp_no_due', 'issue'), null, erp_due_on) as data_scadenza,
    getvariable('office') as codice_ufficio,
    if(r6 % 3 > 0, cig, null) as cig,
    null::text as cup,
    if(r6 % 5 = 0, 'CA', 'CO') as natura_spesa,
    (1000 + r7 % 400 * 10)::text as capitolo,
    year(issued) || '/' || (1 + r5 % 900) as impegno,
    euro(erp_withheld) as importo_ritenuta,
    erp_state as stato,
    nullif(erp_cause, '') as causale,
    if(erp_state = 'SOSPESA', suspended_on, null) as data_sospensione,
    if(erp_state = 'SOSPESA' and r5 % 5 > 0, euro(amount), null) as importo_sospeso,
    if(erp_state = 'NON_LIQUIDABILE' and r5 % 5 > 0, euro(amount), null) as importo_non_liquidabile,
    not (twist = 'non_commercial') as commerciale
from documents
where in_erp;

create or replace temp view erp_payments as
with movements as (
    select *, 1 as nth, erp_paid_1 as paid, erp_paid_on as on_day from documents where in_erp and erp_paid_1 <> 0
    union all
    select *, 2 as nth, erp_paid_2 as paid, least(erp_paid_on + 6, if(erp_when = 'after', getvariable('observed_at'),
        greatest(erp_paid_on, getvariable('reference_date')))) as on_day
    from documents where in_erp and erp_paid_2 <> 0
    union all
    select * replace (coalesce(more_to, payee) as payee), 3 as nth, more as paid, erp_paid_on as on_day
    from documents where more is not null
)
select
    getvariable('ente') as ente, 'synthetic' as delivery, 3 * i + nth + 1 as line,
    id_documento,
    case
        when nth = 3 then coalesce(more_number, (900000000 + i)::text)
        when paid_by = 'ECONOMALE' then 'B' || (i + 1)
        else (2 * i + if(paid < 0, 1, nth))::text
    end as numero_mandato,
    on_day - 2 as data_mandato,
    on_day as data_pagamento,
    euro(abs(paid)) as importo,
    euro(if(nth = 1, order_withheld, null)) as importo_ritenute,
    payee as cf_beneficiario,
    paid < 0 as storno,
    paid_by as modalita
from movements;

create or replace temp view pcc_invoices as
with copies as (
    select *, 1 as copy from documents where pcc_copies >= 1
    union all
    select * replace (
        if(twist = 'second_received', 'RICEVUTO', pcc_state) as pcc_state,
        if(twist = 'second_received', '', pcc_account) as pcc_account,
        0 as pcc_paid_1, 0 as pcc_paid_2
    ), 2 as copy
    from documents where pcc_copies = 2
),
kept as (
    select *, pcc_amount - pcc_paid_1 - pcc_paid_2 as rest, twist = 'non_commercial' and pcc_pays = 'full' as aside from copies
)
select
    getvariable('ente') as ente, 'synthetic' as delivery, 2 * i + copy + 1 as line,
    if(copy = 1, progressivo, progressivo_2) as progressivo_registrazione,
    if(copy = 1, lotto, lotto_2) as lotto_sdi,
    if(twist = 'office', 'UFZZZ9', getvariable('office')) as codice_ufficio,
    getvariable('cf') as cf_amministrazione,
    pcc_cf as cf_fornitore,
    pcc_vat_number as id_fiscale_iva,
    upper(name) as denominazione_fornitore,
    pcc_tipo as tipo_documento,
    pcc_number as numero_documento,
    pcc_issued as data_emissione,
    greatest(received, pcc_issued) as data_ricezione,
    null::text as numero_protocollo,
    euro(pcc_total) as importo_totale,
    euro(pcc_net) as importo_imponibile,
    euro(pcc_vat) as totale_imposta,
    pcc_split as split_payment,
    pcc_state as stato_documento,
    pcc_due_on as data_scadenza,
    euro(case
        when empty_accounts then null when pcc_account = 'liquidato' and not aside then rest when twist = 'split_vat' then rest else 0
    end + if(twist = 'accounts', 1000, 0)) as importo_liquidato,
    euro(if(pcc_account = 'sospeso', rest, 0)) as importo_sospeso,
    euro(if(pcc_account = 'non_liquidabile', rest, 0)) as importo_non_liquidabile,
    euro(case when empty_accounts then null when aside then 0 else pcc_paid_1 + pcc_paid_2 end) as importo_pagato,
    euro(if(aside, pcc_paid_1 + pcc_paid_2, 0)) as importo_pagato_non_commerciale,
    if(pcc_account = 'sospeso', nullif(pcc_cause, ''), null) as causale_sospensione,
    null as movimenti,
    null::boolean as partial
from kept;

create or replace temp view pcc_operations as
with movements as (
    select *, 1 as nth, 'CP' as action, pcc_paid_1 as moved, pcc_paid_on as paid_day, null::text as debt from documents
    where pcc_copies > 0 and pcc_paid_1 <> 0 and twist <> 'non_commercial'
    union all
    select *, 2, 'CP', pcc_paid_2, least(pcc_paid_on + 6, if(pcc_when = 'after', getvariable('observed_at'),
        greatest(pcc_paid_on, getvariable('reference_date')))), null
    from documents where pcc_copies > 0 and pcc_paid_2 <> 0 and twist <> 'non_commercial'
    union all
    select *, 3, 'CO', pcc_amount, null, 'SOSP' from documents
    where pcc_copies > 0 and (pcc_account = 'sospeso' or twist = 'resumed')
    union all
    select *, 4, 'CO', pcc_amount, null, 'LIQdaSOSP' from documents where pcc_copies > 0 and twist = 'resumed'
    union all
    select *, 5, 'CO', pcc_amount, null, if(pcc_account = 'non_liquidabile', 'NOLIQ', 'LIQ') from documents
    where pcc_copies > 0 and i % 4 = 0 and twist <> 'resumed'
      and (pcc_state = 'PAGATO' or pcc_account in ('liquidato', 'non_liquidabile')) and twist <> 'non_commercial'
      and pcc_amount > 0 and not empty_accounts
    union all
    select *, 6, 'RF', null, null, null from documents where pcc_copies > 0 and pcc_state = 'RIFIUTATO'
)
select
    getvariable('ente') as ente, 'synthetic' as delivery, 6 * i + nth + 1 as line,
    progressivo as progressivo_registrazione,
    least(case
        when action = 'CP' then paid_day + 5
        when nth = 4 then received + 5 + 20 + (r6 % 40)::int
        when nth = 6 then received + 8
        else received + 5
    end, getvariable('observed_at')) as data_operazione,
    action as azione,
    euro(moved) as importo,
    debt as stato_debito,
    if(nth = 3, if(twist = 'resumed', 'CONT', nullif(pcc_cause, '')), null) as causale,
    null::date as data_scadenza,
    if(action = 'CP', (2 * i + if(moved < 0, 1, nth))::text, null) as numero_mandato,
    paid_day as data_pagamento,
    if(action = 'CP', pcc_vat_number, null) as id_fiscale_iva_beneficiario
from movements;

create or replace temp view open_list as
select
    getvariable('ente') as ente, 'synthetic' as delivery, i + 2 as line,
    if(twist = 'cf_only', null, piva) as piva_fornitore,
    if(professional or twist = 'cf_only', cf, null) as cf_fornitore,
    erp_number as numero,
    issued as data_emissione,
    euro(amount) as importo,
    null::text as nota
from documents
where in_erp and on_list;

create or replace temp view special_cases as
select
    getvariable('ente') as ente, 'synthetic' as delivery, i + 100 as line,
    piva as piva_fornitore,
    if(professional, cf, null) as cf_fornitore,
    erp_number as numero,
    issued as data_emissione,
    null::decimal(18, 2) as importo,
    special as caso,
    null::text as nuovo_creditore_cf, null::text as nuovo_creditore_piva, null::text as nuovo_creditore_denominazione,
    issued as decorrenza,
    null::text as nota
from documents
where in_erp and special in ('CONTENZIOSO', 'NON_COMMERCIALE', 'PIGNORAMENTO')
union all by name
select
    getvariable('ente') as ente, 'synthetic' as delivery, line,
    from_piva as piva_fornitore, null::text as cf_fornitore, null::text as numero, null::date as data_emissione,
    null::decimal(18, 2) as importo,
    caso,
    null::text as nuovo_creditore_cf, to_piva as nuovo_creditore_piva, to_name as nuovo_creditore_denominazione,
    getvariable('reference_date') - days_before::int as decorrenza,
    null::text as nota
from successions;

create or replace temp view truth as
select
    getvariable('ente') as ente,
    if(in_erp, id_documento, null) as id_documento,
    if(pcc_copies > 0, progressivo, null) as progressivo_registrazione,
    if(pcc_copies = 2, progressivo_2, null) as second_progressivo,
    case_name,
    tier,
    codes
from documents;
