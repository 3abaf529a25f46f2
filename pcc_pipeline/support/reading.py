"""What is shown of tickets: one with its thread, and its attachments. Lists are the desk's own (`portal.queries.support`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pcc_pipeline.database.schema import table

#: Before a ticket's number: in mails, in the figures, on the pages.
ID_PREFIX = "PCC-"


@dataclass(frozen=True)
class Thread:
    """A ticket with the lines of its thread, the attachments by line, and the judgement of its last closing."""

    ticket: sa.RowMapping
    lines: Sequence[sa.RowMapping]
    attachments: dict[int, list[sa.RowMapping]]
    verdict: str | None


def thread(connection: sa.Connection, ente: str | None, number: int, *, internal: bool) -> Thread | None:
    """A ticket of an ente (None: of any that the connection sees), with notes only if `internal`; None where there is none."""
    t, m, a, j = (table(f"support_{name}") for name in ("tickets", "messages", "attachments", "judgements"))
    query = sa.select(t).where(t.c.number == number)
    if ente is not None:
        query = query.where(t.c.ente == ente)
    ticket = connection.execute(query).mappings().one_or_none()
    if ticket is None:
        return None
    lines = sa.select(m).where(m.c.number == number, m.c.ente == ticket["ente"]).order_by(m.c.message)
    if not internal:
        lines = lines.where(~m.c.internal)
    files: dict[int, list[sa.RowMapping]] = {}
    attached = sa.select(a).where(a.c.number == number, a.c.ente == ticket["ente"]).order_by(a.c.attachment)
    for row in connection.execute(attached).mappings():
        files.setdefault(row["message"], []).append(row)
    judged = sa.select(j.c.verdict).where(j.c.number == number, j.c.closed_at == ticket["closed_at"])
    verdict = connection.execute(judged).scalar() if ticket["closed_at"] is not None else None
    return Thread(ticket, connection.execute(lines).mappings().all(), files, verdict)


def attachment(connection: sa.Connection, ente: str | None, number: int, wanted: int) -> sa.RowMapping | None:
    """One attachment of a ticket; None where there is none."""
    a = table("support_attachments")
    query = sa.select(a).where(a.c.number == number, a.c.attachment == wanted)
    if ente is not None:
        query = query.where(a.c.ente == ente)
    return connection.execute(query).mappings().one_or_none()
