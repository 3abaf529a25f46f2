"""Lists of tickets: an ente's own, and the provider's queue over all enti, most urgent first."""

from __future__ import annotations

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from portal.queries.paging import Page, paged

#: What the queue can be narrowed to.
SITUATIONS = ("", "mine", "free", "closed")


def tickets(connection: sa.Connection, ente: str, state: str, number: int) -> Page:
    """An ente's tickets, latest opened first; `state`: open, closed or all."""
    t = table("support_tickets")
    query = sa.select(t).where(t.c.ente == ente)
    if state:
        query = query.where(t.c.closed_at.is_(None) if state == "open" else t.c.closed_at.is_not(None))
    return paged(connection, query, (t.c.opened_at.desc(), t.c.number.desc()), number, 20)


def queue(connection: sa.Connection, who: str, situation: str, department: str, number: int, ente: str = "") -> Page:
    """Tickets of all enti (or one): those without a contact by the moment their limit is used up, then the others, oldest
    first."""
    t = table("support_tickets")
    query = sa.select(t).where(t.c.closed_at.is_not(None) if situation == "closed" else t.c.closed_at.is_(None))
    if situation == "mine":
        query = query.where(t.c.taken_by == who)
    elif situation == "free":
        query = query.where(t.c.taken_by.is_(None))
    if department:
        query = query.where(t.c.department == department)
    if ente:
        query = query.where(t.c.ente == ente)
    if situation == "closed":
        return paged(connection, query, (t.c.closed_at.desc(), t.c.number), number)
    return paged(connection, query, (t.c.first_contact_at.is_not(None), t.c.deadline_at, t.c.opened_at, t.c.number), number)


def external(connection: sa.Connection, ente: str, number: int) -> Page:
    """Tickets that an external ticketing system delivered, latest opened first, as of the last night."""
    t = table("ticket_contacts")
    query = sa.select(t).where(t.c.ente == ente, t.c.origin == "FEED")
    return paged(connection, query, (t.c.opened_at.desc(), t.c.id_ticket), number, 20)
