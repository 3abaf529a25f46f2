-- One row per pair of documents that a person or a tier found: SETTLED where unique on both sides, else CONTESTED.
-- Key: erp_row, pcc_row, tier. What a tier settles is closed to the next (docs/rules.md#rule-6).
-- A document has a row per creditor that it may be known under (document_keys); keys are 64-bit hashes of the tier's fields.
-- Keys that one document of each side bears are settled at once; all others are told pair by pair, so that a document with
-- several creditors, or one of whose candidates a person split from it, is still taken where one candidate is left.
-- From tier exact on the living pair among themselves, then the dead, then a dead one where no living one is free.
{% set stages = (
    ("pcc_id", "pcc_id", "together"), ("sdi_lot", "sdi_lot", "together"), ("lot_alone", "sdi_lot", "together"),
    ("foreign_document", "reference", "named"), ("exact", "exact", "apart"), ("exact", "exact", "mixed"),
    ("missing_document", "reference", "named"), ("number_amount", "number_amount", "apart"), ("number_amount", "number_amount", "mixed"),
    ("date_amount", "date_amount", "apart"), ("date_amount", "date_amount", "mixed"),
) %}
with decided as materialized (
    select erp.row_id as erp_row, pcc.row_id as pcc_row, decisions.verdict
    from decided_match_decisions as decisions
    join erp_identities as erp on erp.id_documento = decisions.id_documento
    join pcc_documents as pcc on pcc.progressivo_registrazione = decisions.progressivo_registrazione
),

by_hand as (select erp_row, pcc_row from decided where verdict = 'pair'),

split as materialized (select erp_row, pcc_row from decided where verdict = 'split'),

{% for side in ("erp", "pcc") %}
open_{{ side }}_1 as materialized (
    select * exclude (of_pcc) from document_keys
    anti join by_hand on by_hand.{{ side }}_row = row_id
    where of_pcc = {{ side == "pcc" }}
),

{% endfor %}
{% for column, tier, how in stages %}
{% set place = loop.index %}
{% set near = "abs(erp.issue_date - pcc.issue_date) <= threshold('number_amount_days')" if tier == "number_amount" else "true" %}
{% if not loop.first %}
-- Stage {{ place }}: {{ tier }}, over what the one before left open.
{% for side in ("erp", "pcc") %}
open_{{ side }}_{{ place }} as materialized (
    select * from open_{{ side }}_{{ place - 1 }}
    anti join (select {{ side }}_row as row_id from settled_{{ place - 1 }}) using (row_id)
),

{% endfor %}
{% endif %}
{% if how == "named" %}
-- One side names the document that the other has. A self-invoice that the other side has too is left to the tier exact.
naming_{{ place }} as materialized (
{% for side, other in (("erp", "pcc"), ("pcc", "erp")) %}
    {{ "union all" if not loop.first }}
    select '{{ side }}' as side, row_id, {{ column }} as key
    from open_{{ side }}_{{ place }} as own
    anti join open_{{ other }}_{{ place }} as other on other.exact = own.exact
    where own.{{ column }} is not null and not own.dead
{% endfor %}
),

found_{{ place }} as (
    select naming.row_id as erp_row, pcc.row_id as pcc_row
    from naming_{{ place }} as naming
    join open_pcc_{{ place }} as pcc on pcc.exact = naming.key
    where naming.side = 'erp' and not pcc.dead
    union
    select erp.row_id, naming.row_id
    from naming_{{ place }} as naming
    join open_erp_{{ place }} as erp on erp.exact = naming.key
    where naming.side = 'pcc' and not erp.dead
    union
    select erp.row_id, pcc.row_id
    from naming_{{ place }} as erp
    join naming_{{ place }} as pcc using (key)
    where erp.side = 'erp' and pcc.side = 'pcc'
),
{% elif how == "mixed" %}
keys_{{ place }} as (
    select key, erp.all_dead as erp_dead, pcc.all_dead as pcc_dead
{% for side in ("erp", "pcc") %}
    {{ "from" if side == "erp" else "join" }} (
        select {{ column }} as key, bool_and(dead) as all_dead from open_{{ side }}_{{ place }} where {{ column }} is not null group by {{ column }}
    ) as {{ side }}{{ " using (key)" if side == "pcc" }}
{% endfor %}
    where erp.all_dead <> pcc.all_dead
),

found_{{ place }} as (
    select distinct erp.row_id as erp_row, pcc.row_id as pcc_row
    from keys_{{ place }} as keys
    join open_erp_{{ place }} as erp on erp.{{ column }} = keys.key and erp.dead = keys.erp_dead
    join open_pcc_{{ place }} as pcc on pcc.{{ column }} = keys.key and pcc.dead = keys.pcc_dead
    where {{ near }}
),
{% else %}
{% set key = "hash(" ~ column ~ ", dead)" if how == "apart" else column %}
keys_{{ place }} as materialized (
    select
        key, erp.row_id as erp_row, pcc.row_id as pcc_row, {{ near }} as near,
        erp.documents = 1 and pcc.documents = 1 and not erp.several and not pcc.several
            and not exists (select 1 from split where split.erp_row = erp.row_id and split.pcc_row = pcc.row_id) as simple
{% for side in ("erp", "pcc") %}
    {{ "from" if side == "erp" else "join" }} (
        select
            {{ key }} as key, count(*) as documents, min(row_id) as row_id, min(issue_date) as issue_date, bool_or(several) as several
        from open_{{ side }}_{{ place }} where {{ column }} is not null group by {{ key }}
    ) as {{ side }}{{ " using (key)" if side == "pcc" }}
{% endfor %}
),

found_{{ place }} as (
    select distinct erp.row_id as erp_row, pcc.row_id as pcc_row
    from (select key from keys_{{ place }} where not simple) as keys
    join (select *, {{ key }} as key from open_erp_{{ place }} where {{ column }} is not null) as erp using (key)
    join (select *, {{ key }} as key from open_pcc_{{ place }} where {{ column }} is not null) as pcc using (key)
    where {{ near }}
),
{% endif %}

judged_{{ place }} as materialized (
    select
        erp_row, pcc_row,
        count(*) over (partition by erp_row) = 1 and count(*) over (partition by pcc_row) = 1 as settled
    from (select distinct erp_row, pcc_row from found_{{ place }})
    anti join split using (erp_row, pcc_row)
),

settled_{{ place }} as materialized (
    select erp_row, pcc_row from judged_{{ place }} where settled
{% if how in ("together", "apart") %}
    union all
    select erp_row, pcc_row from keys_{{ place }} where simple and near
{% endif %}
),

{% endfor %}
contested as (
{% for column, tier, how in stages %}
    {{ "union" if not loop.first }}
    select erp_row, pcc_row, '{{ tier }}' as tier from judged_{{ loop.index }} where not settled
{% endfor %}
)

select distinct ente_code() as ente, erp_row, pcc_row, 'manual' as tier, 'SETTLED' as status from by_hand
{% for column, tier, how in stages %}
union all
select ente_code(), erp_row, pcc_row, '{{ tier }}', 'SETTLED' from settled_{{ loop.index }}
{% endfor %}
union all
-- Of dead documents nothing is asked.
select ente_code(), erp_row, pcc_row, tier, 'CONTESTED'
from contested
where erp_row not in (select row_id from open_erp_1 where dead)
   or pcc_row not in (select row_id from open_pcc_1 where dead)
