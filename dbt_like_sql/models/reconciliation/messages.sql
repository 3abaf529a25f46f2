-- One row per message of SDI, with the invoice it is about and whether its outcome holds.
-- Key: row_id. Invoices and messages may come in any order: the link is made anew at each run.
with said as (
    select
        row_id,
        file,
        tipo,
        identificativo_sdi as sdi_id,
        coalesce(data_consegna, data_ricezione) as data_ricezione,
        esito,
        numero_fattura,
        posizione,
        coalesce(descrizione, scarto) as descrizione,
        errori,
        message_id_committente,
        file_stem(nome_file) as file_named,
        message_stem(file) as message_named
    from stg_sdi_messages
    where coalesce(coalesce(data_consegna, data_ricezione) <= observed_at(), true)
),

-- Several deliveries of one invoice (signed and plain, say) are one file here.
invoice_files as (
    select file_stem(file) as stem, max_by(file, row_id) as file
    from stg_sdi_invoices
    group by all
),

-- The file that some message names for a lot: others on the same lot need not name it.
lots as (
    select sdi_id, min(file_named) as stem
    from said
    where file_named is not null
    group by sdi_id
    having count(distinct file_named) = 1
),

documents_of_lots as (
    select lotto_sdi as sdi_id from stg_erp_invoices semi join said on said.sdi_id = lotto_sdi
    union
    select lotto_sdi from stg_pcc_invoices semi join said on said.sdi_id = lotto_sdi
),

linked as (
    select
        said.*,
        coalesce(by_file.file, by_message.file, by_lot.file) as invoice_file,
        case
            when by_file.file is not null then 'FILE_NAME'
            when by_message.file is not null then 'MESSAGE_NAME'
            when by_lot.file is not null then 'SDI_ID'
            when documents_of_lots.sdi_id is not null then 'LOT'
            else 'NONE'
        end as link,
        lots.stem as lot_stem
    from said
    left join lots using (sdi_id)
    left join invoice_files as by_file on by_file.stem = said.file_named
    -- A message that names a file is about that one alone.
    left join invoice_files as by_message on by_message.stem = said.message_named and said.file_named is null
    left join invoice_files as by_lot on by_lot.stem = lots.stem and said.file_named is null
    left join documents_of_lots on documents_of_lots.sdi_id = said.sdi_id
),

-- SDI discards an outcome (SE), and takes none once the terms have run out (DT).
void as (
    select distinct outcomes.row_id
    from said as outcomes
    join said as others
        on others.sdi_id = outcomes.sdi_id
    where outcomes.esito is not null
      and (
          (
              outcomes.tipo = 'EC'
              and others.tipo = 'SE'
              and coalesce(others.message_id_committente = outcomes.message_id_committente, true)
          )
          or (
              others.tipo = 'DT'
              and coalesce(others.numero_fattura = outcomes.numero_fattura, true)
          )
      )
)

select
    ente_code() as ente,
    linked.row_id,
    linked.file,
    linked.tipo,
    linked.sdi_id,
    linked.data_ricezione,
    linked.esito,
    linked.numero_fattura,
    linked.posizione,
    linked.descrizione,
    linked.errori,
    void.row_id is null as holds,
    linked.link,
    linked.invoice_file,
    case linked.link
        when 'LOT' then 'La fattura ' || coalesce(linked.file_named, linked.message_named, linked.lot_stem, '(nome ignoto)')
            || ' non è stata consegnata: il lotto ' || linked.sdi_id || ' è di un documento del gestionale o della PCC'
        when 'NONE' then 'Nessuna fattura consegnata si chiama '
            || coalesce(linked.file_named, linked.message_named, linked.lot_stem, '(il messaggio non indica un file)')
            || ', nessun documento ha il lotto SDI ' || linked.sdi_id
    end as reason
from linked
left join void using (row_id)
