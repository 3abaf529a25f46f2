"""The tables of the indicators (rules section 8) and of the stock's trend. Their SQL is in dbt_like_sql/models/indicators."""

from __future__ import annotations

from pcc_pipeline.tables.common import ENTE, ID_DOCUMENTO, OBSERVED_AT, PROGRESSIVO, REFERENCE_DATE, VIEW
from pcc_pipeline.tables.describe import Column, Table

_PERIOD = Column("period", "text", "Year (2025), quarter (2025-Q1) or day (2025-12-31)", required=True)

NAMES = ("ITP", "TMP", "TMR", "DELAY", "INTEREST", "INTEREST_UNPAID", "FGDC_RATE", "FGDC_AMOUNT", "STOCK", "DEBT", "CREDITORS")

_NAME = Column(
    "name", "text",
    "ITP payments of the period, days from due date; TMP, TMR documents received in the year, days from reception and from due date; DELAY those "
    "also due in it; INTEREST on what was paid late in the period; INTEREST_UNPAID on what is unpaid at D; FGDC_RATE, FGDC_AMOUNT; STOCK; "
    "DEBT all that is open at D; CREDITORS how many it is owed to",
    required=True, allowed=NAMES, source="rules section 8",
)

_PART_FIELDS = (
    Column("weight", "integer", "What the part weighs, cents times days or cents", required=True),
    ID_DOCUMENTO, PROGRESSIVO,
    Column("paid_on", "date", "Day of payment; null: unpaid"),
    Column("from_day", "date", "Day from which days count", required=True),
    Column("to_day", "date", "Day to which days count", required=True),
    Column("amount", "money", "Amount of the part, signed", required=True, unit="EUR"),
    Column("days", "integer", "Days from one to the other", required=True, unit="days"),
)

PORTIONS = Table(
    "portions", "indicators", "One row per part of a commercial document, by view: each payment of it by O, and what O finds unpaid",
    (
        ENTE, VIEW, ID_DOCUMENTO, PROGRESSIVO,
        Column("issue_date", "date", "Date of issue in this view", required=True),
        Column("reception_date", "date", "Reception in this view", required=True, source="rules section 2"),
        Column("due_date", "date", "Due date in this view", required=True, source="rules section 2"),
        Column("sign", "integer", "−1 for a credit note", required=True),
        Column("paid_on", "date", "Day of payment; null: unpaid at O"),
        Column("amount", "money", "Amount of the part, signed", required=True, unit="EUR"),
    ),
)

INTEREST_CURVE = Table(
    "interest_curve", "indicators", "One row per half-year: the rate of interest on late payment",
    (
        ENTE,
        Column("half", "integer", "Year times two, plus one in the second half", required=True),
        Column("starts_on", "date", "First day", required=True),
        Column("reference_rate", "money", "Reference rate of the half-year", required=True, unit="%", source="D.Lgs. 231/2002 art. 5"),
        Column("surcharge", "money", "Points added", required=True, unit="%", source="D.Lgs. 231/2002 art. 2"),
        Column("rate", "money", "Rate of interest", required=True, unit="%"),
        Column("percent_days_before", "money", "Rate times days, summed over the half-years before", required=True),
    ),
    key=("ente", "half"),
)

FIGURES = Table(
    "indicator_figures", "indicators", "One row per indicator, period and view: the sums that make the figure, and its greatest parts",
    (
        ENTE, _NAME, _PERIOD, VIEW,
        Column("numerator", "integer", "Cents times days; cents where the figure is euro", required=True),
        Column("denominator", "integer", "Cents that weigh; null where the figure is euro"),
        Column("parts", "integer", "Payments and unpaid parts counted", required=True),
        Column("greatest_parts", "records", "The parts that weigh most", fields=_PART_FIELDS),
    ),
    key=("ente", "name", "period", "view"),
)

INDICATORS = Table(
    "indicators", "indicators", "One row per indicator, period and view",
    (
        ENTE, _NAME, _PERIOD, VIEW,
        Column("value", "money", "The figure", required=True),
        Column("unit", "text", "Its unit", required=True, allowed=("days", "EUR", "%", "creditors")),
        Column("parts", "integer", "Payments and unpaid parts, or documents, that make it; null where it follows from other figures"),
        REFERENCE_DATE, OBSERVED_AT,
    ),
    key=("ente", "name", "period", "view"), published=True,
)

INDICATOR_DOCUMENTS = Table(
    "indicator_documents", "indicators", "One row per indicator, period, view and rank: the parts that weigh most, greatest first",
    (
        ENTE, _NAME, _PERIOD, VIEW,
        Column("rank", "integer", "Place, from 1", required=True, minimum=1),
        ID_DOCUMENTO, PROGRESSIVO,
        Column("numero", "text", "Invoice number", required=True),
        Column("creditor", "text", "Creditor: VAT number, else fiscal code, normalised", required=True, source="rules section 5"),
        Column("creditor_name", "text", "Name of the creditor"),
        Column("amount", "money", "Amount of the part, signed", required=True, unit="EUR"),
        Column("from_day", "date", "Day from which days count: due date, for TMP reception", required=True),
        Column("to_day", "date", "Day to which days count: payment, else the day the figure closes", required=True),
        Column("unpaid", "boolean", "The part is unpaid", required=True),
        Column("days", "integer", "Days from one to the other", required=True, unit="days"),
        Column("contribution", "money", "Days of the mean that the part makes; euro where the figure is euro"),
    ),
    key=("ente", "name", "period", "view", "rank"), published=True,
)

FGDC_STEPS = Table(
    "fgdc_steps", "indicators", "One row per view and step of the FGDC test for the year of D",
    (
        ENTE, REFERENCE_DATE, VIEW,
        Column("year", "integer", "Year under test", required=True),
        Column("step", "integer", "Place in the test", required=True, minimum=1),
        Column("name", "text", "Step", required=True,
               allowed=("STOCK_SHARE", "STOCK_REDUCTION", "STOCK_DUTY", "DELAY_DUTY", "FGDC_RATE", "FGDC_AMOUNT"),
               source="L. 145/2018 art. 1 c. 859, 862"),
        Column("value", "money", "What is held against the bound: euro, days or percent; null where the budget is not stated"),
        Column("bound", "money", "What it is held against; for FGDC_AMOUNT the budget net of earmarked funds", unit="EUR"),
        Column("passed", "boolean", "No duty arises from this step; null where the budget is not stated"),
        Column("rate", "money", "Rate that follows", unit="%"),
        Column("words", "text", "The step in plain Italian, with its figures", required=True),
    ),
    key=("ente", "view", "step"), published=True,
)

STOCK_TREND = Table(
    "stock_trend", "indicators",
    "One row per view and day: the stock of that day with the facts known now; every day of the last 400, every month's end before",
    (
        ENTE, VIEW,
        Column("day", "date", "The day", required=True),
        Column("month_end", "boolean", "Last day of its month", required=True),
        Column("amount", "money", "Stock of the commercial debt on that day", required=True, unit="EUR", source="rules section 4"),
        Column("parts", "integer", "Parts of documents that make it", required=True),
    ),
    key=("ente", "view", "day"), published=True,
)

DEADLINES = Table(
    "deadlines", "indicators", "One row per duty and day on which it falls due, the year before D to the year after",
    (
        ENTE,
        Column("duty", "text", "The duty", required=True),
        Column("due_on", "date", "Day by which", required=True),
        Column("concerns_day", "date", "Day that it concerns", required=True),
        Column("met_by", "text", "What shows that it is met: publication of figures for that day, or delivery:<kind>; null: nothing here does"),
        Column("delivered_on", "date", "Day of the delivery that meets it"),
        Column("words", "text", "The duty in Italian", required=True),
        Column("source", "text", "The law, or the service's own choice", required=True),
    ),
    key=("ente", "duty", "due_on"), published=True,
)

#: In reading order.
TABLES = (PORTIONS, INTEREST_CURVE, FIGURES, STOCK_TREND, FGDC_STEPS, INDICATORS, INDICATOR_DOCUMENTS, DEADLINES)
