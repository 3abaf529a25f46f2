-- One row per message of SDI and document of one side that it is about.
-- Key: id_documento, progressivo_registrazione (the key of its own side alone), row_id. A message is about its file, and
-- about the documents of its lot; one that names a number, about that one.
with about as (
    select sdi_documents.id_documento, null as progressivo_registrazione, messages.row_id
    from sdi_documents
    join sdi_invoice_states as bodies using (file, line)
    join messages
        on file_stem(messages.invoice_file) = file_stem(bodies.file) and messages.sdi_id = coalesce(bodies.sdi_id, messages.sdi_id)
    where case
        when messages.numero_fattura is not null then normalised_number(messages.numero_fattura, bodies.issue_date) = bodies.number_key
        when messages.posizione is not null then messages.posizione = bodies.line
        else true
    end
    union
    select erp_documents.id_documento, null, messages.row_id
    from erp_documents
    join messages on messages.sdi_id = erp_documents.lotto_sdi
    where case
        when messages.numero_fattura is not null
            then normalised_number(messages.numero_fattura, erp_documents.issue_date) = erp_documents.number_key
        else messages.posizione is null
    end
    union
    select null, pcc_documents.progressivo_registrazione, messages.row_id
    from pcc_documents
    join messages on messages.sdi_id = pcc_documents.lotto_sdi
    where case
        when messages.numero_fattura is not null
            then normalised_number(messages.numero_fattura, pcc_documents.issue_date) = pcc_documents.number_key
        else messages.posizione is null
    end
)

select ente_code() as ente, id_documento, progressivo_registrazione, row_id
from about
