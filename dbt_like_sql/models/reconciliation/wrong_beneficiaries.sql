-- One row per document with payments to someone who was not its creditor that day.
-- Key: id_documento. Who a beneficiary is, its tax id tells (identifiers); how it is written may differ. Judged by the day
-- of each payment, whatever D is, and by what either side says of the creditor (docs/rules.md#rule-5).
{% from "creditor_walk.jinja" import creditor_walk %}
with recursive sides as (
    select documents.id_documento, erp.row_id as erp_row, pcc.row_id as pcc_row
    from (
        select id_documento, progressivo_registrazione
        from documents
        where id_documento is not null and not erp_rejected and (
            other_beneficiary
            or id_documento in (select id_documento from erp_identities semi join case_documents on erp_row = row_id)
            or progressivo_registrazione in (
                select progressivo_registrazione from pcc_documents semi join case_documents on pcc_row = row_id
            )
        )
    ) as documents
    join erp_identities as erp on erp.id_documento = documents.id_documento
    left join pcc_documents as pcc on pcc.progressivo_registrazione = documents.progressivo_registrazione
),

-- Named first, so that only these few payments are read by tax_id.
paid as materialized (
    select
        sides.id_documento, sides.erp_row, sides.pcc_row,
        payments.numero_mandato, payments.cf_beneficiario, payments.data_pagamento,
        coalesce(identifiers.creditor, tax_id(payments.cf_beneficiario)) as beneficiary,
        tax_id(payments.cf_beneficiario) as beneficiary_id
    from sides
    join payments on payments.id_documento = sides.id_documento
    left join identifiers on identifiers.identifier = tax_id(payments.cf_beneficiario)
    where payments.data_pagamento <= observed_at()
      and not coalesce(payments.storno, false)
      -- Not of tax_id alone: DuckDB would ask that of every payment, before the joins.
      and coalesce(identifiers.creditor, tax_id(payments.cf_beneficiario)) is not null
),

-- Each side of the document, by the name that the walk knows it under.
suppliers as (
    select sides.id_documento, struct_pack(erp_row := sides.erp_row, pcc_row := cast(null as bigint)) as document,
        erp.creditor, erp.vat, erp.code, erp.number_key, erp.issue_date
    from sides
    join erp_identities as erp on erp.row_id = sides.erp_row
    union all
    select sides.id_documento, struct_pack(erp_row := cast(null as bigint), pcc_row := sides.pcc_row),
        pcc.creditor, pcc.vat, pcc.code, pcc.number_key, pcc.issue_date
    from sides
    join pcc_documents as pcc on pcc.row_id = sides.pcc_row
),

asked as (
    select distinct suppliers.document, suppliers.creditor, suppliers.number_key, suppliers.issue_date, paid.data_pagamento as on_day
    from suppliers
    join paid on paid.id_documento = suppliers.id_documento
),

held as (
    select struct_pack(erp_row := erp_row, pcc_row := pcc_row) as document, case_row
    from case_documents
    where effect = 'NEW_CREDITOR' and not doubtful
),

{{ creditor_walk() }},

-- Who may be paid on that day: the creditor, under any id; while it is the supplier, under the ids of the document.
rightful as (
    select
        paid.id_documento, paid.data_pagamento, coalesce(walked.creditor, suppliers.creditor) as creditor,
        if(coalesce(walked.creditor, suppliers.creditor) = suppliers.creditor, [suppliers.vat, suppliers.code], []) as ids
    from (select distinct id_documento, data_pagamento from paid) as paid
    join suppliers on suppliers.id_documento = paid.id_documento
    left join walked on walked.document = suppliers.document and walked.on_day = paid.data_pagamento
),

-- Which kinds of identifier are known of a subject.
kinds as (
    select creditor, bool_or(is_person_code(identifier)) as person, bool_or(not is_person_code(identifier)) as number
    from identifiers
    group by creditor
),

-- Whom a case in doubt names is unknown, not wrong.
seizing as (
    select erp_row, pcc_row, in_force_from, next_creditor
    from case_documents
    where effect = 'ALSO_BENEFICIARY' and not doubtful
       or effect = 'NEW_CREDITOR' and doubtful and next_creditor is not null
),

seized as (
    select sides.id_documento, seizing.in_force_from, seizing.next_creditor
    from sides
    join seizing on seizing.erp_row = sides.erp_row
    union all
    select sides.id_documento, seizing.in_force_from, seizing.next_creditor
    from sides
    join seizing on seizing.pcc_row = sides.pcc_row
),

own_codes as (
    select code from ente_codes
    union
    select tax_id(code) from rule_tax_authorities
),

accepted as (
    select paid.id_documento, paid.data_pagamento, paid.beneficiary_id
    from paid
    join rightful on rightful.id_documento = paid.id_documento and rightful.data_pagamento = paid.data_pagamento
    left join kinds as payee on payee.creditor = paid.beneficiary
    left join kinds as owed on owed.creditor = rightful.creditor
    where paid.beneficiary = rightful.creditor
       or list_contains(rightful.ids, paid.beneficiary_id)
       -- A person's fiscal code against a VAT number alone is unknown, not different.
       or is_person_code(paid.beneficiary_id) and not coalesce(payee.number, false)
           and not is_person_code(rightful.creditor) and not coalesce(owed.person, false)
       or not is_person_code(paid.beneficiary_id) and not coalesce(payee.person, false)
           and is_person_code(rightful.creditor) and not coalesce(owed.number, false)
    union
    select paid.id_documento, paid.data_pagamento, paid.beneficiary_id
    from paid
    join seized on seized.id_documento = paid.id_documento and seized.in_force_from <= paid.data_pagamento
    where coalesce(seized.next_creditor = paid.beneficiary, true)
    union
    select paid.id_documento, paid.data_pagamento, paid.beneficiary_id
    from paid
    join own_codes on own_codes.code = paid.beneficiary_id
)

select
    ente_code() as ente,
    paid.id_documento,
    string_agg(distinct paid.numero_mandato || ': ' || paid.cf_beneficiario, ', ' order by paid.numero_mandato || ': ' || paid.cf_beneficiario)
        as beneficiaries
from paid
anti join accepted
    on accepted.id_documento = paid.id_documento
    and accepted.data_pagamento = paid.data_pagamento
    and accepted.beneficiary_id = paid.beneficiary_id
group by paid.id_documento
