-- One row per document of which later deliveries lack something on which money depends, until a person answers (gone_rows).
-- Key: id_documento, progressivo_registrazione. Under the accounting system's key where it is known.
select
    ente_code() as ente,
    id_documento,
    max(progressivo_registrazione) as progressivo_registrazione,
    string_agg(
        case kind
            when 'erp_invoices' then 'il documento nel gestionale'
            when 'pcc_invoices' then 'il documento su PCC'
            when 'erp_payments' then 'il pagamento con mandato ' || order_number
            else 'su PCC il movimento' || coalesce(' del mandato ' || order_number, '')
        end || ' del ' || italian_date(day) || ' di ' || italian_money(amount) || ' euro',
        ', ' order by kind, day, order_number, row_id
    ) as words,
    -- Then it stands on that side no more.
    bool_or(kind in ('erp_invoices', 'pcc_invoices') and state = 'GONE') as wholly,
    arg_min(numero, row_id) as numero,
    arg_min(day, row_id) filter (kind in ('erp_invoices', 'pcc_invoices')) as issue_date,
    arg_min(creditor, row_id) as creditor,
    arg_min(creditor_name, row_id) as creditor_name
from gone_rows
where open and amount <> 0
group by id_documento, if(id_documento is null, progressivo_registrazione, null)
