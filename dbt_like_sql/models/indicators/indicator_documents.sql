-- One row per indicator, period, view and rank: the parts that weigh most in the figure, greatest first.
-- Key: name, period, view, rank. At most drilldown_documents() a figure.
with parts as (
    select name, period, view, unnest(greatest_parts) as part, generate_subscripts(greatest_parts, 1) as rank, numerator, denominator
    from indicator_figures
),

named as (
    select id_documento, progressivo_registrazione, numero, original_creditor, original_creditor_name, creditor, creditor_name
    from documents
    semi join parts
        on parts.part.id_documento is not distinct from documents.id_documento
        and parts.part.progressivo_registrazione is not distinct from documents.progressivo_registrazione
)

select
    ente_code() as ente,
    parts.name,
    parts.period,
    parts.view,
    parts.rank,
    parts.part.id_documento as id_documento,
    parts.part.progressivo_registrazione as progressivo_registrazione,
    named.numero,
    -- Each view has a creditor of its own (debt_positions).
    if(parts.view = 'right', named.creditor, named.original_creditor) as creditor,
    if(parts.view = 'right', named.creditor_name, coalesce(named.original_creditor_name, named.creditor_name)) as creditor_name,
    parts.part.amount as amount,
    parts.part.from_day as from_day,
    parts.part.to_day as to_day,
    parts.part.paid_on is null as unpaid,
    parts.part.suspended_days as suspended_days,
    parts.part.days as days,
    -- Days of the mean that this part makes; euro where the figure is euro.
    if(
        parts.denominator is null,
        euro(if(parts.part.amount < 0, -parts.part.weight, parts.part.weight)),
        mean_days(cents(parts.part.amount)::hugeint * parts.part.days, parts.denominator)
    ) as contribution
from parts
join named
    on named.id_documento is not distinct from parts.part.id_documento
    and named.progressivo_registrazione is not distinct from parts.part.progressivo_registrazione
