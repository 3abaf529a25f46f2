-- One row per pair of documents that a person or a tier found: SETTLED where unique on both sides, else CONTESTED.
-- Key: erp_row, pcc_row, tier. What a tier settles is closed to the next (rules, section 6).
-- Keys are 64-bit hashes of the tier's fields; pairs are verified on the fields themselves at the end.
-- A person's word comes first: a pair by hand is the tier manual; a split pair is none to any tier, and what shares
-- a key with it is told pair by pair (`<tier>_apart`) instead of key by key.
{% set tiers = ("pcc_id", "sdi_lot", "exact", "number_amount", "date_amount") %}
{% macro common_keys() %}
        case when lotto_sdi is not null and number_key <> '' then hash(lotto_sdi, number_key) end as sdi_lot,
        case when known then hash(creditor, number_key, issue_date, sign) end as exact,
        case when known then hash(creditor, number_key, total, sign) end as number_amount,
        case when creditor_known then hash(creditor, issue_date, total, sign) end as date_amount
{% endmacro %}
with decided as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, decisions.verdict
    from decided_match_decisions as decisions
    join erp_documents as erp on erp.id_documento = decisions.id_documento
    join pcc_documents as pcc on pcc.progressivo_registrazione = decisions.progressivo_registrazione
),

by_hand as (
    select erp_row, pcc_row from decided where verdict = 'pair'
),

split as (
    select erp_row, pcc_row from decided where verdict = 'split'
),

open_erp_1 as materialized (
    select
        row_id,
        case when id_pcc is not null then hash(id_pcc) end as pcc_id,
{{ common_keys() }}
    from (select *, creditor_known and number_key <> '' as known from erp_documents)
    anti join by_hand on by_hand.erp_row = row_id
),

open_pcc_1 as materialized (
    select
        row_id,
        hash(progressivo_registrazione) as pcc_id,
{{ common_keys() }}
    from (select *, creditor_known and number_key <> '' as known from pcc_documents)
    anti join by_hand on by_hand.pcc_row = row_id
),

-- The keys that a split pair shares, by tier.
split_keys as materialized (
    select
{% for tier in tiers %}
        if(erp.{{ tier }} = pcc.{{ tier }}, erp.{{ tier }}, null) as {{ tier }}{{ "," if not loop.last }}
{% endfor %}
    from split
    join open_erp_1 as erp on erp.row_id = split.erp_row
    join open_pcc_1 as pcc on pcc.row_id = split.pcc_row
),

{% for tier in tiers %}
{% set place = loop.index %}
{% if not loop.first %}
-- Tier {{ place }}: {{ tier }}, over what {{ loop.previtem }} left open.
{% for side in ("erp", "pcc") %}
open_{{ side }}_{{ place }} as materialized (
    select * from open_{{ side }}_{{ place - 1 }}
    anti join (select {{ side }}_row as row_id from {{ tiers[place - 2] }}_settled) using (row_id)
),

{% endfor %}
{% endif %}
{{ tier }}_found as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, erp.key, erp.documents = 1 and pcc.documents = 1 as settled
{% for side in ("erp", "pcc") %}
    {{ "from" if side == "erp" else "join" }} (
        select {{ tier }} as key, count(*) as documents, min(row_id) as row_id
        from open_{{ side }}_{{ place }} where {{ tier }} is not null group by {{ tier }}
    ) as {{ side }}{{ " using (key)" if side == "pcc" }}
{% endfor %}
    anti join (select {{ tier }} as key from split_keys where {{ tier }} is not null) using (key)
),

{{ tier }}_apart as materialized (
    select
        erp.row_id as erp_row,
        pcc.row_id as pcc_row,
        count(*) over (partition by erp.row_id) = 1 and count(*) over (partition by pcc.row_id) = 1 as settled
    from (select row_id, {{ tier }} from open_erp_{{ place }} semi join split_keys using ({{ tier }})) as erp
    join (select row_id, {{ tier }} from open_pcc_{{ place }} semi join split_keys using ({{ tier }})) as pcc using ({{ tier }})
    anti join split on split.erp_row = erp.row_id and split.pcc_row = pcc.row_id
),

{{ tier }}_settled as (
    select erp_row, pcc_row from {{ tier }}_found where settled
    union all
    select erp_row, pcc_row from {{ tier }}_apart where settled
),

{% endfor %}
found as (
    select erp_row, pcc_row, 'manual' as tier, 'SETTLED' as status from by_hand
{% for tier in tiers %}
    union all
    select erp_row, pcc_row, '{{ tier }}', 'SETTLED' from {{ tier }}_settled
    union all
    select erp.row_id, pcc.row_id, '{{ tier }}', 'CONTESTED'
    from {{ tier }}_found
    join (select row_id, {{ tier }} as key from open_erp_{{ loop.index }}) as erp using (key)
    join (select row_id, {{ tier }} as key from open_pcc_{{ loop.index }}) as pcc using (key)
    where not settled
    union all
    select erp_row, pcc_row, '{{ tier }}', 'CONTESTED' from {{ tier }}_apart where not settled
{% endfor %}
)

select ente_code() as ente, erp_row, pcc_row, tier, status
from found
