-- One row per invoice block of a payment order that stands.
-- Key: row_id. An order is sent whole: the latest insertion, variation or substitution stands in the place of those before.
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

standing as (
    select esercizio, numero_mandato, tipo_operazione, sequence, moment
    from operations
    where tipo_operazione <> 'ANNULLO'
    qualify row_number() over (partition by esercizio, numero_mandato order by moment desc) = 1
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
)

select
    ente_code() as ente,
    rows.row_id,
    rows.delivery,
    rows.line,
    rows.esercizio,
    rows.numero_mandato,
    rows.data_mandato,
    coalesce(rows.progressivo_beneficiario, 1) as scope,
    (rows.importo_beneficiario * 100)::bigint as beneficiary_cents,
    (rows.importo * 100)::bigint as cents,
    rows.beneficiario,
    coalesce(rows.piva_beneficiario, rows.cf_beneficiario) as cf_beneficiario,
    rows.tipo_debito,
    rows.lotto_sdi,
    rows.numero_fattura,
    rows.anno_emissione,
    rows.cf_emittente,
    rows.cig,
    coalesce(rows.esercizio_sostituito, rows.esercizio) as esercizio_sostituito,
    rows.mandato_sostituito,
    exists (
        select 1
        from cancelled
        where cancelled.esercizio = rows.esercizio
          and cancelled.numero_mandato = rows.numero_mandato
          and coalesce(cancelled.progressivo_beneficiario = coalesce(rows.progressivo_beneficiario, 1), true)
    ) as cancelled
from feed_erp_opi as rows
semi join standing using (esercizio, numero_mandato, tipo_operazione, sequence)
where rows.riga = 'ORDINE'
