-- materialized: view
-- One row per document with operations: its accounts on PCC once all of them are accepted.
-- Key: id_documento, progressivo_registrazione.
select *, step as operations
from ledger
where last
