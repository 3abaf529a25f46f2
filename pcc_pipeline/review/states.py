"""The state of each operation on which a word stands, from the append-only rows: the one query that says it.

Parameters: `parameters`. A refusal or a change asks for approvals anew; the same person
twice counts once; above the ente's limit two persons must approve. An undone row is as if it had never been. What PCC
refused returns to the list: approvals given before its answer no longer count.
"""

from datetime import datetime
from typing import Any

from pcc_pipeline.italian import OPERATION_STATES
from pcc_pipeline.rules import rule_rows, second_approval_amount
from pcc_pipeline.tables.decisions import CHANGES


def parameters(ente: str, known_at: datetime | None = None) -> dict[str, Any]:
    """What the queries of this module are given: the ente, the moment (null: now), the limit of an ente that set none."""
    return {"ente": ente, "known_at": known_at, "default_limit": second_approval_amount()}


_LATEST = "(array_agg({0} order by decision desc) filter (where verdict = 'change'))[1]"


def _of(alias: str, some: bool) -> str:
    return f" and {alias}.operation_id = any(cast(:some as text[]))" if some else ""


def _sent(some: bool = False) -> str:
    return f"""
    select distinct on (s.operation_id) s.operation_id, coalesce(p.state, 'sent') as sent,
        case when p.state = 'refused' then p.answered_at end as refused_at
    from pcc.sent_operations as s left join pcc.sent_states as p using (ente, operation_id, attempt)
    where s.ente = :ente{_of("s", some)} order by s.operation_id, s.attempt desc
"""


#: What became of each operation sent, in its last attempt, where files are written (model sent_states, published).
SENT = _sent()

#: Counts for the state: after the last refusal or change, and after PCC's own refusal.
_COUNTS = "verdict = 'approve' and decision > turn and decided_at > coalesce(refused_at, '-infinity')"

#: The amount in euro above which an operation of the ente needs two persons. Parameters: `parameters`.
LIMIT = """coalesce(
        (select l.amount from pcc.approval_limits as l
         where l.ente = :ente and (cast(:known_at as timestamptz) is null or l.decided_at <= :known_at)
         order by l.decision desc limit 1),
        cast(:default_limit as numeric(18, 2))
    )"""


def _states(some: bool = False) -> str:
    return f"""
with standing as (
    select d.* from pcc.operation_decisions as d
    where d.ente = :ente{_of("d", some)} and d.verdict <> 'undo'
      and (cast(:known_at as timestamptz) is null or d.decided_at <= :known_at)
      and d.decision not in (
          select u.undoes from pcc.operation_decisions as u
          where u.ente = :ente and u.verdict = 'undo' and u.undoes is not null
            and (cast(:known_at as timestamptz) is null or u.decided_at <= :known_at)
      )
), told as (
    {_sent(some)}
), turns as (
    select standing.*, told.refused_at,
        coalesce(max(decision) filter (where verdict in ('refuse', 'change')) over (partition by operation_id), 0) as turn
    from standing
    left join told using (operation_id)
), states as (
    select
        ente, operation_id, max(decision) as decision,
        bool_or(verdict = 'refuse' and decision = turn) and not bool_or(verdict = 'approve' and decision > turn) as refused,
        count(distinct decided_by) filter (where {_COUNTS}) as approvals,
        array_agg(distinct decided_by) filter (where {_COUNTS}) as approvers,
        {", ".join(f"{_LATEST.format(c.name)} as changed_{c.name}" for c in CHANGES)},
        (array_agg(amount order by decision desc))[1] as amount,
        (array_agg(decided_by order by decision desc))[1] as decided_by,
        (array_agg(decided_at order by decision desc))[1] as decided_at,
        (array_agg(reason order by decision desc))[1] as reason
    from turns
    group by ente, operation_id
), limited as (
    select {LIMIT} as approval_limit
), needed as (
    select states.*,
        case when abs(coalesce(changed_importo, amount, 0)) > approval_limit then 2 else 1 end as approvals_needed
    from states cross join limited
)
select *,
    case when refused then 'refused' when approvals >= approvals_needed then 'approved'
         when approvals > 0 then 'waiting' else 'proposed' end as state
from needed
order by operation_id
"""


STATES = _states()


def _said(name: str) -> str:
    if name in ("causale", "descrizione"):  # an empty text takes the proposed one away
        return f"case when s.changed_{name} is null then o.{name} else nullif(s.changed_{name}, '') end"
    return f"coalesce(s.changed_{name}, o.{name})"


def _needs(short: str) -> str:
    """Whether an earlier step that a step needs (rule_step_needs) is `short`, over the window `earlier`; null without one."""
    actions: dict[str, list[str]] = {}
    for row in rule_rows("step_needs"):
        actions.setdefault(row["needs"], []).append(f"'{row['azione']}'")
    found = []
    for needed, of in actions.items():
        step = f"model = '{needed}'" if needed == "002" else f"azione = '{needed}' and model <> '002'"
        missing = f"bool_or({short} and {step}) over earlier"
        found.append(f"({missing})" if "'*'" in of else f"(azione in ({', '.join(of)}) and {missing})")
    return " or ".join(found)


def _reviewed(some: bool = False) -> str:
    return f"""
with reviewed as (
    select
        o.ente, o.operation_id, o.code, o.id_documento, o.progressivo_registrazione, o.step, o.model, o.azione,
        o.importo as proposed_importo, o.stato_debito, o.numero_mandato, o.numero_documento, o.data_emissione,
        o.importo_totale, o.original_creditor, o.denominazione_fornitore, o.stock_effect,
        {", ".join(f"{_said(c.name)} as {c.name}" for c in CHANGES)},
        coalesce(s.state, 'proposed') as state,
        coalesce(s.approvals, 0) as approvals,
        coalesce(s.approvers, cast('{{}}' as text[])) as approvers,
        coalesce(
            s.approvals_needed, case when abs(coalesce(o.importo, o.importo_totale, 0)) > {LIMIT} then 2 else 1 end
        ) as approvals_needed,
        {", ".join(f"s.changed_{c.name}" for c in CHANGES)},
        s.decided_by, s.decided_at, s.reason, told.sent
    from pcc.operations as o
    left join ({_states(some)}) as s on s.operation_id = o.operation_id
    left join ({_sent(some)}) as told on told.operation_id = o.operation_id
    where o.ente = :ente{_of("o", some)}
)
select r.*,
    state <> 'refused' and coalesce({_needs("state = 'refused'")}, false) as held
from reviewed as r
window earlier as (
    partition by id_documento, progressivo_registrazione order by step rows between unbounded preceding and 1 preceding
)
"""


#: The operations proposed now as they would be sent, changes in place, each with its state. `held`: an earlier step that
#: it needs (all of Modello 002, reception, a booking before bookings and payments) is refused. `sent`: what became
#: of it once sent; null: not sent. What may go out now: `sent.approved_operations`. Parameters: `parameters`.
REVIEWED = _reviewed()
#: The same of the operations `some` alone, which must be all of their documents: the others are not looked at.
REVIEWED_SOME = _reviewed(some=True)

#: What a reader is told of a reviewed operation `r`, in one word: what became of it once sent, `held`, `pcc_refused` (PCC
#: refused it and nobody approved it since), else its state.
SHOWN = """case
    when r.sent <> 'refused' then r.sent
    when r.held then 'held'
    when r.sent = 'refused' and r.state = 'proposed' then 'pcc_refused'
    else r.state
end"""
SHOWN_STATES = tuple(OPERATION_STATES)
