-- One row per special case: whose documents it concerns, which of them, and to whom they pass.
-- Key: case_row. A case that is not yet in force is here too: who asks says on which day.
select
    ente_code() as ente,
    cases.row_id as case_row,
    supplier.creditor as original_creditor,
    cases.numero,
    cases.data_emissione as issue_date,
    cases.decorrenza as in_force_from,
    effects.effect,
    successor.creditor as next_creditor,
    cases.nuovo_creditore_denominazione as next_name,
    cases.caso
from stg_special_cases as cases
join rule_special_case_effects as effects using (caso)
join subjects as supplier
    on supplier.piva is not distinct from cases.piva_fornitore
    and supplier.cf is not distinct from cases.cf_fornitore
left join subjects as successor
    on successor.piva is not distinct from cases.nuovo_creditore_piva
    and successor.cf is not distinct from cases.nuovo_creditore_cf
