-- One row per movement of the cash journal, and one that takes back what was paid by an order whose place another one took.
-- Key: order, row_id, tipo_movimento, scope. Scope is the beneficiary of the order that it concerns; 0: the whole order.
with journal as (
    select
        rows.row_id,
        rows.delivery,
        rows.line,
        rows.esercizio,
        rows.numero_mandato,
        coalesce(rows.progressivo_beneficiario, 0) as scope,
        rows.data_movimento,
        rows.tipo_operazione,
        rows.beneficiario,
        coalesce(rows.piva_beneficiario, rows.cf_beneficiario) as cf_beneficiario,
        if(rows.tipo_operazione in ('ESEGUITO', 'REGOLARIZZATO'), 1, -1) * (rows.importo * 100)::bigint as cents
    from feed_erp_opi as rows
    where rows.riga = 'MOVIMENTO'
      and rows.data_movimento <= observed_at()
    -- Of each movement the latest delivery that tells it: journals of a day and of a month overlap.
    qualify rows.sequence = max(rows.sequence) over (
        partition by rows.esercizio, rows.numero_mandato, rows.progressivo_beneficiario, rows.data_movimento,
            rows.tipo_operazione, rows.numero_quietanza
    )
),

-- What was paid by an order whose place another one took is that other's payment, if the journal did not take it back.
replacements as (
    select
        orders.esercizio_sostituito as esercizio,
        orders.mandato_sostituito as numero_mandato,
        min(journal.data_movimento) as replaced_on,
        min(journal.row_id) as row_id,
        min(journal.delivery) as delivery,
        min(journal.line) as line
    from (select distinct esercizio, numero_mandato, esercizio_sostituito, mandato_sostituito from opi_orders) as orders
    join journal using (esercizio, numero_mandato)
    where orders.mandato_sostituito is not null
    group by orders.esercizio_sostituito, orders.mandato_sostituito
    having sum(journal.cents) > 0
),

paid as (
    select esercizio, numero_mandato, scope, sum(cents)::bigint as cents, max(data_movimento) as last_on
    from journal
    group by esercizio, numero_mandato, scope
    having sum(cents) > 0
)

select
    ente_code() as ente, esercizio, numero_mandato, scope, row_id, delivery, line, tipo_operazione as tipo_movimento, data_movimento, cents,
    beneficiario, cf_beneficiario
from journal
union all
select
    ente_code(), replacements.esercizio, replacements.numero_mandato, paid.scope, replacements.row_id, replacements.delivery,
    replacements.line, 'SOSTITUITO', greatest(replacements.replaced_on, paid.last_on), -paid.cents, null, null
from replacements
join paid using (esercizio, numero_mandato)
