-- materialized: step
-- One row per anomaly code whose remedy the ente's models of PCC say otherwise than the catalogue (rule_anomalies), or that
-- has none in them.
-- Key: code. The catalogue is in Modello 003's words: there only those without a remedy (nessuna).
select ente_code() as ente, code, remedy, asks, silent
from rule_area_rgs_remedies
where pcc_models() <> '003'
union all
select ente_code(), code, remedy, asks, true
from rule_anomalies
where pcc_models() = '003' and starts_with(remedy, 'nessuna')
