"""Rows for PCC that the program never proposes: a document restored (RS) or reset (RT), asked for by a person, with a reason.

What is asked stands among the operations from the next calculation on, and goes the way of all: approval, file, outcome
(docs/rules.md#rule-11-order). Whether it may be asked is judged on what is published of the document.
"""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.review.pairs import REQUESTS, DecisionError, deciding, person

RESTORE, RESET = "RS", "RT"
MODELS_WITHOUT = "003"


def ask(engine: sa.Engine, ente: str, progressivo: str, azione: str, *, who: str, reason: str, models: str) -> bool:
    """Asks to restore or reset a document on PCC; returns whether that was not asked already.

    `models` are the ente's models for PCC. Raises DecisionError, saying why, where PCC would not take it or it would do harm.
    """
    who = person(who)
    if not reason.strip():
        raise DecisionError("serve il motivo: è un'operazione che nessun calcolo propone")
    if models == MODELS_WITHOUT:
        raise DecisionError("l'ente usa il Modello 003, che non ha queste operazioni")
    with deciding(engine, ente) as connection:
        if _asked(connection, ente).get(progressivo) == azione:
            return False
        _judge(connection, ente, progressivo, azione)
        _write(connection, ente, progressivo, azione, who, reason, withdrawn=False)
    return True


def withdraw(engine: sa.Engine, ente: str, progressivo: str, *, who: str, reason: str | None = None) -> None:
    """Takes back what was asked of a document. Raises DecisionError where nothing is asked of it."""
    who = person(who)
    with deciding(engine, ente) as connection:
        asked = _asked(connection, ente).get(progressivo)
        if asked is None:
            raise DecisionError(f"{progressivo}: non è chiesto nulla")
        _write(connection, ente, progressivo, asked, who, reason, withdrawn=True)


def _asked(connection: sa.Connection, ente: str) -> dict[str, str]:
    """What stands asked, by document: also what PCC has taken since."""
    found = connection.execute(sa.text(REQUESTS), {"ente": ente, "known_at": None}).mappings()
    taken = sa.text("""
        select s.progressivo_registrazione, s.azione, max(s.sent_at) as sent_at
        from pcc.sent_operations as s left join pcc.sent_states as p using (ente, operation_id, attempt)
        where s.ente = :ente and s.azione in ('RS', 'RT') and coalesce(p.state, 'sent') <> 'refused'
        group by 1, 2
    """)
    sent = {(row[0], row[1]): row[2] for row in connection.execute(taken, {"ente": ente})}
    return {
        row["progressivo_registrazione"]: row["azione"]
        for row in found
        if not (at := sent.get((row["progressivo_registrazione"], row["azione"]))) or at < row["decided_at"]
    }


def _judge(connection: sa.Connection, ente: str, progressivo: str, azione: str) -> None:
    t = table("document_targets")
    query = sa.select(t).where(t.c.ente == ente, t.c.progressivo_registrazione == progressivo)
    found = connection.execute(query).mappings().first()
    if found is None:
        raise DecisionError(f"{progressivo}: PCC e gestionale concordano, o PCC non lo ha: non c'è nulla da rifare")
    if not found["movable"] or found["rejected"] or found["new_on_pcc"]:
        raise DecisionError(f"{progressivo}: PCC non prende operazioni su questo documento: prima le domande aperte")
    flying = sa.text("""
        select 1 from pcc.sent_operations as s left join pcc.sent_states as p using (ente, operation_id, attempt)
        where s.ente = :ente and s.progressivo_registrazione = :document
          and coalesce(p.state, 'sent') not in ('refused', 'done')
        limit 1
    """)
    if connection.execute(flying, {"ente": ente, "document": progressivo}).first():
        raise DecisionError(f"{progressivo}: è già partita un'operazione: prima il suo esito")
    kinds = ("non_commercial", "suspended_lawsuit", "suspended_contested", "suspended_check", "suspended_other", "not_payable")
    aside = sum((found[f"now_{name}"] or Decimal(0) for name in kinds), Decimal(0))
    paid = found["paid"] or Decimal(0)
    if azione == RESTORE and not (found["now_not_payable"] and aside + paid >= found["commercial_amount"]):
        raise DecisionError(f"{progressivo}: su PCC non è chiuso: non c'è nulla da ripristinare")
    if azione == RESET and paid:
        raise DecisionError(f"{progressivo}: su PCC ha pagamenti: nessuna fonte dice che cosa ne resta dopo l'azzeramento")
    if azione == RESET and not aside:
        raise DecisionError(f"{progressivo}: su PCC non ha nulla da azzerare")


def _write(
    connection: sa.Connection, ente: str, progressivo: str, azione: str, who: str, reason: str | None, *, withdrawn: bool
) -> None:
    row = {
        "ente": ente, "progressivo_registrazione": progressivo, "azione": azione, "withdrawn": withdrawn,
        "reason": reason and reason.strip(), "decided_by": who,
    }  # fmt: skip
    connection.execute(sa.insert(table("operation_requests")).values(decided_at=sa.func.clock_timestamp(), **row))
