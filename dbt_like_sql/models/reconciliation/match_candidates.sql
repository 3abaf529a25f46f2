-- One row per document that several others could be (see pairs): which ones, in words.
-- Key: id_documento, progressivo_registrazione (one of the two: its own).
with contested as (
    select distinct erp_documents.id_documento, pcc_documents.progressivo_registrazione
    from pairs
    join erp_documents on erp_documents.row_id = pairs.erp_row
    join pcc_documents on pcc_documents.row_id = pairs.pcc_row
    where pairs.status = 'CONTESTED'
)

select
    ente_code() as ente,
    id_documento,
    cast(null as varchar) as progressivo_registrazione,
    'PCC: ' || string_agg(progressivo_registrazione, ', ' order by progressivo_registrazione) as candidates
from contested
group by id_documento
union all
select
    ente_code(),
    null,
    progressivo_registrazione,
    'gestionale: ' || string_agg(id_documento, ', ' order by id_documento)
from contested
group by progressivo_registrazione
