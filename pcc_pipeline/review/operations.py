"""Decisions on proposed operations, one or many at once: approve, refuse, change; the ente's limit for two persons.

All of a command's rows are written in one statement under the ente's lock, so two reviewers at once come one after the
other and the same command twice writes nothing twice. States are worked out in `operation_states`, changed amounts
checked by `pcc_pipeline.review.amounts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.engine import set_based
from pcc_pipeline.database.schema import table
from pcc_pipeline.review.pairs import DecisionError, deciding, person
from pcc_pipeline.review.states import LIMIT, REVIEWED, SENT, SHOWN, STATES, parameters
from pcc_pipeline.tables.decisions import CHANGES

#: Judges what stands after a change, given the transaction and the operations changed; raises DecisionError.
Judge = Callable[[sa.Connection, Sequence[str]], None]


@dataclass(frozen=True)
class Selection:
    """Which operations: those named, or all that meet every condition given. Amounts in euro, both ends included.

    `shown` is one of SHOWN_STATES: what stands before the decision.
    """

    operations: tuple[str, ...] = ()
    code: str | None = None
    supplier: str | None = None
    document: str | None = None
    azione: str | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    shown: str | None = None

    @property
    def named(self) -> bool:
        """Whether operations are named one by one: then a word replaces the one that stands."""
        return bool(self.operations)

    def condition(self) -> tuple[str, dict[str, Any]]:
        """As SQL over the reviewed operations `r`, with its parameters. Raises DecisionError when nothing is asked."""
        amount = "abs(coalesce(r.importo, r.importo_totale))"
        given = {
            "operations": (list(self.operations) or None, "r.operation_id = any(:operations)"),
            "code": (self.code, "r.code = :code"),
            "supplier": (self.supplier, "r.original_creditor = :supplier"),
            "document": (self.document, ":document in (r.id_documento, r.progressivo_registrazione)"),
            "azione": (self.azione, "r.azione = :azione"),
            "least": (self.least, f"{amount} >= :least"),
            "most": (self.most, f"{amount} <= :most"),
            "shown": (self.shown, f"{SHOWN} = :shown"),
        }
        chosen = {name: pair for name, pair in given.items() if pair[0] is not None}
        if not chosen:
            raise DecisionError("nessuna operazione scelta: indicare operazioni, codice, fornitore, documento o importi")
        return " and ".join(sql for _, sql in chosen.values()), {name: value for name, (value, _) in chosen.items()}


@dataclass(frozen=True)
class OperationsDecided:
    """What a command did: rows written, operations chosen that stood so already, left alone, and now by state (chosen by
    what was `shown`: those written alone, since the others do not change). `numbers` are those of the rows written.

    Left alone are operations that a bulk command found decided otherwise: name them one by one to decide anew.
    """

    written: int
    already: int
    left: int
    states: Mapping[str, int] = field(default_factory=dict)
    numbers: tuple[int, ...] = field(default=(), compare=False)

    def in_words(self) -> str:
        """What was done, in Italian words for the person who asked."""
        words = {"proposed": "da approvare", "waiting": "in attesa di una seconda persona"}
        words |= {"approved": "approvate", "refused": "rifiutate"}
        now = ", ".join(f"{number} {words[state]}" for state, number in self.states.items())
        left = f", {self.left} lasciate come sono (già decise, o attendono un passo rifiutato)" if self.left else ""
        return f"{self.written} decisioni, {self.already} già prese{left}; ora: {now}"


# What each verdict finds to do: a named operation is decided anew, a bulk command touches only what is undecided. What was
# sent is decided no more, unless PCC refused it.
_OPEN = "coalesce(r.sent, 'refused') = 'refused'"
_TO_DO = {
    "approve": "r.state in ('proposed', 'waiting', 'refused') and (:named or r.state <> 'refused') and not r.held"
    " and not (r.state <> 'refused' and :who = any(r.approvers))",
    "refuse": "r.state <> 'refused' and (:named or r.state <> 'approved')",
    "change": "(:named or r.state in ('proposed', 'waiting')) and ({changed})",
}
_ALREADY = {
    "approve": "r.state = 'approved' or (r.state = 'waiting' and :who = any(r.approvers))",
    "refuse": "r.state = 'refused'",
    "change": "not ({changed})",
}
_COPIED = ("operation_id", "code", "id_documento", "progressivo_registrazione", "azione")


def decide_operations(
    engine: sa.Engine,
    ente: str,
    verdict: str,
    selection: Selection,
    *,
    who: str,
    changes: Mapping[str, object] | None = None,
    reason: str | None = None,
    judge: Judge | None = None,
) -> OperationsDecided:
    """Approves, refuses or changes the chosen operations of an ente's published state, all or none.

    `changes` are values by column of CHANGES (verdict change only); `judge` has the last word on them before the
    transaction ends. Raises DecisionError for names that are not proposed, for nothing chosen, and as `judge` does.
    """
    where, given = selection.condition()
    changes = dict(changes or {})
    if verdict == "change" and not changes:
        raise DecisionError("nessun valore da cambiare")
    if unknown := set(changes) - {column.name for column in CHANGES}:
        raise DecisionError(f"non si può cambiare: {', '.join(sorted(unknown))}")
    types = {c.name: _SQL_TYPES[c.type] for c in CHANGES}
    changed = " or ".join(f"r.{name} is distinct from cast(:new_{name} as {types[name]})" for name in changes) or "false"
    for name in ("causale", "descrizione"):  # empty and none are the same
        changed = changed.replace(f"r.{name} is", f"coalesce(r.{name}, '') is")
    given |= {
        **parameters(ente),
        "who": person(who),
        "named": selection.named,
        "verdict": verdict,
        "reason": reason,
        **{f"new_{name}": value for name, value in changes.items()},
    }
    to_do, already = (rules[verdict].format(changed=changed) for rules in (_TO_DO, _ALREADY))
    to_do = f"({to_do}) and {_OPEN}"
    carried = [f"cast(:new_{c.name} as {types[c.name]})" if c.name in changes else f"r.changed_{c.name}" for c in CHANGES]
    values = carried if verdict == "change" else [f"cast(null as {types[c.name]})" for c in CHANGES]
    columns = ("ente", "verdict", *_COPIED, "amount", *(c.name for c in CHANGES), "reason", "decided_by", "decided_at")
    insert = f"""
        insert into pcc.operation_decisions ({", ".join(columns)})
        select :ente, :verdict, {", ".join(f"r.{name}" for name in _COPIED)}, coalesce(r.proposed_importo, r.importo_totale),
               {", ".join(values)}, :reason, :who, clock_timestamp()
        from ({REVIEWED}) as r
        where {where} and {to_do}
        order by r.id_documento, r.progressivo_registrazione, r.step
        returning operation_id, decision
    """
    with deciding(engine, ente) as connection:
        _proposed(connection, ente, selection)
        count = f"select count(*), count(*) filter (where {already}) from ({REVIEWED}) as r where {where}"
        chosen, stood = connection.execute(sa.text(count), given).one()
        if not chosen:
            raise DecisionError("nessuna operazione proposta corrisponde alla scelta")
        rows = connection.execute(sa.text(insert), given).all()
        written, numbers = [row.operation_id for row in rows], tuple(row.decision for row in rows)
        if judge is not None and written:
            judge(connection, written)
        if selection.shown is not None:  # what was shown is so no longer
            where, given = "r.operation_id = any(:written)", {**given, "written": written}
        after = f"select r.state, count(*) from ({REVIEWED}) as r where {where} group by 1 order by 1"
        states = {row[0]: row[1] for row in connection.execute(sa.text(after), given)}
    return OperationsDecided(len(written), stood, chosen - stood - len(written), states, numbers)


def reviewed(
    connection: sa.Connection, ente: str, selection: Selection | None = None, state: str | None = None
) -> list[dict[str, Any]]:
    """The ente's proposed operations as they would be sent, with their states (see REVIEWED), by document and step."""
    set_based(connection)
    where, given = selection.condition() if selection else ("true", {})
    given |= {**parameters(ente), "state": state}
    query = (
        f"select r.*, {SHOWN} as shown from ({REVIEWED}) as r "
        f"where {where} and (cast(:state as text) is null or r.state = :state) "
        "order by r.original_creditor, r.id_documento, r.progressivo_registrazione, r.step"
    )
    return [dict(row) for row in connection.execute(sa.text(query), given).mappings()]


def stale_operations(connection: sa.Connection, ente: str) -> list[dict[str, Any]]:
    """Operations on which a word stands but that are proposed no longer and were not sent: the feeds changed."""
    query = f"""
        select s.*, d.code, d.id_documento, d.progressivo_registrazione, d.azione
        from ({STATES}) as s
        join pcc.operation_decisions as d on d.decision = s.decision
        where s.operation_id not in (select o.operation_id from pcc.operations as o where o.ente = :ente)
          and s.operation_id not in (select told.operation_id from ({SENT}) as told)
        order by s.decision
    """
    set_based(connection)
    return [dict(row) for row in connection.execute(sa.text(query), parameters(ente)).mappings()]


def set_limit(engine: sa.Engine, ente: str, amount: Decimal, *, who: str, reason: str | None = None) -> None:
    """From now on an operation of the ente above `amount` (euro) needs two persons."""
    if amount < 0:
        raise DecisionError("il limite non può essere negativo")
    with deciding(engine, ente) as connection:
        values = {"ente": ente, "amount": amount, "reason": reason, "decided_by": person(who)}
        connection.execute(sa.insert(table("approval_limits")).values(decided_at=sa.func.clock_timestamp(), **values))


def limit(connection: sa.Connection, ente: str) -> Decimal:
    """The amount in euro above which two persons approve an operation of the ente."""
    return Decimal(connection.execute(sa.text(f"select {LIMIT}"), parameters(ente)).scalar_one())


_SQL_TYPES = {"money": "numeric(18, 2)", "text": "text", "date": "date"}


def _proposed(connection: sa.Connection, ente: str, selection: Selection) -> None:
    if not selection.named:
        return
    query = sa.text("select operation_id from pcc.operations where ente = :ente and operation_id = any(:names)")
    known = set(connection.execute(query, {"ente": ente, "names": list(selection.operations)}).scalars())
    if missing := [name for name in selection.operations if name not in known]:
        raise DecisionError(f"operazioni non proposte oggi per {ente}: {', '.join(missing[:10])}")
