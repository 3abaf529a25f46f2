"""The tables of the indicators (docs/rules.md#rule-8) and of the stock's trend. Their SQL is in dbt_like_sql/models/indicators."""

from __future__ import annotations

from pcc_pipeline.tables.common import ENTE, ID_DOCUMENTO, OBSERVED_AT, PROGRESSIVO, REFERENCE_DATE, VIEW
from pcc_pipeline.tables.describe import Column, Table

_PERIOD = Column("period", "text", "Year (2025), quarter (2025-Q1) or day (2025-12-31)", required=True)

NAMES = ("ITP", "TMP", "TMR", "DELAY", "INTEREST", "INTEREST_UNPAID", "FGDC_RATE", "FGDC_AMOUNT", "STOCK", "DEBT", "CREDITORS")

_NAME = Column(
    "name", "text",
    "ITP payments of the period, days from due date; TMP, TMR documents received in the year, days from issue and from due date; DELAY those "
    "due in the year, and those paid in it before they are due; INTEREST on what was paid late in the period; INTEREST_UNPAID on what is unpaid at D; FGDC_RATE, FGDC_AMOUNT; STOCK; "
    "DEBT all that is open at D; CREDITORS how many it is owed to",
    required=True, allowed=NAMES, source="docs/rules.md#rule-8",
)

_PART_FIELDS = (
    Column("weight", "integer", "What the part weighs, cents times days or cents", required=True),
    ID_DOCUMENTO, PROGRESSIVO,
    Column("paid_on", "date", "Day of payment; null: unpaid"),
    Column("from_day", "date", "Day from which days count", required=True),
    Column("to_day", "date", "Day to which days count", required=True),
    Column("amount", "money", "Amount of the part, signed", required=True, unit="EUR"),
    Column("suspended_days", "integer", "Days of suspension taken off", required=True, unit="days"),
    Column("days", "integer", "Days from one to the other, less those of suspension", required=True, unit="days"),
)

_SPANS = (
    Column("starts_on", "date", "First day suspended", required=True),
    Column("ends_on", "date", "Day on which it ended; null: it still stood at O"),
)

SUSPENSIONS = Table(
    "suspensions", "indicators", "One row per document and source that says when it was suspended",
    (
        ENTE,
        Column("source", "text", "PCC's movements, the dates of PCC's row, or the accounting system", required=True,
               allowed=("PCC_MOVEMENTS", "PCC_STATE", "ERP")),
        ID_DOCUMENTO, PROGRESSIVO,
        Column("spans", "records", "The days suspended, oldest first", required=True, fields=_SPANS),
    ),
    key=("ente", "source", "id_documento", "progressivo_registrazione"),
)

COUNTED_PAYMENTS = Table(
    "counted_payments", "indicators", "One row per payment of the accounting system by O, as far as it counts for its document",
    (
        ENTE,
        Column("row_id", "integer", "The payment", required=True),
        Column("id_documento", "text", "The document paid", required=True),
        Column("paid_on", "date", "Day of payment", required=True),
        Column("sent_on", "date", "Day on which the order was sent to the treasurer; null: not known", source="DPCM 22/9/2014 art. 9 c. 4"),
        Column("suspended_days", "integer", "Days of suspension that the payment names", unit="days"),
        Column("amount", "money", "What counts, with what is withheld; a reversal is negative", required=True, unit="EUR", source="docs/rules.md#rule-1"),
    ),
    key=("ente", "row_id"),
)

PORTIONS = Table(
    "portions", "indicators", "One row per part of a commercial document, by view: each payment of it by O, and what O finds unpaid",
    (
        ENTE, VIEW, ID_DOCUMENTO, PROGRESSIVO,
        Column("issue_date", "date", "Date of issue in this view", required=True),
        Column("reception_date", "date", "Reception in this view", required=True, source="docs/rules.md#rule-2"),
        Column("due_date", "date", "Due date in this view", required=True, source="docs/rules.md#rule-2"),
        Column("stated_due_date", "date", "The same before suspensions that ended moved it", required=True),
        Column("suspended", "records", "When the document was suspended, as this view knows it", fields=_SPANS),
        Column("sign", "integer", "−1 for a credit note", required=True),
        Column("paid_on", "date", "Day of payment; null: unpaid at O"),
        Column("sent_on", "date", "Day on which the order was sent to the treasurer; null: not known", source="DPCM 22/9/2014 art. 9 c. 4"),
        Column("suspended_days", "integer", "Days of suspension that the payment names", unit="days"),
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

_FIGURE = (
    ENTE, _NAME, _PERIOD, VIEW,
    Column("numerator", "integer", "Cents times days; cents where the figure is euro", required=True),
    Column("denominator", "integer", "Cents that weigh; null where the figure is euro"),
    Column("parts", "integer", "Payments and unpaid parts counted", required=True),
    Column("by_receipt", "integer", "ITP: cents that count on the day of the quietanza, the order's transmission not being known", required=True),
    Column("closes_on", "date", "TMP, TMR, DELAY: day to which unpaid parts count"),
    Column("greatest_parts", "records", "The parts that weigh most", fields=_PART_FIELDS),
)

FIGURES = tuple(
    Table(name, "indicators", f"One row per indicator, period and view: the sums that make {what}, and its greatest parts", _FIGURE,
          key=("ente", "name", "period", "view"))
    for name, what in (
        ("timeliness_figures", "the indicator of timely payment"),
        ("delay_figures", "a mean of days of the year"),
        ("interest_figures", "the interest on late payment"),
        ("indicator_figures", "the figure"),
    )
)

INDICATORS = Table(
    "indicators", "indicators", "One row per indicator, period and view",
    (
        ENTE, _NAME, _PERIOD, VIEW,
        Column("value", "money", "The figure", required=True),
        Column("unit", "text", "Its unit", required=True, allowed=("days", "EUR", "%", "creditors")),
        Column("parts", "integer", "Payments and unpaid parts, or documents, that make it; null where it follows from other figures"),
        Column("simulated", "boolean", "The year still runs, and what is unpaid counts to its end as PCC does", required=True, source="docs/rules.md#rule-8"),
        Column("by_receipt", "money", "ITP: for how much the day of the quietanza counts, the order's transmission not being known; null: nothing",
               unit="EUR"),
        Column("note", "text", "What must be known to read the figure, in Italian"),
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
        Column("creditor", "text", "Creditor: VAT number, else fiscal code, normalised", required=True, source="docs/rules.md#rule-5"),
        Column("creditor_name", "text", "Name of the creditor"),
        Column("amount", "money", "Amount of the part, signed", required=True, unit="EUR"),
        Column("from_day", "date", "Day from which days count: due date, for TMP issue", required=True),
        Column("to_day", "date", "Day to which days count: payment, else the day the figure closes", required=True),
        Column("unpaid", "boolean", "The part is unpaid", required=True),
        Column("suspended_days", "integer", "Days of suspension taken off", required=True, unit="days"),
        Column("days", "integer", "Days from one to the other, less those of suspension", required=True, unit="days"),
        Column("contribution", "money", "Days of the mean that the part makes; euro where the figure is euro"),
    ),
    key=("ente", "name", "period", "view", "rank"), published=True,
)

FGDC_DUTIES = Table(
    "fgdc_duties", "indicators", "One row per view: the facts of the FGDC test for the year of D and the rates that follow",
    (
        ENTE, VIEW,
        Column("year", "integer", "Year under test", required=True),
        Column("stock", "money", "Stock at D", required=True, unit="EUR"),
        Column("received", "money", "Invoices received in the year", required=True, unit="EUR"),
        Column("previous", "money", "Stock of 31 December of the year before", required=True, unit="EUR"),
        Column("previous_stated", "boolean", "The ente stated it; else it is worked out of the documents", required=True),
        Column("share_limit", "money", "Share of the invoices received up to which the stock bears no duty", required=True, unit="EUR"),
        Column("reduction_limit", "money", "Share of the former stock up to which the stock bears no duty", required=True, unit="EUR"),
        Column("within_share", "boolean", "The stock is within the first", required=True),
        Column("reduced", "boolean", "The stock is within the second", required=True),
        Column("delay", "money", "Annual delay indicator; null: no document", unit="days"),
        Column("whole_days", "integer", "The same in whole days", unit="days"),
        Column("closes_on", "date", "Day to which unpaid parts count in it"),
        Column("budget_year", "integer", "Year of the budget that counts; null: none is stated"),
        Column("stanziamento", "money", "Budget for goods and services, as stated last", unit="EUR"),
        Column("vincolato", "money", "Of which earmarked", unit="EUR"),
        Column("base", "money", "Budget net of earmarked funds, as stated last", unit="EUR", source="L. 145/2018 art. 1 c. 863"),
        Column("base_before", "money", "The same as stated first", unit="EUR"),
        Column("publish_by", "date", "Day by which the year's debts are to be published", source="D.Lgs. 33/2013 art. 33"),
        Column("published_on", "date", "Day on which the ente says it did"),
        Column("publication", "text", "Whether it did", required=True, allowed=("PUBLISHED", "NOT_YET", "NOT_DECLARED", "MISSING")),
        Column("feeding", "text", "Whether PCC is fed", required=True,
               allowed=("SIOPE_PLUS", "FED", "NOTHING_PAID", "NOT_KNOWN", "MISSING"), source="L. 145/2018 art. 1 c. 868"),
        Column("stock_rate", "money", "Rate that follows from the stock", required=True, unit="%"),
        Column("delay_rate", "money", "Rate that follows from the delay", required=True, unit="%"),
        Column("silence_rate", "money", "Rate that follows from what was not published or communicated", required=True, unit="%"),
        Column("rate", "money", "The highest", required=True, unit="%"),
        Column("amount", "money", "What is to be set aside; null: no budget is stated", unit="EUR"),
        Column("amount_before", "money", "The same on the budget as stated first", unit="EUR"),
    ),
    key=("ente", "view"),
)

FGDC_STEPS = Table(
    "fgdc_steps", "indicators", "One row per view and step of the FGDC test for the year of D",
    (
        ENTE, REFERENCE_DATE, VIEW,
        Column("year", "integer", "Year under test", required=True),
        Column("step", "integer", "Place in the test", required=True, minimum=1),
        Column("name", "text", "Step", required=True,
               allowed=("STOCK_SHARE", "STOCK_REDUCTION", "STOCK_DUTY", "DELAY_DUTY", "PUBLISHED", "FED_PCC", "FGDC_RATE", "FGDC_AMOUNT",
                        "FGDC_ADJUSTMENT", "RESOLUTION"),
               source="L. 145/2018 art. 1 c. 859, 862, 863, 868"),
        Column("value", "money", "What is held against the bound: euro, days or percent; null where there is none, or the budget is not stated"),
        Column("bound", "money", "What it is held against; for FGDC_AMOUNT the budget net of earmarked funds", unit="EUR"),
        Column("passed", "boolean", "No duty arises from this step; null where that is not known"),
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
        Column("amount", "money", "Stock of the commercial debt on that day", required=True, unit="EUR", source="docs/rules.md#rule-4"),
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
        Column("every", "text", "How often it comes", required=True, allowed=("YEAR", "MONTH")),
        Column("owed", "boolean", "No: only advised, since the ente is on SIOPE+", required=True, source="L. 145/2018 art. 1 c. 867"),
        Column("met_by", "text", "What shows that it is met: publication of figures for that day, delivery:<kind>, or register:<column>, what the "
               "ente declares; null: nothing here does"),
        Column("delivered_on", "date", "Day of the delivery that meets it, or that the ente declares"),
        Column("documents", "integer", "Monthly: debts whose term was exceeded in the month before and that were unpaid at its end; null: not known yet"),
        Column("amount", "money", "Their amount", unit="EUR"),
        Column("words", "text", "The duty in Italian", required=True),
        Column("source", "text", "The law, or the service's own choice", required=True),
    ),
    key=("ente", "duty", "due_on"), published=True,
)

#: In reading order.
TABLES = (SUSPENSIONS, COUNTED_PAYMENTS, PORTIONS, INTEREST_CURVE, *FIGURES, STOCK_TREND, DEADLINES, FGDC_DUTIES, FGDC_STEPS, INDICATORS, INDICATOR_DOCUMENTS)
