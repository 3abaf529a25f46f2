"""What arrives about the service itself: tickets, ratings, probes (docs/formats.md). Levels are in `service`."""

from __future__ import annotations

from pcc_pipeline.tables.describe import Column
from pcc_pipeline.tables.lineage import feed

CHANNELS = ("SCRIVANIA", "TELEFONO", "EMAIL")
JUDGEMENTS = ("POSITIVO", "NEUTRO", "NEGATIVO")

#: A provider-wide file says whose each row is; in an ente's own folder it need not.
WHOSE = Column("codice_ente", "text", "Tenant code the row is about (the file's column ente); needed in a provider-wide file",
               pattern=r"[a-z0-9_]{2,32}")

TICKETS = feed(
    "tickets",
    "One row per ticket as delivered; a ticket reopened comes again",
    Column("id", "text", "The ticketing system's own key", required=True),
    WHOSE,
    Column("canale", "text", "Channel by which it was opened", required=True, allowed=CHANNELS),
    Column("aperto_il", "timestamp", "When it was opened", required=True),
    Column("primo_contatto_il", "timestamp", "When the ente was first contacted; null: not yet"),
    Column("chiuso_il", "timestamp", "When it was closed; null: still open"),
    Column("oggetto", "text", "What it is about"),
)

RATINGS = feed(
    "ratings",
    "One row per judgement given at the end of a ticket as delivered",
    Column("id_ticket", "text", "The ticket judged", required=True),
    WHOSE,
    Column("giudizio", "text", "The judgement, on three levels", required=True, allowed=JUDGEMENTS),
    Column("il", "timestamp", "When it was given", required=True),
)

PROBES = feed(
    "probes",
    "One row per measurement of a component of the service as delivered",
    Column("il", "timestamp", "When it was measured", required=True),
    Column("servizio", "text", "The component measured: webserver, database, portal, …", required=True),
    Column("esito", "text", "UP: it answered as it should", required=True, allowed=("UP", "DOWN")),
    Column("ms", "integer", "How long the answer took", unit="ms", minimum=0),
)

SERVICE_FEEDS = (TICKETS, RATINGS, PROBES)
