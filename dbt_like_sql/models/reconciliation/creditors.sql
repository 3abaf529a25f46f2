-- One row per special case in force at the reference date, chains of creditors followed to their end.
-- Key: none (two cases may say the same). A later case of the same supplier, document and effect takes the place of the
-- earlier one, but for ALSO_BENEFICIARY: several may be paid.
with cases as (
    select
        stg_special_cases.row_id,
        supplier.creditor as original_creditor,
        stg_special_cases.numero,
        stg_special_cases.data_emissione as issue_date,
        stg_special_cases.decorrenza as in_force_from,
        stg_special_cases.caso,
        rule_special_case_effects.effect,
        successor.creditor as next_creditor,
        stg_special_cases.nuovo_creditore_denominazione as next_name
    from stg_special_cases
    join rule_special_case_effects using (caso)
    join subjects as supplier
        on supplier.piva is not distinct from stg_special_cases.piva_fornitore
        and supplier.cf is not distinct from stg_special_cases.cf_fornitore
    left join subjects as successor
        on successor.piva is not distinct from stg_special_cases.nuovo_creditore_piva
        and successor.cf is not distinct from stg_special_cases.nuovo_creditore_cf
    where stg_special_cases.decorrenza <= reference_date()
),

standing as (
    select *
    from cases
    qualify effect not in ('NEW_CREDITOR', 'EXCLUDED', 'NON_COMMERCIAL') or row_number() over (
        partition by original_creditor, numero, issue_date, effect
        order by in_force_from desc, row_id desc
    ) = 1
),

chains as (
    with recursive followed(row_id, creditor, creditor_name, seen, loop) as (
        select row_id, next_creditor, next_name, [original_creditor, next_creditor], next_creditor = original_creditor
        from standing
        where effect = 'NEW_CREDITOR' and next_creditor is not null
        union all
        select
            followed.row_id,
            step.next_creditor,
            step.next_name,
            list_append(followed.seen, step.next_creditor),
            list_contains(followed.seen, step.next_creditor)
        from followed
        join standing as step
            on step.original_creditor = followed.creditor
            and step.effect = 'NEW_CREDITOR'
            and step.numero is null
            and step.next_creditor is not null
        where not followed.loop
    )
    select row_id, arg_max(followed, len(seen)) as last
    from followed
    group by row_id
)

select
    ente_code() as ente,
    standing.original_creditor,
    standing.numero,
    standing.issue_date,
    standing.in_force_from,
    standing.effect,
    case
        when standing.effect = 'ALSO_BENEFICIARY' then standing.next_creditor
        when chains.last.loop then standing.original_creditor
        else chains.last.creditor
    end as creditor,
    case when standing.effect = 'ALSO_BENEFICIARY' then standing.next_name when not chains.last.loop then chains.last.creditor_name end as creditor_name,
    coalesce(chains.last.loop, false) as loop,
    standing.caso
from standing
left join chains using (row_id)
