-- One row per document that the accounting system's payments name and that no extract has.
-- Key: id_documento (as the payments write it). Nothing is said of an ente whose documents have not come yet.
select
    ente_code() as ente,
    payments.id_documento,
    string_agg(
        distinct payments.numero_mandato || ' del ' || italian_date(coalesce(payments.data_mandato, payments.data_pagamento))
            || ' di ' || italian_money(payments.importo) || ' euro', ', '
        order by payments.numero_mandato || ' del ' || italian_date(coalesce(payments.data_mandato, payments.data_pagamento))
            || ' di ' || italian_money(payments.importo) || ' euro'
    ) as orders,
    min(payments.numero_mandato) as numero,
    min(coalesce(payments.data_mandato, payments.data_pagamento)) as first_on,
    min(payments.cf_beneficiario) as cf_beneficiario
from stg_erp_payments as payments
anti join stg_erp_invoices as known on known.id_documento = payments.id_documento
where (select count(*) > 0 from stg_erp_invoices)
group by payments.id_documento
