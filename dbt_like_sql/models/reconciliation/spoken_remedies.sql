-- materialized: step
-- One row per anomaly code whose remedy the ente's models of PCC say otherwise than the catalogue (rule_anomalies).
-- Key: code. None for Modello 003, in whose words the catalogue is.
select ente_code() as ente, code, remedy, asks, silent
from rule_area_rgs_remedies
where pcc_models() <> '003'
