-- One row per delivered payment that is no payment of its document's commercial amount (docs/rules.md#rule-1).
-- Key: row_id. REPEATED: the same row again in one file, counted once until a person answers. TREASURY_VAT: the VAT of
-- split payment, paid to the treasury. WITHHOLDING: paid to the tax authority beside a document that is paid in full.
with hashed as (
    select
        *,
        hash(id_documento, numero_mandato, data_mandato, data_pagamento, importo, cf_beneficiario, delivery) as content
    from stg_erp_payments
    where not coalesce(storno, false)
),

-- Only those that share a hash with another are compared.
same_rows as (
    select row_id, id_documento, numero_mandato
    from hashed
    where content in (select content from hashed group by content having count(*) > 1)
    qualify row_number() over (
        partition by id_documento, numero_mandato, data_mandato, data_pagamento, importo, cf_beneficiario, delivery order by row_id
    ) > 1
),

-- A person said that the equal payments are several.
answered as (
    select answers.id_documento
    from decided_answers as answers
    join rule_answers on rule_answers.answer = answers.answer and rule_answers.only_for = answers.code
    where rule_answers.effect = 'counts'
),

-- An order that was reversed may pay the same again.
repeated as (
    select row_id, id_documento
    from same_rows
    anti join (select id_documento, numero_mandato from stg_erp_payments where storno) as reversed
        using (id_documento, numero_mandato)
    anti join answered using (id_documento)
),

authorities as (
    select code as written from rule_tax_authorities where not seizes
    union all
    select 'IT' || code from rule_tax_authorities where not seizes
),

to_authority as materialized (
    select row_id, id_documento
    from delivered_payments
    semi join authorities on authorities.written = delivered_payments.cf_beneficiario
    where not coalesce(storno, false)
),

amounts as (
    select
        id_documento,
        coalesce(split_payment, false) as split,
        abs(importo_totale) as total,
        if(split_payment, abs(coalesce(iva, importo_totale - imponibile, 0)), 0) as vat
    from stg_erp_invoices
),

-- Of split payment only where some payment is just the VAT.
concerned as materialized (
    select amounts.id_documento, amounts.split, amounts.total, amounts.vat
    from amounts
    where amounts.id_documento in (select id_documento from to_authority)
       or amounts.split and amounts.vat > 0 and amounts.total > amounts.vat
           and (amounts.id_documento, amounts.vat) in (select (id_documento, importo) from delivered_payments)
),

paid as materialized (
    select
        payments.row_id,
        payments.id_documento,
        concerned.split,
        concerned.total,
        concerned.vat,
        coalesce(payments.storno, false) as storno,
        payments.importo,
        to_authority.row_id is not null as to_authority,
        sum(if(payments.storno, -payments.importo, payments.importo)) over document as paid_in_all,
        sum(case when payments.storno then -payments.importo when to_authority.row_id is null then payments.importo else 0 end)
            over document as paid_to_others,
        row_number() over (partition by payments.id_documento, payments.importo = concerned.vat order by payments.row_id desc) as place
    from delivered_payments as payments
    join concerned on concerned.id_documento = payments.id_documento
    left join to_authority on to_authority.row_id = payments.row_id
    anti join repeated on repeated.row_id = payments.row_id
    window document as (partition by payments.id_documento)
)

select ente_code() as ente, row_id, id_documento, 'REPEATED' as reason
from repeated
union all
select
    ente_code(),
    row_id,
    id_documento,
    if(split, 'TREASURY_VAT', 'WITHHOLDING')
from paid
where not storno
  and case
      when to_authority then split or paid_to_others >= total
      -- To whom the VAT was paid is not said, or said wrongly: everything together is the total, this one just the VAT.
      else split and importo = vat and place = 1 and paid_in_all = total and total > vat
  end
