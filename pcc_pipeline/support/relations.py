"""The support desk as the night's models see it, and its working time kept in step with the register of enti."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import sqlalchemy as sa

from pcc_pipeline.clock import ROME
from pcc_pipeline.database.schema import table
from pcc_pipeline.support.reading import ID_PREFIX
from pcc_pipeline.support.working import MINUTE, limit_minutes, working_time
from pcc_pipeline.tables.support import DECIDED_SUPPORT_JUDGEMENTS, DECIDED_SUPPORT_TICKETS


def support_relations(engine: sa.Engine, ente: str, known_at: datetime | None = None) -> dict[str, pa.Table]:
    """An ente's tickets and judgements by relation of tables.DECIDED, those that were there at `known_at` (now unless told).

    Of a ticket that was closed and opened again since, the closing of then is not known any more.
    """
    tickets, judgements = table("support_tickets"), table("support_judgements")
    asked = {
        DECIDED_SUPPORT_TICKETS: (tickets, tickets.c.opened_at),
        DECIDED_SUPPORT_JUDGEMENTS: (judgements, judgements.c.judged_at),
    }
    found = {}
    with engine.connect() as connection:
        for relation, (t, moment) in asked.items():
            schema = relation.arrow_schema
            id_ticket = sa.literal(ID_PREFIX).concat(sa.cast(t.c.number, sa.Text)).label("id_ticket")
            columns = [id_ticket if name == "id_ticket" else t.c[name] for name in schema.names]
            query = sa.select(*columns).where(t.c.ente == ente).order_by(t.c.number)
            if known_at is not None:
                query = query.where(moment <= known_at)
            rows = connection.execute(query).all()
            values = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
            arrays = [pa.array(column, type=field.type) for column, field in zip(values, schema, strict=True)]
            found[relation.name] = pa.Table.from_arrays(arrays, schema=schema)
    return found


def support_enti(engine: sa.Engine) -> list[str]:
    """Enti that ever opened a ticket, sorted."""
    t = table("support_tickets")
    with engine.connect() as connection:
        return list(connection.execute(sa.select(t.c.ente).distinct().order_by(t.c.ente)).scalars())


def count_anew(engine: sa.Engine, ente: str, patron_saint: str | None) -> int:
    """Counts the working time of an ente's tickets on the calendar with that patron's day; returns how many were counted on
    another. Contacts and openings stay: only the support time between them changes."""
    t, calendar = table("support_tickets"), working_time(patron_saint)
    with engine.begin() as connection:
        query = sa.select(t.c.number, t.c.opened_at, t.c.first_contact_at).where(
            t.c.ente == ente, t.c.patron_saint.is_distinct_from(patron_saint)
        )
        fresh = []
        for number, opened, contacted in connection.execute(query.with_for_update()):
            worked, limit = calendar.worked(opened), limit_minutes(opened.astimezone(ROME).date())
            fresh.append({
                "of": number, "at_opening": worked, "at_contact": None if contacted is None else calendar.worked(contacted),
                "limited": limit, "due": calendar.moment(worked + limit * MINUTE),
            })  # fmt: skip
        if fresh:
            connection.execute(
                sa.update(t).where(t.c.number == sa.bindparam("of")).values(
                    patron_saint=patron_saint, worked_at_opening=sa.bindparam("at_opening"),
                    worked_at_contact=sa.bindparam("at_contact"), limit_minutes=sa.bindparam("limited"),
                    deadline_at=sa.bindparam("due"),
                ),
                fresh,
            )  # fmt: skip
    return len(fresh)
