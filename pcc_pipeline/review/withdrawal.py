"""An answer taken back, with what it did: decisions undone, special cases taken back through the inbox. A further row
says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.installation import Installation
from pcc_pipeline.review.cases import AnsweredCase, deliver_cases
from pcc_pipeline.review.pairs import DecisionError, append, deciding, person, undo
from pcc_pipeline.review.states import REVIEWED, parameters
from pcc_pipeline.rules import rule_rows

#: What a withdrawal's row repeats of the answer.
_COPIED = (
    "ente", "code", "id_documento", "progressivo_registrazione", "answer", "value", "in_force_from", "whole_supplier",
    "original_creditor", "numero", "data_emissione",
)  # fmt: skip


def withdraw(installation: Installation, ente: str, decision: int, *, who: str, reason: str | None = None) -> None:
    """Takes back the answer that stands on a question, by its number, with all that it and those before it did.

    Raises DecisionError where another answer stands by now, or what it approved went to PCC.
    """
    who = person(who)
    given = _standing(installation.engine, ente, decision)
    effects = {row["answer"]: row["effect"] for row in rule_rows("answers")}
    numbers = {
        kind: [int(n) for row in given if effects.get(row["answer"]) in of for n in (row["decisions"] or "").split(",") if n]
        for kind, of in (("match", ("pair", "split")), ("operation", ("approve", "refuse")))
    }
    if numbers["operation"] and _sent(installation.engine, ente, numbers["operation"]):
        raise DecisionError("l'operazione è già stata inviata a PCC: la risposta non si annulla più")
    for kind, found in numbers.items():
        if found:
            undo(installation.engine, ente, kind, found, who=who, reason=reason)
    cases = [_case(row) for row in given if effects.get(row["answer"]) == "case"]
    if cases:
        deliver_cases(installation.settings, ente, cases, taken_back=True)
    row = {name: given[-1][name] for name in _COPIED} | {"withdrawn": True, "reason": reason, "decided_by": who}
    with deciding(installation.engine, ente) as connection:
        append(connection, "answers", [row])


def _standing(engine: sa.Engine, ente: str, decision: int) -> Sequence[sa.RowMapping]:
    """The answers to a question since one was last taken back, in order; the last bears the number."""
    query = sa.text("""
        select a.* from pcc.answers as a join pcc.answers as asked
            on a.code = asked.code and a.id_documento is not distinct from asked.id_documento
            and a.progressivo_registrazione is not distinct from asked.progressivo_registrazione
        where a.ente = :ente and asked.ente = :ente and asked.decision = :decision
        order by a.decision
    """)
    with engine.connect() as connection:
        rows = connection.execute(query, {"ente": ente, "decision": decision}).mappings().all()
    last = max((place for place, row in enumerate(rows, 1) if row["withdrawn"]), default=0)
    if not rows[last:] or rows[-1]["decision"] != decision:
        raise DecisionError("questa risposta non c'è più: è stata annullata, o sostituita da un'altra")
    return rows[last:]


def _sent(engine: sa.Engine, ente: str, numbers: Sequence[int]) -> bool:
    query = sa.text(f"""
        select exists (
            select 1 from ({REVIEWED}) as r
            join pcc.operation_decisions as d on d.operation_id = r.operation_id and d.ente = :ente
            where r.ente = :ente and d.decision = any(:numbers) and coalesce(r.sent, 'refused') <> 'refused'
        )
    """)
    with engine.connect() as connection:
        return bool(connection.execute(query, {**parameters(ente), "numbers": list(numbers)}).scalar_one())


def _case(row: Any) -> AnsweredCase:
    whole = row["whole_supplier"]
    if row["original_creditor"] is None:
        raise DecisionError("la risposta è di una versione precedente: annullare il caso con un file di casi particolari")
    return AnsweredCase(
        row["answer"],
        row["original_creditor"],
        None if whole else row["numero"],
        None if whole else row["data_emissione"],
        row["in_force_from"],
        row["value"] or "",
        f"annullata la risposta {row['decision']}",
    )
