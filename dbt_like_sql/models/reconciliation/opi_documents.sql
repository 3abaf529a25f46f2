-- One row per invoice block of a payment order that names an invoice which some document of the accounting system may be.
-- Key: block_row_id. By lot and number; else by what PCC and SDI know of the lot; else by supplier, number and year; else the
-- one document of its lot that has the block's amount and of whose number the order writes a part (misnamed).
with named as (
    select
        block_row_id,
        esercizio,
        lotto_sdi,
        numero_fattura,
        anno_emissione,
        tax_id(coalesce(cf_emittente, cf_beneficiario)) as supplier,
        if(credit, -1, 1) as sign,
        max(abs(cents)) as cents
    from opi_allotted
    where numero_fattura is not null and coalesce(tipo_debito, 'COMMERCIALE') = 'COMMERCIALE'
    group by block_row_id, esercizio, lotto_sdi, numero_fattura, anno_emissione, supplier, sign
),

suppliers as (
    select
        named.block_row_id,
        named.esercizio,
        named.lotto_sdi,
        named.numero_fattura,
        named.anno_emissione,
        named.sign,
        named.cents,
        identifiers.creditor
    from named
    left join identifiers on identifiers.identifier = named.supplier
),

-- Who issued what a lot holds, as PCC and SDI know it: the accounting system may not keep the lot.
lot_identities as (
    select
        named.block_row_id,
        subjects.creditor,
        normalised_number(pcc.numero_documento, pcc.data_emissione) as number_key,
        year(pcc.data_emissione) as issue_year,
        pcc.progressivo_registrazione
    from named
    join stg_pcc_invoices as pcc on pcc.lotto_sdi = named.lotto_sdi
    left join subjects on subjects.piva is not distinct from pcc.id_fiscale_iva and subjects.cf is not distinct from pcc.cf_fornitore
    where normalised_number(pcc.numero_documento, pcc.data_emissione) = normalised_number(named.numero_fattura, pcc.data_emissione)
    union all
    select named.block_row_id, sdi.creditor, sdi.number_key, year(sdi.issue_date), null
    from named
    join sdi_invoice_states as sdi on sdi.sdi_id = named.lotto_sdi
    where sdi.number_key = normalised_number(named.numero_fattura, sdi.issue_date)
),

-- Nothing is read where no order names an invoice.
erp as (
    select
        id_documento, lotto_sdi, id_pcc, piva_fornitore, cf_fornitore, numero, data_emissione, tipo_documento,
        importo_totale, imponibile, iva
    from stg_erp_invoices
    where (select count(*) > 0 from named)
),

-- Only the documents of those lots and suppliers are read further.
documents as materialized (
    select
        erp.id_documento,
        erp.lotto_sdi,
        erp.id_pcc,
        subjects.creditor,
        normalised_number(erp.numero, erp.data_emissione) as number_key,
        erp.data_emissione as issue_date,
        year(erp.data_emissione) as issue_year,
        document_sign(types.sign, erp.importo_totale) as sign,
        abs(erp.importo_totale) as total,
        abs(erp.importo_totale - coalesce(erp.iva, erp.importo_totale - erp.imponibile, 0)) as taxable
    from erp
    left join subjects on subjects.piva is not distinct from erp.piva_fornitore and subjects.cf is not distinct from erp.cf_fornitore
    join rule_document_types as types on types.code = erp.tipo_documento
    where erp.lotto_sdi in (select lotto_sdi from named)
       or erp.id_pcc in (select progressivo_registrazione from lot_identities)
       or subjects.creditor in (select creditor from suppliers union all select creditor from lot_identities)
),

-- An electronic invoice's block tells no year: it is one of the last five.
dated as (
    select
        suppliers.*,
        unnest(if(anno_emissione is null, range(esercizio, esercizio - 6, -1), [anno_emissione])) as issue_year
    from suppliers
),

candidates as (
    select suppliers.block_row_id, documents.id_documento, documents.sign, 1 as ordinal
    from suppliers
    join documents on documents.lotto_sdi = suppliers.lotto_sdi and documents.sign = suppliers.sign
    where documents.number_key = normalised_number(suppliers.numero_fattura, documents.issue_date)
    union
    select lot_identities.block_row_id, documents.id_documento, documents.sign, 2
    from lot_identities
    join documents on documents.id_pcc = lot_identities.progressivo_registrazione
    union
    select lot_identities.block_row_id, documents.id_documento, documents.sign, 2
    from lot_identities
    join suppliers using (block_row_id)
    join documents
        on documents.creditor = lot_identities.creditor
        and documents.number_key = lot_identities.number_key
        and documents.issue_year = lot_identities.issue_year
        and documents.sign = suppliers.sign
    where coalesce(documents.lotto_sdi = suppliers.lotto_sdi, true)
    union
    select dated.block_row_id, documents.id_documento, documents.sign, 3
    from dated
    join documents
        on documents.creditor = dated.creditor
        and documents.issue_year = dated.issue_year
        and documents.sign = dated.sign
        and documents.number_key = normalised_number(dated.numero_fattura, make_date(dated.issue_year, 1, 1))
    where coalesce(documents.lotto_sdi = dated.lotto_sdi, true)
    union
    select suppliers.block_row_id, documents.id_documento, documents.sign, 4
    from suppliers
    join documents on documents.lotto_sdi = suppliers.lotto_sdi and documents.sign = suppliers.sign
    cross join lateral (select '-' || normalised_number(suppliers.numero_fattura, documents.issue_date) || '-' as written) as short
    where suppliers.cents in (documents.total * 100, documents.taxable * 100)
      and (contains('-' || documents.number_key || '-', short.written) or contains(short.written, '-' || documents.number_key || '-'))
),

best as (
    select block_row_id, min(ordinal) as ordinal from candidates group by block_row_id
)

select
    ente_code() as ente,
    block_row_id,
    count(distinct candidates.id_documento) as documents,
    if(count(distinct candidates.id_documento) = 1, min(candidates.id_documento), null) as id_documento,
    if(count(distinct candidates.id_documento) = 1, min(candidates.sign), null) as sign,
    count(distinct candidates.id_documento) = 1 and min(candidates.ordinal) = 4 as misnamed
from candidates
semi join best using (block_row_id, ordinal)
group by block_row_id
