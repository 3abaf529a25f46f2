-- One row per anomaly code that some document bears first: its part of PCC's stock less the right stock.
-- Key: code. A document counts once, under the first of its codes in the catalogue's order, so that the parts make the whole.
with firsts as (
    select arg_min(code, anomaly_place(code)) as code, arg_min(amount, anomaly_place(code)) as amount
    from anomalies
    group by id_documento, progressivo_registrazione
)

select
    ente_code() as ente,
    reference_date() as reference_date,
    code,
    sum(amount) as amount,
    count(*) as documents
from firsts
group by code
