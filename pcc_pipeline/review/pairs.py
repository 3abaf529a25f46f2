"""Decisions on pairs of documents, and what of all decisions stood at a moment (`snapshot`).

Append-only: every word is a row, an undo too. Decisions on operations are in `operation_decisions`; how the models
honour them is SQL. Who may decide for an ente is not judged here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from pcc_pipeline.database.engine import decision_lock, set_based
from pcc_pipeline.database.schema import table
from pcc_pipeline.review.asked import STANDING_ANSWERS
from pcc_pipeline.review.sent import SENT
from pcc_pipeline.review.standing import stand
from pcc_pipeline.review.states import STATES, parameters
from pcc_pipeline.tables import DECIDED


class DecisionError(ValueError):
    """A decision that cannot be taken; its text says why, in Italian."""


@dataclass(frozen=True)
class Pair:
    """A pair of documents: the accounting system's key and PCC's."""

    id_documento: str
    progressivo_registrazione: str


@dataclass(frozen=True)
class Decided:
    """What a command did: rows written, how many asked for stood so already, and the numbers of those written."""

    written: int
    already: int = 0
    numbers: tuple[int, ...] = field(default=(), compare=False)


# Of one pair the latest word counts; a pair by hand gives way to a later one of either document.
_STANDING_PAIRS = """
with standing as (
    select d.* from pcc.match_decisions as d
    where d.ente = :ente and d.verdict <> 'undo' and (cast(:known_at as timestamptz) is null or d.decided_at <= :known_at)
      and d.decision not in (
          select u.undoes from pcc.match_decisions as u
          where u.ente = :ente and u.verdict = 'undo' and u.undoes is not null
            and (cast(:known_at as timestamptz) is null or u.decided_at <= :known_at)
      )
), latest as (
    select distinct on (id_documento, progressivo_registrazione) * from standing
    order by id_documento, progressivo_registrazione, decision desc
), placed as (
    select *,
        max(decision) filter (where verdict <> 'split') over (partition by id_documento) as last_of_ours,
        max(decision) filter (where verdict <> 'split') over (partition by progressivo_registrazione) as last_of_theirs
    from latest
)
select ente, decision, case when verdict = 'split' then 'split' else 'pair' end as verdict,
       id_documento, progressivo_registrazione, decided_by, decided_at, verdict as word, reason
from placed
where verdict = 'split' or (decision = last_of_ours and decision = last_of_theirs)
order by decision
"""


#: Which rows of today's models that the program never proposes people asked for: of a document the latest word counts.
REQUESTS = """
select * from (
    select distinct on (progressivo_registrazione) * from pcc.operation_requests
    where ente = :ente and (cast(:known_at as timestamptz) is null or decided_at <= :known_at)
    order by progressivo_registrazione, decision desc
) as latest
where not withdrawn
"""


@contextmanager
def deciding(engine: sa.Engine, ente: str) -> Iterator[sa.Connection]:
    """A transaction in which nobody else decides for the ente: decisions come one after the other. How the ente stands
    after it is noted at its end."""
    with engine.begin() as connection, decision_lock(connection, ente):
        set_based(connection)
        yield connection
        stand(connection, ente)


def person(who: str) -> str:
    """The name by which decisions know a person: without case or outer spaces. Raises DecisionError when empty."""
    name = " ".join(who.split()).lower()
    if not name:
        raise DecisionError("manca il nome di chi decide")
    return name


def standing_pairs(connection: sa.Connection, ente: str, known_at: datetime | None = None) -> list[dict[str, Any]]:
    """Pairs on which a word stands (decided up to `known_at`, now unless told), in order of decision."""
    found = connection.execute(sa.text(_STANDING_PAIRS), {"ente": ente, "known_at": known_at})
    return [dict(row) for row in found.mappings()]


def snapshot(engine: sa.Engine, ente: str, known_at: datetime | None = None) -> dict[str, pa.Table]:
    """What stood of an ente's decisions at `known_at` (now unless told), by relation of tables.DECIDED."""
    if known_at is not None and known_at.tzinfo is None:
        raise ValueError("known_at needs a time zone")
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        given = parameters(ente, known_at)
        return {
            "decided_match_decisions": _arrow(connection, "decided_match_decisions", _STANDING_PAIRS, given),
            "decided_operation_decisions": _arrow(connection, "decided_operation_decisions", STATES, given),
            "decided_sent_operations": _arrow(connection, "decided_sent_operations", SENT, given),
            "decided_answers": _arrow(connection, "decided_answers", STANDING_ANSWERS, given),
            "decided_operation_requests": _arrow(connection, "decided_operation_requests", REQUESTS, given),
        }


def latest_decisions(engine: sa.Engine, ente: str) -> dict[str, int]:
    """The number of an ente's latest decision by table, 0 where there is none. Numbers grow in the order in which an
    ente's decisions are made, so that all up to it are seen by whoever reads afterwards."""
    found = {}
    with engine.connect() as connection:
        for name in ("match_decisions", "operation_decisions", "answers", "operation_requests"):
            t = table(name)
            query = sa.select(sa.func.coalesce(sa.func.max(t.c.decision), 0)).where(t.c.ente == ente)
            found[name] = int(connection.execute(query).scalar_one())
    return found


def decide_pairs(
    engine: sa.Engine, ente: str, verdict: str, pairs: Iterable[Pair], *, who: str, reason: str | None = None
) -> Decided:
    """Pairs (`pair`, `accept`) or splits (`split`) documents, all or none; a word that stands already is not repeated.

    Raises DecisionError when a document stands paired by a person with another: that word has to be undone first.
    """
    who, wanted = person(who), list(dict.fromkeys(pairs))
    with deciding(engine, ente) as connection:
        standing = standing_pairs(connection, ente)
        words = {(row["id_documento"], row["progressivo_registrazione"]): row["verdict"] for row in standing}
        kind = "split" if verdict == "split" else "pair"
        new = [pair for pair in wanted if words.get((pair.id_documento, pair.progressivo_registrazione)) != kind]
        if kind == "pair":
            _no_other(standing, new)
        numbers = append(
            connection,
            "match_decisions",
            [
                {
                    "ente": ente,
                    "verdict": verdict,
                    "id_documento": pair.id_documento,
                    "progressivo_registrazione": pair.progressivo_registrazione,
                    "reason": reason,
                    "decided_by": who,
                }
                for pair in new
            ],
        )
    return Decided(len(new), len(wanted) - len(new), numbers)


def undo(engine: sa.Engine, ente: str, kind: str, decisions: Sequence[int], *, who: str, reason: str | None = None) -> Decided:
    """Undoes decisions by number, of `kind` match or operation; an undone one is not undone twice.

    Raises DecisionError, undoing none, for a number that is no decision of this ente and kind, or is itself an undo.
    """
    who, name = person(who), f"{kind}_decisions"
    t = table(name)
    copied = [c for c in t.c if c.name in ("id_documento", "progressivo_registrazione", "operation_id", "code", "azione")]
    with deciding(engine, ente) as connection:
        query = sa.select(t.c.decision, t.c.verdict, *copied).where(t.c.ente == ente, t.c.decision.in_(decisions))
        found = {row["decision"]: row for row in connection.execute(query).mappings()}
        for number in decisions:
            if number not in found:
                raise DecisionError(f"nessuna decisione {number} per l'ente {ente}")
            if found[number]["verdict"] == "undo":
                raise DecisionError(f"la decisione {number} è un annullamento: si decide di nuovo, non si annulla")
        gone = set(connection.execute(sa.select(t.c.undoes).where(t.c.ente == ente, t.c.undoes.in_(decisions))).scalars())
        new = [number for number in dict.fromkeys(decisions) if number not in gone]
        rows = [
            {
                **{column.name: found[number][column.name] for column in copied},
                "ente": ente,
                "verdict": "undo",
                "undoes": number,
                "reason": reason,
                "decided_by": who,
            }
            for number in new
        ]
        append(connection, name, rows)
    return Decided(len(new), len(set(decisions)) - len(new))


def _no_other(standing: Sequence[dict[str, Any]], new: Sequence[Pair]) -> None:
    ours = {row["id_documento"]: row for row in standing if row["verdict"] == "pair"}
    theirs = {row["progressivo_registrazione"]: row for row in standing if row["verdict"] == "pair"}
    for pair in new:
        other = ours.get(pair.id_documento) or theirs.get(pair.progressivo_registrazione)
        if other is not None:
            raise DecisionError(
                f"{other['id_documento']} e {other['progressivo_registrazione']} sono già abbinati a mano da "
                f"{other['decided_by']} (decisione {other['decision']}): prima va annullata quella"
            )
    for side in ("id_documento", "progressivo_registrazione"):
        named = Counter(getattr(pair, side) for pair in new)
        if twice := sorted(name for name, times in named.items() if times > 1):
            raise DecisionError(f"{', '.join(twice)}: due abbinamenti diversi nella stessa richiesta")


def append(connection: sa.Connection, name: str, rows: Sequence[dict[str, Any]]) -> tuple[int, ...]:
    """Appends rows; returns their numbers. Their moment is the clock's under the lock, so that it grows with their number."""
    if not rows:
        return ()
    t = table(name)
    insert = sa.insert(t).values(decided_at=sa.func.clock_timestamp())
    return tuple(connection.execute(insert.returning(t.c.decision, sort_by_parameter_order=True), list(rows)).scalars())


def _arrow(connection: sa.Connection, name: str, query: str, given: dict[str, Any]) -> pa.Table:
    """The rows of a query as the relation of that name has them."""
    schema = DECIDED[name].arrow_schema
    wanted = sa.text(f"select {', '.join(schema.names)} from ({query}) as found")
    rows = connection.execute(wanted, given).all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
