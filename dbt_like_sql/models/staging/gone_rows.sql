-- One row per row that stands and that a later whole delivery, or one that looks whole, does not have in its span.
-- Key: kind, row_id. GONE: out of the figures. ASKED: in them until a person answers. KEPT: a person said it stays. What is
-- `open` was not answered: no operation follows on its document.
with standing as (
    select delivered.*
    from delivered_rows as delivered
    join deliveries as own on own.sequence = delivered.sequence and own.kind = delivered.kind
    anti join corrected_rows as corrected on corrected.kind = delivered.kind and corrected.row_id = delivered.row_id
),

-- Whole files received at once that share no row are parts of one: none of them says that the others' rows are gone.
at_once as (
    select kind, received_at from whole_deliveries group by kind, received_at having count(*) > 1
),

part_keys as (
    select distinct delivered.kind, delivered.sequence, delivered.key, whole.received_at
    from delivered_rows as delivered
    join whole_deliveries as whole on whole.kind = delivered.kind and whole.sequence = delivered.sequence
    semi join at_once on at_once.kind = whole.kind and at_once.received_at = whole.received_at
),

shared as (
    select distinct part.kind, part.sequence, other.sequence as other
    from part_keys as part
    join part_keys as other on other.kind = part.kind and other.key = part.key and other.received_at = part.received_at
),

lacking as (
    select
        standing.kind,
        standing.row_id,
        standing.document,
        standing.order_number,
        standing.day,
        standing.amount,
        bool_or(whole.certain) as certain,
        min(whole.sequence) as sequence,
        arg_min(whole.delivery, whole.sequence) as delivery,
        arg_min(whole.file, whole.sequence) as file,
        min(whole.received_at) as received_at
    from standing
    join whole_deliveries as whole
        on whole.kind = standing.kind
        and whole.sequence > standing.sequence
        and standing.day between whole.span_from and whole.span_to
    left join whole_deliveries as own on own.kind = standing.kind and own.sequence = standing.sequence
    left join shared on shared.kind = standing.kind and shared.sequence = standing.sequence and shared.other = whole.sequence
    where own.received_at is null or own.received_at <> whole.received_at or shared.other is not null
    group by standing.kind, standing.row_id, standing.document, standing.order_number, standing.day, standing.amount
),

-- PCC's document that is gone holds the one of the accounting system that was its pair by id, lot, or number, day and total.
gone_on_pcc as (
    select pcc.row_id, pcc.progressivo_registrazione, pcc.lotto_sdi, pcc.data_emissione, pcc.importo_totale,
        normalised_number(pcc.numero_documento, pcc.data_emissione) as number_key
    from feed_pcc_invoices as pcc
    semi join (select row_id from lacking where kind = 'pcc_invoices') as lost on lost.row_id = pcc.row_id
),

counterparts as (
    select gone_on_pcc.row_id, min(erp.id_documento) as id_documento
    from gone_on_pcc
    join feed_erp_invoices as erp
        on erp.id_pcc = gone_on_pcc.progressivo_registrazione
        or erp.lotto_sdi = gone_on_pcc.lotto_sdi
        or erp.data_emissione = gone_on_pcc.data_emissione and erp.importo_totale = gone_on_pcc.importo_totale
            and normalised_number(erp.numero, erp.data_emissione) = gone_on_pcc.number_key
    group by gone_on_pcc.row_id
),

facts as (
    select 'erp_invoices' as kind, row_id, numero, tax_id(piva_fornitore) as vat, tax_id(cf_fornitore) as code,
        denominazione_fornitore as name
    from feed_erp_invoices
    union all
    select 'pcc_invoices', row_id, numero_documento, tax_id(id_fiscale_iva), tax_id(cf_fornitore), denominazione_fornitore
    from feed_pcc_invoices
),

told as (
    select
        lacking.*,
        if(lacking.kind in ('erp_invoices', 'erp_payments'), lacking.document, counterparts.id_documento) as id_documento,
        if(lacking.kind in ('pcc_invoices', 'pcc_operations'), lacking.document, null) as progressivo_registrazione,
        facts.numero,
        coalesce(facts.vat, facts.code) as creditor,
        facts.name as creditor_name
    from lacking
    left join counterparts on counterparts.row_id = lacking.row_id and lacking.kind = 'pcc_invoices'
    left join facts on facts.kind = lacking.kind and facts.row_id = lacking.row_id
),

-- The latest word about the document since it was first not there.
answered as (
    select told.kind, told.row_id, arg_max(rule_answers.effect, answers.decision) as effect
    from told
    join decided_answers as answers
        on (answers.id_documento = told.id_documento or answers.progressivo_registrazione = told.progressivo_registrazione)
        and answers.decided_at >= told.received_at
    join rule_answers
        on rule_answers.answer = answers.answer
        and rule_answers.only_for = answers.code
        and rule_answers.effect in ('gone', 'stays')
    group by told.kind, told.row_id
)

select
    ente_code() as ente,
    told.kind,
    told.row_id,
    told.id_documento,
    told.progressivo_registrazione,
    told.order_number,
    told.day,
    told.amount,
    told.numero,
    told.creditor,
    told.creditor_name,
    told.delivery as lacking_delivery,
    told.sequence as lacking_sequence,
    told.file as lacking_file,
    told.certain,
    case answered.effect when 'gone' then 'GONE' when 'stays' then 'KEPT' else if(told.certain, 'GONE', 'ASKED') end as state,
    answered.effect is null as open
from told
left join answered on answered.kind = told.kind and answered.row_id = told.row_id
