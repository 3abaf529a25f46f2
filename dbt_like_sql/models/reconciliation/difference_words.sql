-- One row per document and anomaly code whose question names more than the two sides' facts: what, in words.
-- Key: code, id_documento, progressivo_registrazione.
with told as (
    select differences.code, documents.*
    from differences
    join documents
        on documents.id_documento is not distinct from differences.id_documento
        and documents.progressivo_registrazione is not distinct from differences.progressivo_registrazione
    where differences.code in ('IMPOSSIBLE_DATE', 'PAID_MORE_THAN_OWED', 'ORDER_NUMBER_DIFFERS', 'ACCOUNTS_DO_NOT_SUM', 'PAID_NOT_REPORTED',
        'PAID_TOO_MUCH_ON_PCC')
),

repeated as (
    select set_aside.id_documento, string_agg(distinct payments.numero_mandato, ', ' order by payments.numero_mandato) as orders
    from set_aside_payments as set_aside
    join delivered_payments as payments on payments.row_id = set_aside.row_id
    where set_aside.reason = 'REPEATED'
    group by set_aside.id_documento
),

-- The same payment twice on PCC, by SIOPE+ and by hand: same order and day, or same amount within a few days
-- (docs/rules.md#rule-11-siope).
doubled as (
    select
        later.progressivo_registrazione,
        string_agg(distinct italian_money(later.importo) || ' euro del ' || italian_date(later.paid_on), ', ') as payments
    from pcc_payments as later
    join pcc_payments as earlier
        on earlier.progressivo_registrazione = later.progressivo_registrazione and earlier.row_id < later.row_id
    where later.importo > 0 and earlier.importo > 0
      and (later.numero_mandato = earlier.numero_mandato and later.paid_on = earlier.paid_on
          or later.importo = earlier.importo and abs(later.paid_on - earlier.paid_on) <= threshold('siope_double_days'))
    group by later.progressivo_registrazione
),

misnamed as (
    select
        opi_documents.id_documento,
        string_agg(distinct blocks.numero_mandato || ' (fattura ' || blocks.numero_fattura || ')', ', '
            order by blocks.numero_mandato || ' (fattura ' || blocks.numero_fattura || ')') as orders
    from opi_documents
    join opi_allotted as blocks on blocks.block_row_id = opi_documents.block_row_id
    where opi_documents.misnamed
    group by opi_documents.id_documento
),

worded as (
    select
        told.code,
        told.id_documento,
        told.progressivo_registrazione,
        case told.code
            when 'IMPOSSIBLE_DATE' then concat_ws(
                ', ', erp_dates.dates, pcc_dates.dates,
                if(told.suspended_too_early, 'sospesa dal ' || italian_date(told.erp_suspended_from) || ', prima della ricezione', null)
            )
            when 'PAID_MORE_THAN_OWED' then concat_ws(
                '; ', if(told.erp_overpaid > 0, italian_money(told.erp_overpaid) || ' euro oltre l''importo dovuto', null),
                'il mandato ' || repeated.orders || ' compare più volte con la stessa data, lo stesso importo e lo stesso beneficiario'
            )
            when 'ORDER_NUMBER_DIFFERS' then misnamed.orders
            when 'ACCOUNTS_DO_NOT_SUM' then case told.accounts_fault
                when 'KINDS' then 'le tre specie di sospeso non sommano al sospeso'
                when 'PAYMENTS' then 'i movimenti di pagamento sommano a ' || italian_money(told.pcc_told_paid) || ' euro'
                when 'EMPTY' then 'lo stato è PAGATO ma i conti sono vuoti'
                else 'i conti non sommano all''importo'
            end
            when 'PAID_TOO_MUCH_ON_PCC' then doubled.payments
            when 'PAID_NOT_REPORTED' then if(told.erp_withheld > 0, italian_money(told.erp_withheld), null)
        end as words
    from told
    left join impossible_dates as erp_dates on erp_dates.id_documento = told.id_documento
    left join impossible_dates as pcc_dates on pcc_dates.progressivo_registrazione = told.progressivo_registrazione
    left join repeated on repeated.id_documento = told.id_documento
    left join doubled on doubled.progressivo_registrazione = told.progressivo_registrazione
    left join misnamed on misnamed.id_documento = told.id_documento
)

select ente_code() as ente, code, id_documento, progressivo_registrazione, words
from worded
where words <> ''
union all
select ente_code(), differences.code, differences.id_documento, differences.progressivo_registrazione, string_agg(gone.words, ', ' order by gone.words)
from differences
join gone_documents as gone
    on gone.id_documento = differences.id_documento
    or gone.id_documento is null and gone.progressivo_registrazione = differences.progressivo_registrazione
where differences.code = 'GONE_FROM_ERP'
group by differences.code, differences.id_documento, differences.progressivo_registrazione
