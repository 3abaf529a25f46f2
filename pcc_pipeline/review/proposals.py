"""What a reviewer reads of an ente's published state about pairs: proposals, documents, words that no longer apply."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.review.pairs import DecisionError, Pair, standing_pairs


def proposals(connection: sa.Connection, ente: str, least: int = 0, *, alone: bool = False) -> list[dict[str, Any]]:
    """The ente's proposed pairs on which no word stands, best first, from `least` points.

    `alone` keeps those that are first for both documents and have no alternative.
    """
    query = """
        select p.* from pcc.match_proposals as p
        where p.ente = :ente and p.score >= :least and (not :alone or (p.rank = 1 and p.alternatives = 0))
        order by p.score desc, abs(p.erp_total) desc, p.id_documento, p.progressivo_registrazione
    """
    told = {(row["id_documento"], row["progressivo_registrazione"]) for row in standing_pairs(connection, ente)}
    found = connection.execute(sa.text(query), {"ente": ente, "least": least, "alone": alone}).mappings()
    return [dict(row) for row in found if (row["id_documento"], row["progressivo_registrazione"]) not in told]


def known_documents(connection: sa.Connection, ente: str, keys: Iterable[str]) -> set[str]:
    """Which of the keys are documents of either side in the ente's published state."""
    query = """
        select id_documento from pcc.debt_positions where ente = :ente and id_documento = any(:keys)
        union
        select progressivo_registrazione from pcc.debt_positions where ente = :ente and progressivo_registrazione = any(:keys)
    """
    return set(connection.execute(sa.text(query), {"ente": ente, "keys": sorted(keys)}).scalars())


def check_pairs(connection: sa.Connection, ente: str, pairs: Sequence[Pair], *, proposed: bool = False) -> None:
    """Raises DecisionError for a document that is not published, or (with `proposed`) a pair that is no proposal."""
    keys = [key for pair in pairs for key in (pair.id_documento, pair.progressivo_registrazione)]
    known = known_documents(connection, ente, keys)
    if unknown := [key for key in keys if key not in known]:
        raise DecisionError(f"documenti sconosciuti per {ente}: {', '.join(unknown[:10])}")
    if proposed:
        query = sa.text("select id_documento, progressivo_registrazione from pcc.match_proposals where ente = :ente")
        there = {(row[0], row[1]) for row in connection.execute(query, {"ente": ente})}
        there |= {(row["id_documento"], row["progressivo_registrazione"]) for row in standing_pairs(connection, ente)}
        gone = [pair for pair in pairs if (pair.id_documento, pair.progressivo_registrazione) not in there]
        if gone:
            raise DecisionError(
                f"non è una proposta: {gone[0].id_documento} con {gone[0].progressivo_registrazione}; per abbinarli: pair"
            )


def history(connection: sa.Connection, ente: str) -> list[dict[str, Any]]:
    """Every decision of the ente, oldest first: kind, number, word, what it is on, whether it was undone."""
    query = """
        select 'match' as kind, d.decision, d.verdict, d.id_documento || ' / ' || d.progressivo_registrazione as of_what,
               d.undoes, d.reason, d.decided_by, d.decided_at,
               exists (select 1 from pcc.match_decisions as u where u.ente = d.ente and u.undoes = d.decision) as undone
        from pcc.match_decisions as d where d.ente = :ente
        union all
        select 'operation', d.decision, d.verdict, d.operation_id, d.undoes, d.reason, d.decided_by, d.decided_at,
               exists (select 1 from pcc.operation_decisions as u where u.ente = d.ente and u.undoes = d.decision)
        from pcc.operation_decisions as d where d.ente = :ente
        order by decided_at, kind, decision
    """
    return [dict(row) for row in connection.execute(sa.text(query), {"ente": ente}).mappings()]


def stale_pairs(connection: sa.Connection, ente: str) -> list[dict[str, Any]]:
    """Words on pairs that the published state does not show: a document is gone, or it was not calculated since."""
    standing = standing_pairs(connection, ente)
    keys = [row[name] for row in standing for name in ("id_documento", "progressivo_registrazione")]
    known = known_documents(connection, ente, keys)
    gone = []
    for row in standing:
        missing = [row[name] for name in ("id_documento", "progressivo_registrazione") if row[name] not in known]
        if missing:
            gone.append({**row, "missing": missing})
    return gone
