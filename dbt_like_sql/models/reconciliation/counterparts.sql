-- One row per unpaired document that may be another of the other side (probable_pairs): which ones, in words.
-- Key: erp_row, pcc_row (one of the two).
select
    ente_code() as ente,
    pairs.erp_row,
    pairs.pcc_row,
    bool_or(pairs.probable) as probable,
    if(
        pairs.pcc_row is null,
        string_agg('PCC ' || pcc.progressivo_registrazione || ', n. ' || pcc.numero || ' di ' || italian_money(pcc.total) || ' euro', '; '
            order by pcc.progressivo_registrazione),
        string_agg('gestionale ' || erp.id_documento || ', n. ' || erp.numero || ' di ' || italian_money(erp.total) || ' euro', '; '
            order by erp.id_documento)
    ) as counterpart
from probable_pairs as pairs
join erp_documents as erp on erp.row_id = pairs.erp_row
join pcc_documents as pcc on pcc.row_id = pairs.pcc_row
group by grouping sets ((pairs.erp_row), (pairs.pcc_row))
