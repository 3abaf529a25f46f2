-- One row per indicator, period, view and rank: the parts that weigh most in the figure, greatest first.
-- Key: name, period, view, rank. At most drilldown_documents() a figure.
with parts as (
    select name, period, view, unnest(greatest_parts) as part, generate_subscripts(greatest_parts, 1) as rank, numerator, denominator
    from indicator_figures
),

wanted as (
    select distinct view, part.id_documento as id_documento, part.progressivo_registrazione as progressivo_registrazione
    from parts
),

named as (
    select positions.view, positions.id_documento, positions.progressivo_registrazione, positions.numero, positions.creditor,
        positions.creditor_name
    from debt_positions as positions
    semi join wanted
        on wanted.view = positions.view
        and wanted.id_documento is not distinct from positions.id_documento
        and wanted.progressivo_registrazione is not distinct from positions.progressivo_registrazione
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
    named.creditor,
    named.creditor_name,
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
    on named.view = parts.view
    and named.id_documento is not distinct from parts.part.id_documento
    and named.progressivo_registrazione is not distinct from parts.part.progressivo_registrazione
