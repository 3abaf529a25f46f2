"""The register of model files and of the operations in them: SQL alone. What is written and when: `review.sending`.

Rows are only added, so that what was sent by a moment is known for ever; one column is set later, once (`handed_at`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.review.states import SENT as LAST_SENT
from pcc_pipeline.review.states import STATES, parameters
from pcc_pipeline.tables.decisions import CHANGES
from pcc_pipeline.tables.sending import SENT_OPERATIONS

#: What an ente sent up to a moment (parameters ente, known_at: null means now), as SENT_OPERATIONS has it.
SENT = f"""
select {", ".join(SENT_OPERATIONS.column_names)} from pcc.sent_operations
where ente = :ente and (cast(:known_at as timestamptz) is null or sent_at <= :known_at)
order by sent_at, file, line
"""

# What is approved and may go out now, document by document in order of steps: up to the first step that is not approved,
# was sent before and not refused, or follows what PCC has yet to answer (a document of Modello 002, a change of VAT
# regime, a document restored or reset: docs/rules.md#rule-11-order). Whether it is approved
# is STATES' word, in which an approval given before PCC refused the line does not count for another attempt. This order is
# stricter than what a step needs (`step_needs`, by which a refusal holds others): PCC books a document's lines one after the
# other, so that a step never overtakes one before it, needed or not.
_APPROVED = f"""
with decided as (
    select * from ({STATES}) as states
), last_sent as (
    {LAST_SENT}
), attempts as (
    select operation_id, max(attempt) as attempts from pcc.sent_operations where ente = :ente group by operation_id
), open_documents as (
    select s.id_documento, s.progressivo_registrazione
    from pcc.sent_operations as s
    left join pcc.sent_states as p using (ente, operation_id, attempt)
    where s.ente = :ente and coalesce(p.state, 'sent') not in ('refused', 'done')
      -- What follows a change of VAT regime waits for PCC's answer alone.
      and not (s.azione = 'MI' and p.state = 'accepted')
), judged as (
    select o.*, {", ".join(f"d.changed_{c.name}" for c in CHANGES)}, coalesce(a.attempts, 0) + 1 as attempt,
        coalesce(d.state, 'proposed') = 'approved' and coalesce(t.sent, 'refused') = 'refused' as ready,
        lag(case when o.model = '002' or o.azione in ('MI', 'RS', 'RT') then true end) over steps as after_waiting
    from pcc.operations as o
    left join decided as d on d.operation_id = o.operation_id
    left join attempts as a on a.operation_id = o.operation_id
    left join last_sent as t on t.operation_id = o.operation_id
    where o.ente = :ente
    window steps as (partition by o.id_documento, o.progressivo_registrazione order by o.step)
), ordered as (
    select *, bool_and(ready and after_waiting is null) over (
        partition by id_documento, progressivo_registrazione order by step
    ) as goes
    from judged
)
select * from ordered as o
where goes
  and not exists (select 1 from open_documents as d where d.progressivo_registrazione = o.progressivo_registrazione)
  and not exists (select 1 from open_documents as d where d.id_documento = o.id_documento)
order by model, coalesce(progressivo_registrazione, ''), coalesce(id_documento, ''), step
"""


def approved_operations(connection: sa.Connection, ente: str) -> list[dict[str, Any]]:
    """The published operations of an ente that may go out now, as `operations` has them with the changes that people made,
    and `attempt`; in order of model, document, step."""
    found = connection.execute(sa.text(_APPROVED), parameters(ente)).mappings()
    operations = []
    for row in found:
        changed = {c.name: row[f"changed_{c.name}"] for c in CHANGES if row[f"changed_{c.name}"] is not None}
        operations.append({**row, **changed})
    return operations


def next_number(connection: sa.Connection, ente: str) -> int:
    """The number of the ente's next model file. To be asked under the ente's lock."""
    t = table("model_files")
    count: int = connection.execute(sa.select(sa.func.count()).where(t.c.ente == ente)).scalar_one()
    return count + 1


def register(connection: sa.Connection, file: dict[str, Any], operations: Sequence[dict[str, Any]]) -> None:
    """Adds a file and its operations. Raises IntegrityError when one of them was sent in this attempt before."""
    connection.execute(sa.insert(table("model_files")), [file])
    connection.execute(sa.insert(table("sent_operations")), list(operations))


#: Where a file stands: written; uploaded, as a person says; answered: PCC or a later feed tells of each of its operations.
FILE_STATES = ("written", "uploaded", "answered")


def files(engine: sa.Engine, ente: str | None = None) -> list[sa.RowMapping]:
    """`files_in`, over a connection of its own."""
    with engine.connect() as connection:
        return files_in(connection, ente)


def files_in(connection: sa.Connection, ente: str | None = None) -> list[sa.RowMapping]:
    """The model files of an ente, or of all, oldest first: who uploaded them and when, their `state` (FILE_STATES), and how
    many of their operations are in each state."""
    query = """
        select f.*, u.decided_by as uploaded_by, u.decided_at as uploaded_at,
               case when bool_and(coalesce(p.state, 'sent') <> 'sent') then 'answered'
                    when u.file is not null then 'uploaded' else 'written' end as state,
               count(s.operation_id) filter (where coalesce(p.state, 'sent') = 'sent') as sent,
               count(*) filter (where p.state = 'accepted') as accepted, count(*) filter (where p.state = 'refused') as refused,
               count(*) filter (where p.state = 'done') as done, count(*) filter (where p.overdue) as overdue
        from pcc.model_files as f
        left join pcc.sent_operations as s using (ente, file)
        left join pcc.sent_states as p on p.ente = s.ente and p.operation_id = s.operation_id and p.attempt = s.attempt
        left join (
            select distinct on (ente, file) * from pcc.model_uploads order by ente, file, decision
        ) as u on u.ente = f.ente and u.file = f.file
        where cast(:ente as text) is null or f.ente = :ente
        group by f.ente, f.file, u.file, u.decided_by, u.decided_at
        order by f.ente, f.sent_at, f.file
    """
    return list(connection.execute(sa.text(query), {"ente": ente}).mappings())


def waits_for(file: sa.RowMapping) -> tuple[str, datetime] | None:
    """What a file of `files` lacks, NOT_UPLOADED or NOT_ANSWERED, and since when; None once it is answered whole.

    PCC's answer, or a later feed that shows it done, says that a file was uploaded.
    """
    if file["state"] == "answered":
        return None
    if file["uploaded_at"] is None and file["sent"] == file["rows"]:
        return "NOT_UPLOADED", file["sent_at"]
    return "NOT_ANSWERED", file["uploaded_at"] or file["sent_at"]


def lines(engine: sa.Engine, ente: str, file: str) -> list[sa.RowMapping]:
    """The operations of a model file in the order of its lines, each with what became of it so far."""
    query = """
        select s.*, coalesce(p.state, 'sent') as state, p.answer_code, p.reason, p.answered_at, p.seen_done_at
        from pcc.sent_operations as s left join pcc.sent_states as p using (ente, operation_id, attempt)
        where s.ente = :ente and s.file = :file
        order by s.line
    """
    with engine.connect() as connection:
        return list(connection.execute(sa.text(query), {"ente": ente, "file": file}).mappings())


def overdue(engine: sa.Engine, ente: str | None = None) -> list[sa.RowMapping]:
    """Operations of an ente, or of all, neither refused nor seen done within the days allowed, oldest first."""
    t = table("sent_states")
    query = sa.select(t).where(t.c.overdue).order_by(t.c.sent_at, t.c.ente, t.c.file, t.c.line)
    if ente is not None:
        query = query.where(t.c.ente == ente)
    with engine.connect() as connection:
        return list(connection.execute(query).mappings())


def not_handed(engine: sa.Engine, ente: str) -> list[sa.RowMapping]:
    """Files that were registered and not yet put where the operator takes them."""
    t = table("model_files")
    query = sa.select(t.c.file, t.c.sha256).where(t.c.ente == ente, t.c.handed_at.is_(None)).order_by(t.c.file)
    with engine.connect() as connection:
        return list(connection.execute(query).mappings())


def handed(engine: sa.Engine, ente: str, file: str) -> None:
    """Notes that a file is where the operator takes it."""
    t = table("model_files")
    with engine.begin() as connection:
        connection.execute(
            sa.update(t).where(t.c.ente == ente, t.c.file == file, t.c.handed_at.is_(None)).values(handed_at=sa.func.now())
        )
