-- One row per document that bears an anomaly: what a line or row for PCC says of it, in whatever language, in PCC's words
-- where PCC has it, else in the accounting system's (docs/formats.md#out). Key: id_documento, progressivo_registrazione.
select
    ente_code() as ente,
    remedies.id_documento,
    remedies.progressivo_registrazione,
    remedies.original_creditor,
    pcc.cf_amministrazione,
    coalesce(pcc.codice_ufficio, erp.codice_ufficio) as codice_ufficio,
    coalesce(pcc.cf_fornitore, erp.cf_fornitore, remedies.original_creditor) as cf_fornitore,
    fiscal_identity(coalesce(pcc.id_fiscale_iva, erp.piva_fornitore, erp.cf_fornitore, pcc.cf_fornitore)) as id_fiscale_iva,
    coalesce(pcc.denominazione_fornitore, erp.denominazione_fornitore) as denominazione_fornitore,
    coalesce(pcc.numero_documento, erp.numero) as numero_documento,
    coalesce(pcc.data_emissione, erp.data_emissione) as data_emissione,
    coalesce(pcc.importo_totale, erp.importo_totale) as importo_totale,
    coalesce(pcc.importo_imponibile, erp.imponibile) as importo_imponibile,
    coalesce(pcc.totale_imposta, erp.iva) as totale_imposta,
    coalesce(pcc.tipo_documento, erp.tipo_documento) as tipo_documento,
    pcc.lotto_sdi as lotto,
    coalesce(erp.protocollo, pcc.numero_protocollo) as protocollo,
    pcc.data_ricezione as received_on_pcc,
    erp.data_ricezione as received_by_erp,
    coalesce(erp.data_emissione, pcc.data_emissione) as issued,
    coalesce(erp.natura_spesa, 'CO') as natura_spesa,
    coalesce(erp.cig, 'NA') as cig,
    coalesce(erp.cup, 'NA') as cup
from remedies
left join stg_erp_invoices as erp on erp.id_documento = remedies.id_documento
left join stg_pcc_invoices as pcc on pcc.progressivo_registrazione = remedies.progressivo_registrazione
