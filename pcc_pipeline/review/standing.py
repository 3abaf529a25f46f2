"""How an ente stands, in one small row (`ente_standing`): its figures in short, and what waits for a person; and how each
of its operations does (`operation_standing`).

Written in the transaction of each publication and of each decision, so that it is never older than what it tells of; and
each night, since some of it depends on the day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from pcc_pipeline.clock import today
from pcc_pipeline.database.engine import decision_lock, set_based
from pcc_pipeline.database.schema import table
from pcc_pipeline.enti.duties import deadlines_in
from pcc_pipeline.review import asked
from pcc_pipeline.review.asked import UNANSWERED
from pcc_pipeline.review.sent import files_in, waits_for
from pcc_pipeline.review.states import REVIEWED, SHOWN, parameters

#: States of operations that wait for a person.
TO_DECIDE = ("proposed", "waiting", "pcc_refused")
#: Days before and after today in which a legal deadline that is not met is looked for.
PAST, AHEAD = 30, 400

_KEY = ("code", "id_documento", "progressivo_registrazione")
#: The same question. Empty texts and none are one here, so that the join may hash.
_SAME = " and ".join(f"coalesce(a.{name}, '') = coalesce(q.{name}, '')" for name in _KEY)

_FIGURES = f"""
select p.reference_date, p.published_at,
    coalesce((select amount from pcc.stock where ente = :ente and view = 'pcc'), 0) as pcc_amount,
    coalesce((select amount from pcc.stock where ente = :ente and view = 'right'), 0) as right_amount,
    coalesce((select amount from pcc.stock where ente = :ente and view = 'projected'), 0) as projected_amount,
    coalesce((select sum(amount) from pcc.difference_by_code where ente = :ente), 0) as explained_amount,
    asked.questions, asked.answers_move, asked.questions_since,
    (select count(*) from pcc.operation_standing where ente = :ente and shown = any(:to_decide)) as operations
from (
    select * from pcc.publications where ente = :ente order by publication desc limit 1
) as p
cross join (
    select coalesce(cast(sum(questions) as bigint), 0) as questions, coalesce(sum(moves), 0) as answers_move,
        min(since) as questions_since
    from (
        select count(*) as questions, max(abs(q.remaining)) as moves, min(a.asked_at) as since
        from ({UNANSWERED}) as q
        left join pcc.questions_asked as a on a.ente = q.ente and {_SAME}
        group by q.id_documento, q.progressivo_registrazione
    ) as documents
) as asked
"""

#: Operations come and go with publications alone; decisions change what is shown of them.
_DECIDED = f"""
update pcc.operation_standing as s set shown = r.shown
from (select r.operation_id, {SHOWN} as shown from ({REVIEWED}) as r) as r
where s.ente = :ente and s.operation_id = r.operation_id and s.shown <> r.shown
"""
_PROPOSED_NO_MORE = "delete from pcc.operation_standing where ente = :ente"
_PROPOSED = f"""
insert into pcc.operation_standing
    (ente, operation_id, shown, code, original_creditor, stock_effect, moved, id_documento, progressivo_registrazione, step)
select r.ente, r.operation_id, {SHOWN}, r.code, r.original_creditor, r.stock_effect,
    sum(abs(r.stock_effect)) over (partition by r.id_documento, r.progressivo_registrazione), r.id_documento,
    r.progressivo_registrazione, r.step
from ({REVIEWED}) as r
"""

_ASKED_NO_MORE = f"""
delete from pcc.questions_asked as a
where a.ente = :ente and not exists (select from pcc.questions as q where q.ente = :ente and {_SAME})
"""
_ASKED_ANEW = f"""
insert into pcc.questions_asked (ente, code, id_documento, progressivo_registrazione, asked_at)
select q.ente, q.code, q.id_documento, q.progressivo_registrazione, now() from pcc.questions as q
where q.ente = :ente and not exists (select from pcc.questions_asked as a where a.ente = :ente and {_SAME})
"""


def published_anew(connection: sa.Connection, enti: Sequence[str]) -> None:
    """Notes how enti stand that are being published in this transaction, which operations they have and which questions they
    are asked since now. Who decides for one of them waits until then: else neither would see what the other wrote."""
    set_based(connection)
    for ente in sorted(enti):
        with decision_lock(connection, ente):
            _anew(connection, ente)


def _anew(connection: sa.Connection, ente: str) -> None:
    for statement in (_ASKED_NO_MORE, _ASKED_ANEW, _PROPOSED_NO_MORE, _PROPOSED):
        connection.execute(sa.text(statement), parameters(ente))
    _stand(connection, ente)


def stand(connection: sa.Connection, ente: str) -> None:
    """Notes how an ente and its operations stand after what was decided in this transaction; nothing before its first
    publication."""
    connection.execute(sa.text(_DECIDED), parameters(ente))
    _stand(connection, ente)


def stand_anew(engine: sa.Engine) -> int:
    """Notes how every published ente stands today, since days pass and rules begin by themselves; returns how many."""
    with engine.connect() as connection:
        enti = list(connection.scalars(sa.select(table("ente_standing").c.ente).order_by(table("ente_standing").c.ente)))
    for ente in enti:
        with engine.begin() as connection, decision_lock(connection, ente):
            set_based(connection)
            stand(connection, ente)
    return len(enti)


def _stand(connection: sa.Connection, ente: str) -> None:
    given = {**asked.parameters(ente), "to_decide": list(TO_DECIDE)}
    figures = connection.execute(sa.text(_FIGURES), given).mappings().one_or_none()
    if figures is None:
        return
    t = table("ente_standing")
    row = {"ente": ente, **figures, **_files(connection, ente), **_duty(connection, ente)}
    statement = insert(t).values(row)
    update = {name: statement.excluded[name] for name in row if name != "ente"}
    connection.execute(statement.on_conflict_do_update(index_elements=["ente"], set_=update))


def _files(connection: sa.Connection, ente: str) -> dict[str, Any]:
    since: dict[str, list[datetime]] = {"NOT_UPLOADED": [], "NOT_ANSWERED": []}
    for file in files_in(connection, ente):
        if (waiting := waits_for(file)) is not None:
            since[waiting[0]].append(waiting[1])
    upload, answer = since["NOT_UPLOADED"], since["NOT_ANSWERED"]
    return {
        "to_upload": len(upload), "to_upload_since": min(upload, default=None),
        "to_answer": len(answer), "to_answer_since": min(answer, default=None),
    }  # fmt: skip


def _duty(connection: sa.Connection, ente: str) -> dict[str, Any]:
    """The first deadline that the law sets and nothing shows as met. What nothing could show is left out."""
    on = today()
    for due in deadlines_in(connection, on - timedelta(days=PAST), on + timedelta(days=AHEAD), ente):
        if due.met_on is None and due.tracked and due.owed and due.documents != 0:
            return {"duty_on": due.due_on, "duty": due.words}
    return {"duty_on": None, "duty": None}
