"""What is expected of the ente: the questions that only it can answer, with what it answered so far."""

from __future__ import annotations

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from portal.queries.paging import Page, paged


def questions(connection: sa.Connection, ente: str, page: int) -> Page:
    """Questions to the ente, largest amount first, in the columns of their table."""
    t = table("questions")
    query = sa.select(t).where(t.c.ente == ente, t.c.addressee == "ENTE")
    order = (sa.func.abs(t.c.amount).desc(), t.c.code, t.c.id_documento, t.c.progressivo_registrazione)
    return paged(connection, query, order, page, 20)


def question(
    connection: sa.Connection, ente: str, code: str, id_documento: str | None, progressivo: str | None
) -> sa.RowMapping | None:
    """One question to the ente; None where it is not asked."""
    t = table("questions")
    query = sa.select(t).where(
        t.c.ente == ente, t.c.addressee == "ENTE", t.c.code == code,
        t.c.id_documento.is_not_distinct_from(id_documento), t.c.progressivo_registrazione.is_not_distinct_from(progressivo),
    )  # fmt: skip
    return connection.execute(query).mappings().one_or_none()
