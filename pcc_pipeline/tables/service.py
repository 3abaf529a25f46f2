"""Service levels (docs/rules.md#rule-9) and the life of the service (docs/rules.md#rule-10): what the SQL models make of them.

What arrives is in `service_feeds`; what PostgreSQL alone keeps of erasures in `erasure`.
"""

from __future__ import annotations

from pcc_pipeline.tables.common import ENTE
from pcc_pipeline.tables.describe import Column, Paging, Table
from pcc_pipeline.tables.service_feeds import CHANNELS, JUDGEMENTS

CHANNEL = Column("channel", "text", "Channel; ALL for all together", required=True, allowed=(*CHANNELS, "ALL"))
ORIGIN = Column("origin", "text", "DESK: the support desk's own; FEED: delivered by an external ticketing system", required=True,
                allowed=("DESK", "FEED"))
PERIOD_KIND = Column("period_kind", "text", "month or quarter", required=True, allowed=("month", "quarter"))
PERIOD = Column("period", "text", "Calendar month (2025-12) or quarter (2025-Q4) in Italy", required=True,
                pattern=r"[0-9]{4}-(0[1-9]|1[0-2]|Q[1-4])")
SEEN_UNTIL = Column("seen_until", "timestamp", "Moment up to which the facts were seen", required=True)
CLOSED = Column("closed", "boolean", "The month was closed: its figures do not change any more", required=True)
MAY_BE_UNKNOWN = Column("channel", "text", "Channel of the ticket judged; UNKNOWN where no such ticket was delivered; ALL for all together",
                        required=True, allowed=(*CHANNELS, "UNKNOWN", "ALL"))


def _count(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning, required=True, minimum=0)


def _minutes(name: str, meaning: str, *, required: bool = False, source: str = "") -> Column:
    return Column(name, "money", meaning, required=required, unit="minutes", source=source)


def _share(name: str, meaning: str, *, required: bool = False, source: str = "") -> Column:
    return Column(name, "decimal", meaning, required=required, unit="%", source=source)


SERVICE_CALENDAR = Table(
    "service_calendar", "service_levels", "One row per calendar day with its support hours",
    (
        ENTE,
        Column("day", "date", "Day in Italy", required=True),
        Column("opens_at", "timestamp", "When support begins; null on a day without", source="docs/rules.md#rule-9"),
        Column("closes_at", "timestamp", "When it ends"),
        Column("works", "integer", "Microseconds of support on the day, by the clock that never jumps", required=True, minimum=0, unit="µs"),
        Column("works_before", "integer", "Microseconds of support on all earlier days of the table", required=True, minimum=0, unit="µs"),
        Column("holiday", "text", "Why there is no support on a weekday: the holiday's name, or PATRONO"),
    ),
    key=("ente", "day"),
)

TICKET_CONTACTS = Table(
    "ticket_contacts", "service_levels", "One row per ticket, of the support desk or as latest delivered, with its working minutes to first contact",
    (
        ENTE,
        Column("id_ticket", "text", "PCC- and the number of the support desk's ticket, or the ticketing system's key", required=True),
        ORIGIN,
        Column("channel", "text", "Channel", required=True, allowed=CHANNELS),
        Column("opened_at", "timestamp", "When it was first opened", required=True),
        Column("opened_day", "date", "Day of opening in Italy", required=True),
        Column("first_contact_at", "timestamp", "First contact; the opening itself for a call by phone; null: not yet"),
        Column("closed_at", "timestamp", "When it was closed; null: open now"),
        Column("reopened", "boolean", "It had been closed and was opened again", required=True),
        Column("subject", "text", "What it is about"),
        Column("waited", "integer", "Working time to first contact, or so far", required=True, minimum=0, unit="µs"),
        _minutes("minutes", "Working minutes to first contact, or so far", required=True, source="docs/rules.md#rule-9"),
        _minutes("limit_minutes", "Limit in force on the day of opening", required=True),
        Column("waiting", "boolean", "No contact yet", required=True),
        Column("breached", "boolean", "The limit was passed", required=True),
        Column("deadline_at", "timestamp", "Moment at which the limit is used up"),
        SEEN_UNTIL,
    ),
    key=("ente", "id_ticket"),
    published=True,
    indexes=(("ente", "opened_at"),),
    paging=(Paging("open", ("opened_at DESC", "id_ticket"), "closed_at IS NULL"),),
)

TICKET_JUDGEMENTS = Table(
    "ticket_judgements", "service_levels", "One row per judgement of a ticket, given at the support desk or as latest delivered",
    (
        ENTE,
        Column("id_ticket", "text", "The ticket judged", required=True),
        ORIGIN,
        Column("channel", "text", "Its channel; UNKNOWN where no such ticket was delivered", required=True, allowed=(*CHANNELS, "UNKNOWN")),
        Column("judged_at", "timestamp", "When it was given", required=True),
        Column("judged_day", "date", "Its day in Italy", required=True),
        Column("verdict", "text", "The judgement, on three levels", required=True, allowed=JUDGEMENTS),
        SEEN_UNTIL,
    ),
    key=("ente", "id_ticket", "judged_at"),
    published=True,
    indexes=(("ente", "judged_at"),),
)

SLA_BREACHES = Table(
    "sla_breaches", "service_levels", "One row per ticket that passed the limit, or waits and is about to",
    (
        ENTE,
        Column("id_ticket", "text", "The ticketing system's key", required=True),
        Column("channel", "text", "Channel", required=True, allowed=CHANNELS),
        Column("situation", "text", "BREACHED, or ABOUT_TO_BREACH: waiting, with little time left", required=True,
               allowed=("BREACHED", "ABOUT_TO_BREACH")),
        Column("opened_at", "timestamp", "When it was opened", required=True),
        Column("first_contact_at", "timestamp", "First contact; null: not yet"),
        _minutes("minutes", "Working minutes to first contact, or so far", required=True),
        _minutes("over_minutes", "Working minutes beyond the limit; null: not yet"),
        _minutes("left_minutes", "Working minutes left; null once passed"),
        Column("deadline_at", "timestamp", "Moment at which the limit is used up"),
        Column("subject", "text", "What it is about"),
        SEEN_UNTIL,
    ),
    key=("ente", "id_ticket"),
    published=True,
)

SLA_TICKETS = Table(
    "sla_tickets", "service_levels", "One row per channel and period of opening",
    (
        ENTE, CHANNEL, PERIOD_KIND, PERIOD,
        _count("opened", "Tickets opened in the period"),
        _count("open_now", "Of these, still open when last seen"),
        _count("waiting", "Of these, without contact yet"),
        _minutes("mean_minutes", "Mean working minutes to first contact (so far, where there is none)", source="docs/rules.md#rule-9"),
        _minutes("median_minutes", "Median"),
        _minutes("p90_minutes", "90th percentile, interpolated"),
        _minutes("max_minutes", "Maximum"),
        _count("within_limit", "Tickets that did not pass the limit"),
        _share("within_share", "Share of these"),
        _count("breaches", "Tickets that passed the limit"),
        _minutes("breach_mean_minutes", "Mean working minutes beyond the limit of those that passed it"),
        _minutes("breach_max_minutes", "Most working minutes beyond the limit"),
        _count("about_to_breach", "Waiting tickets with little time left"),
        _minutes("limit_minutes", "Limit in force at the end of the period", required=True, source="Maximum First Support Response Time"),
        CLOSED, SEEN_UNTIL,
    ),
    key=("ente", "channel", "period_kind", "period"),
    published=True,
)

SLA_SATISFACTION = Table(
    "sla_satisfaction", "service_levels", "One row per channel and period of the judgement",
    (
        ENTE, MAY_BE_UNKNOWN, PERIOD_KIND, PERIOD,
        _count("ratings", "Judgements"),
        _count("positive", "POSITIVO"), _count("neutral", "NEUTRO"), _count("negative", "NEGATIVO"),
        _share("positive_share", "Share of POSITIVO", required=True),
        _share("neutral_share", "Share of NEUTRO", required=True),
        _share("negative_share", "Share of NEGATIVO", required=True),
        _share("trend", "Positive share less that of the channel's period before with judgements, in percentage points"),
        CLOSED, SEEN_UNTIL,
    ),
    key=("ente", "channel", "period_kind", "period"),
    published=True,
)

PROBE_SPANS = Table(
    "probe_spans", "service_levels", "One row per measurement and the time it stands for",
    (
        ENTE,
        Column("service", "text", "Component measured", required=True),
        Column("began_at", "timestamp", "The measurement", required=True),
        Column("ended_at", "timestamp", "Until when it is taken to hold", required=True),
        Column("up", "boolean", "It answered", required=True),
        Column("ms", "integer", "How long the answer took", unit="ms"),
        SEEN_UNTIL,
    ),
    key=("ente", "service", "began_at"),
)

SLA_AVAILABILITY = Table(
    "sla_availability", "service_levels", "One row per component and period; ALL is up while every component measured is",
    (
        ENTE,
        Column("service", "text", "Component measured; ALL for the service as a whole", required=True),
        PERIOD_KIND, PERIOD,
        _minutes("measured_minutes", "Minutes that measurements stand for, by the clock (support hours do not matter here)", required=True),
        _minutes("down_minutes", "Minutes down", required=True),
        _count("outages", "Stretches of time down that touch the period"),
        _share("availability", "Share of the measured minutes not down", required=True, source="docs/rules.md#rule-9"),
        _share("target", "Level promised", required=True, source="Availability"),
        Column("met", "boolean", "The level is kept", required=True),
        _minutes("budget_minutes", "Minutes that may be down in the whole period at the level promised", required=True),
        _minutes("budget_left_minutes", "What is left of them; negative: overdrawn", required=True),
        CLOSED, SEEN_UNTIL,
    ),
    key=("ente", "service", "period_kind", "period"),
    published=True,
)

#: Levels whose finished months are closed (see `pcc_pipeline.service.closing`).
CLOSING = ("sla_tickets", "sla_satisfaction", "sla_availability")

SERVICE_MODELS = (SERVICE_CALENDAR, TICKET_CONTACTS, TICKET_JUDGEMENTS, SLA_BREACHES, SLA_TICKETS, SLA_SATISFACTION, PROBE_SPANS, SLA_AVAILABILITY)

STATES = ("ordered", "taken_in_charge", "prerequisites_open", "active", "deactivating", "erased", "undated")

SERVICE_LIFE = Table(
    "service_life", "service_levels", "One row per ente of the provider's register (the provider's own overview, of all enti)",
    (
        Column("ente", "text", "_provider: the overview belongs to no ente", required=True),
        Column("codice_ente", "text", "Tenant code; for an erased ente the name of its receipt", required=True),
        Column("denominazione", "text", "Name of the ente"),
        Column("state", "text", "Where the service stands; undated: the register has no dates, processed with a warning",
               required=True, allowed=STATES, source="docs/rules.md#rule-10"),
        Column("processed", "boolean", "Its deliveries are processed today", required=True),
        Column("ordered_on", "date", "Order"),
        Column("charge_due_on", "date", "Day by which it is to be taken in charge", source="30 days from the order"),
        Column("charged_on", "date", "Taken in charge"),
        Column("guaranteed_from", "date", "Day from which the service is guaranteed", source="90 days from the order"),
        Column("lists_due_on", "date", "Day by which the ente delivers open list and special cases"),
        Column("active_from", "date", "Active from"),
        Column("pec_on", "date", "PEC of deactivation"),
        Column("dismissal_due_on", "date", "Day by which the dismissal is to be taken in charge", source="5 working days"),
        Column("erase_from", "date", "First day on which the data are to be erased", source="fifth working day after the PEC"),
        Column("missing", "texts", "Prerequisites that are missing, each with who must act (in Italian)", required=True),
        Column("next_deadline", "text", "The next deadline, in words"),
        Column("next_due_on", "date", "Its day"),
        Column("at_risk", "boolean", "A deadline is past, or close with something missing", required=True),
        Column("why", "text", "Why it is at risk, or refused"),
        Column("seen_on", "date", "Day of the overview", required=True),
    ),
    key=("ente", "codice_ente"),
    published=True,
)

SERVICE_NIGHTS = Table(
    "service_nights", "register", "One row per night whose work was done: the levels up to the end of a day",
    (
        Column("night", "date", "The day that ended", required=True),
        Column("finished_at", "timestamp", "When its work was done", required=True),
        Column("enti", "integer", "Enti published", required=True, minimum=0),
        Column("failed", "integer", "Enti that failed and keep their previous figures", required=True, minimum=0),
    ),
    key=("night",),
)

ALERTS = Table(
    "alerts", "register", "One row per alert ever raised: each only once",
    (
        Column("ente", "text", "Tenant code", required=True),
        Column("alert", "text", "What tells it from the ente's other alerts", required=True),
        Column("kind", "text", "ABOUT_TO_BREACH, BREACHED, AVAILABILITY_MISSED, DEADLINE, FILE_NOT_UPLOADED, FILE_NOT_ANSWERED", required=True,
               allowed=("ABOUT_TO_BREACH", "BREACHED", "AVAILABILITY_MISSED", "DEADLINE", "FILE_NOT_UPLOADED", "FILE_NOT_ANSWERED")),
        Column("words", "text", "Its text", required=True),
        Column("raised_at", "timestamp", "When it was raised", required=True),
        Column("mailed_at", "timestamp", "When it went out by e-mail"),
        Column("posted_at", "timestamp", "When it went to the webhook"),
    ),
    key=("ente", "alert"),
)

SERVICE_REGISTER = (SERVICE_NIGHTS, ALERTS)

#: Published tables that belong to the provider, not to an ente.
PROVIDER_TABLES = {SERVICE_LIFE.name: SERVICE_LIFE}
