-- materialized: view
-- One row per body of a FatturaPA file that stands. A name that SDI gave is a file's identity: the bodies of its latest
-- delivery stand. Under any other name only the same body (supplier, number, date) delivered again takes a place.
-- Key: file, line. Where two files of one such name stand, the earlier one is called by its delivery too.
with redelivered as (
    select file, max(sequence) as latest
    from feed_sdi_invoices
    group by file
    having min(sequence) < max(sequence)
),

bodies as (
    select
        arrivals.row_id,
        arrivals.file,
        arrivals.sequence,
        sdi_file_name(arrivals.file) as named_by_sdi,
        max(arrivals.sequence) over (
            partition by arrivals.file, coalesce(tax_id(arrivals.id_fiscale_iva), tax_id(arrivals.cf_fornitore)),
                arrivals.numero, arrivals.data_emissione
        ) as latest
    from feed_sdi_invoices as arrivals
    semi join redelivered on redelivered.file = arrivals.file
),

replaced as (
    select bodies.row_id
    from bodies
    join redelivered on redelivered.file = bodies.file
    where bodies.sequence < if(bodies.named_by_sdi, redelivered.latest, bodies.latest)
)

select
    arrivals.* exclude (sequence, received_at)
        replace (if(arrivals.sequence < redelivered.latest, arrivals.file || ' (' || arrivals.delivery || ')', arrivals.file) as file)
from feed_sdi_invoices as arrivals
left join redelivered on redelivered.file = arrivals.file
anti join replaced on replaced.row_id = arrivals.row_id
