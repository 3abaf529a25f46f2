-- materialized: view
-- One row per message of SDI that stands. A name that SDI gave is a message's identity: its latest delivery stands. Under
-- any other name only the same message (type, lot, its own identifier, document) delivered again takes a place.
-- Key: row_id.
with placed as (
    select
        row_id,
        max(row_id) over (
            partition by file, if(message_stem(file) is not null, null, hash(tipo, identificativo_sdi, message_id, numero_fattura, anno_fattura))
        ) as latest
    from feed_sdi_messages
    where file in (select file from feed_sdi_messages group by file having count(*) > 1)
)

select arrivals.* exclude (sequence, received_at)
from feed_sdi_messages as arrivals
anti join (select row_id from placed where row_id < latest) as replaced using (row_id)
