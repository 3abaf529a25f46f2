-- One row per invoice block of a payment order and movement of the cash journal; one per block not executed, one per
-- movement of an order never delivered.
-- Key: row_id, block_row_id, tipo_movimento. Only the journal pays, on its day. A movement pays the blocks of its
-- beneficiary (of the whole order, where it names none) in proportion, to the cent: once all is executed each block
-- has just its own amount. Amounts are worked in whole cents.
with operations as (
    select
        esercizio,
        numero_mandato,
        tipo_operazione,
        sequence,
        (coalesce(max(creato_il), ''), sequence, min(row_id)) as moment
    from feed_erp_opi
    where riga = 'ORDINE'
    group by esercizio, numero_mandato, tipo_operazione, sequence
),

-- An order is sent whole: the latest insertion, variation or substitution stands in the place of those before.
standing as (
    select *
    from operations
    where tipo_operazione <> 'ANNULLO'
    qualify row_number() over (partition by esercizio, numero_mandato order by moment desc) = 1
),

orders as (
    select
        rows.*,
        coalesce(rows.progressivo_beneficiario, 1) as scope
    from feed_erp_opi as rows
    semi join standing using (esercizio, numero_mandato, tipo_operazione, sequence)
    where rows.riga = 'ORDINE'
),

-- A cancellation after it takes out the beneficiaries that it names, or all.
cancelled as (
    select distinct rows.esercizio, rows.numero_mandato, rows.progressivo_beneficiario
    from feed_erp_opi as rows
    join operations using (esercizio, numero_mandato, tipo_operazione, sequence)
    join standing using (esercizio, numero_mandato)
    where rows.riga = 'ORDINE'
      and operations.tipo_operazione = 'ANNULLO'
      and operations.moment > standing.moment
),

-- Of each movement the latest delivery that tells it: journals of a day and of a month overlap.
journal as (
    select
        rows.*,
        coalesce(rows.progressivo_beneficiario, 0) as scope,
        if(rows.tipo_operazione in ('ESEGUITO', 'REGOLARIZZATO'), 1, -1) * (rows.importo * 100)::bigint as cents
    from feed_erp_opi as rows
    where rows.riga = 'MOVIMENTO'
      and rows.data_movimento <= observed_at()
    qualify rows.sequence = max(rows.sequence) over (
        partition by rows.esercizio, rows.numero_mandato, rows.progressivo_beneficiario, rows.data_movimento,
            rows.tipo_operazione, rows.numero_quietanza
    )
),

-- What was paid by an order whose place another one took is that other's payment, if the journal did not take it back.
replacements as (
    select
        coalesce(orders.esercizio_sostituito, orders.esercizio) as esercizio,
        orders.mandato_sostituito as numero_mandato,
        min(journal.data_movimento) as replaced_on,
        min(journal.row_id) as row_id,
        min(journal.delivery) as delivery,
        min(journal.line) as line
    from (select distinct esercizio, numero_mandato, esercizio_sostituito, mandato_sostituito from orders) as orders
    join journal using (esercizio, numero_mandato)
    where orders.mandato_sostituito is not null
    group by all
    having sum(journal.cents) > 0
),

movements as (
    select
        esercizio, numero_mandato, scope, row_id, delivery, line, tipo_operazione as tipo_movimento, data_movimento, cents,
        beneficiario, coalesce(piva_beneficiario, cf_beneficiario) as cf_beneficiario
    from journal
    union all
    select
        replacements.esercizio, replacements.numero_mandato, paid.scope, replacements.row_id, replacements.delivery, replacements.line,
        'SOSTITUITO', greatest(replacements.replaced_on, paid.last_on), -paid.cents, null, null
    from replacements
    join (
        select esercizio, numero_mandato, scope, sum(cents)::bigint as cents, max(data_movimento) as last_on
        from journal group by all having sum(cents) > 0
    ) as paid using (esercizio, numero_mandato)
),

executed as (
    select
        *,
        sum(cents) over run as paid_after,
        sum(cents) over run - cents as paid_before,
        sum(sign(cents)) over run as times_after,
        sum(sign(cents)) over run - sign(cents) as times_before
    from movements
    window run as (partition by esercizio, numero_mandato, scope order by data_movimento, row_id rows unbounded preceding)
),

-- Each block within its beneficiary, and (scope 0) within the whole order: where it begins and ends, and what the whole is.
scopes as (
    select *, scope as within, (importo_beneficiario * 100)::bigint as said_whole from orders
    union all
    select *, 0, null
    from orders
    semi join (select distinct esercizio, numero_mandato from journal where scope = 0) as undivided using (esercizio, numero_mandato)
),

blocks as (
    select
        * exclude (said_whole),
        (importo * 100)::bigint as own,
        sum((importo * 100)::bigint) over run as ends,
        sum((importo * 100)::bigint) over run - (importo * 100)::bigint as begins,
        coalesce(nullif(said_whole, 0), sum((importo * 100)::bigint) over everything) as whole
    from scopes
    window
        run as (partition by esercizio, numero_mandato, within order by row_id rows unbounded preceding),
        everything as (partition by esercizio, numero_mandato, within)
),

allotted as (
    select
        executed.row_id as movement_row,
        executed.delivery as movement_delivery,
        executed.line as movement_line,
        executed.tipo_movimento,
        executed.data_movimento,
        executed.beneficiario as paid_to,
        executed.cf_beneficiario as paid_to_cf,
        blocks.*,
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

lines as (
    select
        movement_row as row_id, row_id as block_row_id, movement_delivery as delivery, movement_line as line,
        esercizio, numero_mandato, data_mandato, data_movimento as data_pagamento, tipo_movimento, cents,
        coalesce(beneficiario, paid_to) as beneficiario,
        coalesce(piva_beneficiario, cf_beneficiario, paid_to_cf) as cf_beneficiario,
        tipo_debito, lotto_sdi, numero_fattura, anno_emissione, cf_emittente, importo, cig, false as cancelled
    from allotted
    union all by name
    select
        orders.row_id, orders.row_id as block_row_id, orders.delivery, orders.line, orders.esercizio, orders.numero_mandato,
        orders.data_mandato, (orders.importo * 100)::bigint as cents, orders.beneficiario,
        coalesce(orders.piva_beneficiario, orders.cf_beneficiario) as cf_beneficiario, orders.tipo_debito, orders.lotto_sdi,
        orders.numero_fattura, orders.anno_emissione, orders.cf_emittente, orders.importo, orders.cig,
        exists (
            select 1 from cancelled
            where cancelled.esercizio = orders.esercizio and cancelled.numero_mandato = orders.numero_mandato
              and coalesce(cancelled.progressivo_beneficiario = orders.scope, true)
        ) as cancelled
    from orders
    anti join allotted on allotted.row_id = orders.row_id
    union all by name
    select
        executed.row_id, 0 as block_row_id, executed.delivery, executed.line, executed.esercizio, executed.numero_mandato,
        executed.data_movimento as data_pagamento, executed.tipo_movimento, executed.cents, executed.beneficiario,
        executed.cf_beneficiario, false as cancelled
    from executed
    anti join allotted on allotted.movement_row = executed.row_id and allotted.tipo_movimento = executed.tipo_movimento
),

identifiers as (
    select tax_id(piva) as identifier, any_value(creditor) as creditor from subjects where tax_id(piva) is not null group by 1
    union
    select tax_id(cf), any_value(creditor) from subjects where tax_id(cf) is not null group by 1
),

-- The invoices that orders name, each once.
named as (
    select distinct
        block_row_id,
        esercizio,
        lotto_sdi,
        numero_fattura,
        anno_emissione,
        coalesce(cf_emittente, cf_beneficiario) as supplier,
        if(importo < 0, -1, 1) as sign
    from lines
    where numero_fattura is not null and coalesce(tipo_debito, 'COMMERCIALE') = 'COMMERCIALE'
),

suppliers as (
    select named.*, identifiers.creditor
    from named
    left join identifiers on identifiers.identifier = tax_id(named.supplier)
),

-- Who issued what a lot holds, as PCC and SDI know it: the accounting system may not keep the lot.
lot_identities as (
    select named.block_row_id, subjects.creditor, normalised_number(pcc.numero_documento, pcc.data_emissione) as number_key,
        year(pcc.data_emissione) as issue_year, pcc.progressivo_registrazione
    from named
    join stg_pcc_invoices as pcc on pcc.lotto_sdi = named.lotto_sdi
    left join subjects on subjects.piva is not distinct from pcc.id_fiscale_iva and subjects.cf is not distinct from pcc.cf_fornitore
    where normalised_number(pcc.numero_documento, pcc.data_emissione) = normalised_number(named.numero_fattura, pcc.data_emissione)
    union all
    select named.block_row_id, sdi.creditor, sdi.number_key, year(sdi.issue_date), null
    from named
    join sdi_invoice_states as sdi on sdi.sdi_id = named.lotto_sdi
    where sdi.number_key = normalised_number(named.numero_fattura, sdi.issue_date)
),

-- Only the documents of those lots and suppliers are read further.
documents as materialized (
    select
        invoices.id_documento,
        invoices.lotto_sdi,
        invoices.id_pcc,
        subjects.creditor,
        normalised_number(invoices.numero, invoices.data_emissione) as number_key,
        invoices.data_emissione as issue_date,
        year(invoices.data_emissione) as issue_year,
        types.sign
    -- Nothing is read where no order names an invoice.
    from (select * from stg_erp_invoices where (select count(*) > 0 from named)) as invoices
    left join subjects on subjects.piva is not distinct from invoices.piva_fornitore and subjects.cf is not distinct from invoices.cf_fornitore
    join rule_document_types as types on types.code = invoices.tipo_documento
    where invoices.lotto_sdi in (select lotto_sdi from named)
       or invoices.id_pcc in (select progressivo_registrazione from lot_identities)
       or subjects.creditor in (select creditor from suppliers union all select creditor from lot_identities)
),

candidates as (
    select suppliers.block_row_id, documents.id_documento, 1 as ordinal
    from suppliers
    join documents on documents.lotto_sdi = suppliers.lotto_sdi and documents.sign = suppliers.sign
    where documents.number_key = normalised_number(suppliers.numero_fattura, documents.issue_date)
    union
    select lot_identities.block_row_id, documents.id_documento, 2
    from lot_identities
    join documents on documents.id_pcc = lot_identities.progressivo_registrazione
    union
    select lot_identities.block_row_id, documents.id_documento, 2
    from lot_identities
    join suppliers using (block_row_id)
    join documents
        on documents.creditor = lot_identities.creditor
        and documents.number_key = lot_identities.number_key
        and documents.issue_year = lot_identities.issue_year
        and documents.sign = suppliers.sign
    where coalesce(documents.lotto_sdi = suppliers.lotto_sdi, true)
    union
    -- An electronic invoice's block tells no year: it is one of the last five.
    select dated.block_row_id, documents.id_documento, 3
    from (
        select
            *,
            unnest(if(anno_emissione is null, range(esercizio, esercizio - 6, -1), [anno_emissione])) as issue_year
        from suppliers
    ) as dated
    join documents
        on documents.creditor = dated.creditor
        and documents.issue_year = dated.issue_year
        and documents.sign = dated.sign
        and documents.number_key = normalised_number(dated.numero_fattura, make_date(dated.issue_year, 1, 1))
    where coalesce(documents.lotto_sdi = dated.lotto_sdi, true)
),

found as (
    select block_row_id, min(id_documento) as id_documento, count(distinct id_documento) as documents
    from candidates
    semi join (select block_row_id, min(ordinal) as ordinal from candidates group by block_row_id) as best using (block_row_id, ordinal)
    group by block_row_id
),

-- The accounting system's own payments, by document, order and year.
known_payments as (
    select distinct
        id_documento,
        ltrim(regexp_extract(numero_mandato, '[0-9]+'), '0') as numero_mandato,
        unnest(if(data_mandato is null, [year(data_pagamento), year(data_pagamento) - 1], [year(data_mandato)])) as esercizio
    from stg_erp_payments
    where id_documento in (select id_documento from found)
),

judged as (
    select
        lines.*,
        if(found.documents = 1, found.id_documento, null) as id_documento,
        documents.sign,
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
    from lines
    left join found using (block_row_id)
    left join documents on documents.id_documento = found.id_documento and found.documents = 1
    left join known_payments
        on known_payments.id_documento = documents.id_documento
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
