-- One row per body of a FatturaPA file: its identity, its lot and what SDI's messages say became of it.
-- Key: file, line.
with bodies as (
    select
        invoices.row_id,
        invoices.file,
        file_stem(invoices.file) as stem,
        invoices.line,
        coalesce(subjects.creditor, 'NON_INDICATO') as creditor,
        normalised_number(invoices.numero, invoices.data_emissione) as number_key,
        invoices.data_emissione as issue_date,
        document_sign(types.sign, invoices.importo_totale) as sign
    from stg_sdi_invoices as invoices
    left join subjects
        on subjects.piva is not distinct from invoices.id_fiscale_iva
        and subjects.cf is not distinct from invoices.cf_fornitore
    join rule_document_types as types on types.code = invoices.tipo_documento
),

about as (
    select *, file_stem(invoice_file) as stem
    from messages
    where invoice_file is not null
),

-- A name may be used again after a discard: the lot is the one that was not discarded, the latest of several.
lots as (
    select stem, sdi_id
    from about
    group by stem, sdi_id
    qualify row_number() over (partition by stem order by bool_or(tipo = 'NS'), max(row_id) desc) = 1
),

-- An outcome names one document of the lot, or concerns them all.
told as (
    select
        bodies.file,
        bodies.line,
        bool_or(about.tipo = 'NS') as discarded,
        bool_or(about.tipo = 'DT') as expired,
        bool_or(about.holds and about.esito = 'EC02') as refused,
        bool_or(about.holds and about.esito = 'EC01') as accepted,
        bool_or(about.tipo = 'RC') as delivered,
        bool_or(about.tipo = 'AT') as attested,
        bool_or(about.tipo = 'MC') as undelivered,
        max(about.data_ricezione) filter (about.tipo = 'NS') as discarded_on,
        max(about.data_ricezione) filter (about.tipo = 'DT') as expired_on,
        max(about.data_ricezione) filter (about.holds and about.esito is not null) as outcome_on,
        max(about.data_ricezione) filter (about.tipo = 'RC') as delivered_on,
        max(about.data_ricezione) filter (about.tipo in ('AT', 'MC')) as tried_on
    from bodies
    join lots using (stem)
    join about on about.stem = bodies.stem and about.sdi_id = lots.sdi_id
    where case
        when about.numero_fattura is not null then normalised_number(about.numero_fattura, bodies.issue_date) = bodies.number_key
        when about.posizione is not null then about.posizione = bodies.line
        else true
    end
    group by bodies.file, bodies.line
)

select
    ente_code() as ente,
    bodies.row_id,
    bodies.file,
    bodies.line,
    bodies.creditor,
    bodies.number_key,
    bodies.issue_date,
    bodies.sign,
    lots.sdi_id,
    case
        when told.discarded then 'SCARTATA'
        when told.expired then 'DECORRENZA_TERMINI'
        when told.refused and told.accepted then 'DISCORDANTE'
        when told.refused then 'RIFIUTATA'
        when told.accepted then 'ACCETTATA'
        when told.delivered then 'CONSEGNATA'
        when told.attested then 'ATTESTATA'
        when told.undelivered then 'NON_CONSEGNATA'
        when lots.sdi_id is not null then 'IDENTIFICATA'
    end as sdi_state,
    case
        when told.discarded then told.discarded_on
        when told.expired then told.expired_on
        when told.refused or told.accepted then told.outcome_on
        when told.delivered then told.delivered_on
        when told.attested or told.undelivered then told.tried_on
    end as sdi_state_date
from bodies
left join lots using (stem)
left join told using (file, line)
