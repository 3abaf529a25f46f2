"""The page of an ente's service levels: tables and pictures in one HTML file that needs nothing else.

Reads published tables of that ente alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.italian import CHANNELS
from pcc_pipeline.reports import pictures
from pcc_pipeline.reports.page import environment

#: What availability is drawn from, in percent: above it the differences that matter can be seen.
FLOOR = 95.0


def service_page(engine: sa.Engine, ente: str) -> str:
    """The page of an ente, as HTML in Italian."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        tickets, satisfaction, availability, breaches = (
            _rows(connection, name, ente) for name in ("sla_tickets", "sla_satisfaction", "sla_availability", "sla_breaches")
        )
    seen = max((row["seen_until"] for rows in (tickets, satisfaction, availability) for row in rows), default=None)
    return str(
        environment()
        .get_template("service.html.j2")
        .render(
            ente=ente,
            seen=seen,
            channels=CHANNELS,
            tickets=tickets,
            satisfaction=satisfaction,
            availability=availability,
            breaches=breaches,
            pictures=_pictures(tickets, satisfaction, availability),
        )
    )


def _rows(connection: sa.Connection, name: str, ente: str) -> Sequence[sa.RowMapping]:
    t = table(name)
    order = [t.c[column] for column in ("period", "channel", "service", "opened_at") if column in t.c]
    return connection.execute(sa.select(t).where(t.c.ente == ente).order_by(*order)).mappings().all()


def _pictures(tickets: Any, satisfaction: Any, availability: Any) -> dict[str, list[str]]:
    months = [row for row in tickets if row["channel"] == "ALL" and row["period_kind"] == "month"]
    judged = [row for row in satisfaction if row["channel"] == "ALL" and row["period_kind"] == "month"]
    whole = [row for row in availability if row["service"] == "ALL" and row["period_kind"] == "month"]

    def by_month(rows: Any, name: str) -> list[tuple[str, float]]:
        return [(row["period"], float(row[name])) for row in rows]

    drawn = {
        "tickets": [
            pictures.columns("Segnalazioni aperte per mese", by_month(months, "opened")),
            pictures.columns(
                "Tempo massimo di primo contatto, minuti lavorativi",
                by_month(months, "max_minutes"),
                most=float(months[-1]["limit_minutes"]) if months else None,
            ),
        ],
        "satisfaction": [pictures.columns("Giudizi positivi, percento", by_month(judged, "positive_share"))],
        "availability": [
            pictures.columns(
                "Disponibilità del servizio, percento",
                by_month(whole, "availability"),
                least=float(whole[-1]["target"]) if whole else None,
                floor=FLOOR,
            )
        ],
    }
    return {name: [pictures.svg(picture) for picture in found if picture.shapes] for name, found in drawn.items()}
