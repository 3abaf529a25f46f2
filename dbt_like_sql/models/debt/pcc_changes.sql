-- One row per document, field and delivery of PCC in which the field differs from the delivery before, where neither an
-- operation sent from here nor a payment order says why (docs/rules.md#rule-11-changes).
-- Key: progressivo_registrazione, delivery, field. The effects of one document's changes in one delivery, those left
-- out with them, add up to what its stock moved by.
with steps as (
    select
        pcc_versions.*,
        lag(pcc_versions) over (partition by progressivo_registrazione order by row_id) as earlier
    from pcc_versions
),

pairs as (
    select
        * exclude (earlier),
        earlier,
        (counts - earlier.counts) * sign * earlier.open_amount as counted_anew,
        counts * sign as weight
    from steps
    where earlier is not null
),

changes as (
    {% for field, shown, before, effect in [
        ("STATE", "stato_documento", "earlier.stato_documento",
         "if((stato_documento = 'RIFIUTATO') <> (earlier.stato_documento = 'RIFIUTATO'), counted_anew, 0)"),
        ("LEFT_OUT", "if(left_out, 'SI', 'NO')", "if(earlier.left_out, 'SI', 'NO')",
         "if((stato_documento = 'RIFIUTATO') = (earlier.stato_documento = 'RIFIUTATO'), counted_anew, 0)"),
        ("DUE_DATE", "italian_date(data_scadenza)", "italian_date(earlier.data_scadenza)",
         "if((stato_documento = 'RIFIUTATO') = (earlier.stato_documento = 'RIFIUTATO') and left_out = earlier.left_out, counted_anew, 0)"),
        ("COMMERCIAL_AMOUNT", "italian_money(commercial_amount)", "italian_money(earlier.commercial_amount)",
         "weight * (commercial_amount - earlier.commercial_amount)"),
        ("SUSPENDED", "suspension", "earlier.suspension", "weight * (earlier.excluded - excluded)"),
        ("NOT_PAYABLE", "italian_money(not_payable)", "italian_money(earlier.not_payable)",
         "weight * (earlier.not_payable - not_payable)"),
        ("NON_COMMERCIAL", "italian_money(non_commercial)", "italian_money(earlier.non_commercial)",
         "weight * (earlier.non_commercial - non_commercial)"),
        ("PAID", "italian_money(paid)", "italian_money(earlier.paid)", "weight * (earlier.paid - paid)"),
        ("PAID_NON_COMMERCIAL", "italian_money(paid_non_commercial)", "italian_money(earlier.paid_non_commercial)",
         "weight * (earlier.paid_non_commercial - paid_non_commercial)"),
    ] %}
    select
        progressivo_registrazione, '{{ field }}' as field, {{ before }} as before, {{ shown }} as after,
        ({{ effect }})::decimal(18, 2) as stock_effect, earlier.delivery as delivery_before, delivery,
        earlier.received_at as received_before, received_at, earlier.paid as paid_before, paid as paid_after
    from pairs
    where ({{ shown }}) is distinct from ({{ before }})
    {{ "" if loop.last else "union all" }}
    {% endfor %}
),

-- What was sent to a document and came to be seen, or may have, in a delivery after another.
ours as (
    select distinct changes.progressivo_registrazione, changes.delivery, changes.field
    from changes
    join sent_states as sent on sent.progressivo_registrazione = changes.progressivo_registrazione
    join rule_pcc_action_changes as actions on actions.azione = sent.azione and actions.field = changes.field
    where sent.state <> 'refused'
      and sent.sent_at < changes.received_at
      and coalesce(sent.seen_done_at > changes.received_before, true)
),

documents_of as (
    select progressivo_registrazione, min(id_documento) as id_documento, max(erp_paid_at_observation) as ordered
    from documents
    where progressivo_registrazione is not null
    group by progressivo_registrazione
),

-- An order says why more, or after a reversal less, is paid; and why a document is paid in full.
by_order as (
    select distinct changes.progressivo_registrazione, changes.delivery
    from changes
    join documents_of using (progressivo_registrazione)
    where changes.field = 'PAID'
      and documents_of.ordered is not null
      and (
          changes.paid_before < changes.paid_after and changes.paid_after <= documents_of.ordered
          or changes.paid_before > changes.paid_after and changes.paid_after >= documents_of.ordered
      )
)

select
    ente_code() as ente,
    changes.progressivo_registrazione,
    documents_of.id_documento,
    changes.field,
    changes.before,
    changes.after,
    changes.stock_effect,
    changes.delivery_before,
    changes.received_before,
    changes.delivery,
    changes.received_at
from changes
left join documents_of using (progressivo_registrazione)
left join ours
    on ours.progressivo_registrazione = changes.progressivo_registrazione
    and ours.delivery = changes.delivery
    and ours.field = changes.field
left join by_order
    on by_order.progressivo_registrazione = changes.progressivo_registrazione
    and by_order.delivery = changes.delivery
    and (changes.field = 'PAID' or changes.field = 'STATE' and changes.after <> 'RIFIUTATO')
where ours.field is null and by_order.delivery is null
