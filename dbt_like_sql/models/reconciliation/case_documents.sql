-- One row per special case and document of either side that it fits (docs/rules.md#rule-5): does it hold for it, or is it asked?
-- Key: case_row, erp_row, pcc_row. A case whose number has no date and fits documents of several years, and one that names
-- a VAT group where the document names a member (or the other way round), are doubtful. Never for a document issued after
-- the case began where an earlier one fits.
with documents_named as (
    select row_id as erp_row, cast(null as bigint) as pcc_row, creditor, number_key, issue_date from erp_identities
    union all
    select null, row_id, creditor, number_key, issue_date from pcc_documents
),

-- The number of a VAT group and each of its members: either may stand for the other, and nobody knows.
kin as (
    select distinct creditor as one, vat_group as other from subjects where vat_group is not null and creditor <> vat_group
    union
    select distinct vat_group, creditor from subjects where vat_group is not null and creditor <> vat_group
),

whose as (
    select case_row, original_creditor as creditor, true as certain from creditors
    union all
    select creditors.case_row, kin.other, false
    from creditors
    join kin on kin.one = creditors.original_creditor
),

wanted as materialized (
    select
        whose.case_row, whose.creditor, whose.certain, creditors.numero, creditors.issue_date as wanted_date, creditors.in_force_from
    from whose
    join creditors using (case_row)
),

-- A number is normalised once for each year of issue that it may be of, not for each document.
numbered as (
    select wanted.*, years.issue_year, normalised_number(wanted.numero, make_date(years.issue_year, 1, 1)) as number_key
    from wanted
    join (select distinct year(issue_date) as issue_year from documents_named) as years
        on wanted.wanted_date is null or year(wanted.wanted_date) = years.issue_year
    where wanted.numero is not null
),

fitting as (
    select
        numbered.case_row, named.erp_row, named.pcc_row, named.creditor, named.issue_date, numbered.certain, numbered.numero,
        numbered.wanted_date, numbered.in_force_from
    from numbered
    join documents_named as named
        on named.creditor = numbered.creditor
        and named.number_key = numbered.number_key
        and year(named.issue_date) = numbered.issue_year
        and coalesce(numbered.wanted_date, named.issue_date) = named.issue_date
    union all
    select
        wanted.case_row, named.erp_row, named.pcc_row, named.creditor, named.issue_date, wanted.certain, null, wanted.wanted_date,
        wanted.in_force_from
    from wanted
    join documents_named as named on named.creditor = wanted.creditor
    where wanted.numero is null
),

-- What began before the case began is meant where there is such a document.
meant as (
    select *
    from fitting
    qualify numero is null
       or wanted_date is not null
       or issue_date <= in_force_from
       or min(issue_date) over (partition by case_row) > in_force_from
),

judged as (
    select
        *,
        count(distinct year(issue_date)) over fits as years,
        count(distinct creditor) over fits as subjects,
        bool_or(certain) over fits as named_itself
    from meant
    window fits as (partition by case_row)
)

select
    ente_code() as ente,
    judged.case_row,
    judged.erp_row,
    judged.pcc_row,
    judged.numero is not null as of_document,
    creditors.effect,
    creditors.in_force_from,
    creditors.next_creditor,
    case
        when judged.numero is null then not judged.certain
        when judged.certain then judged.years > 1
        else judged.years > 1 or judged.subjects > 1
    end as doubtful
from judged
join creditors using (case_row)
-- A document of the case's own supplier is the one meant: the group's others are not.
where judged.numero is null or judged.certain or not judged.named_itself
