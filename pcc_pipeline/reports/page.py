"""The report as one self-contained HTML page: styles and charts inside, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from pcc_pipeline import italian
from pcc_pipeline.reports import pictures
from pcc_pipeline.reports.facts import VIEWS, ZERO, Facts


@dataclass(frozen=True)
class IndicatorRow:
    """One line of the table of indicators: words, period, a cell a view, and what must be known to read them."""

    words: str
    period: str
    cells: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """The words with the notes after them, as text."""
        return ". ".join([self.words, *self.notes])


def indicator_rows(facts: Facts) -> list[IndicatorRow]:
    """The indicators of the year of D and the one before, views beside each other, in the order of the law's words."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in facts.indicators:
        found.setdefault((row.name, row.period), {})[row.view] = row
    years = (facts.year, str(facts.reference_date.year - 1))
    order = list(italian.INDICATORS)
    rows = []
    for (name, period), by_view in sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1])):
        if period[:4] in years:
            cells = tuple(italian.figure(by_view[view].value, by_view[view].unit) if view in by_view else "–" for view in VIEWS)
            notes = tuple(
                f"{italian.VIEWS[view]}: {by_view[view].note}" for view in VIEWS if view in by_view and by_view[view].note
            )
            rows.append(IndicatorRow(italian.INDICATORS[name], period, cells, notes))
    return rows


def drawn(facts: Facts) -> dict[str, pictures.Picture]:
    """The charts of an ente's report, by name."""
    return {
        "waterfall": pictures.waterfall(
            facts.stock["pcc"], [(italian.anomaly(part.code), part.amount) for part in facts.explained], facts.stock["right"]
        ),
        "ageing": pictures.ageing(facts.ageing),
        "trend": pictures.trend(facts.trend),
        "creditors": pictures.creditors([(row.creditor_name or row.creditor, row.amount) for row in facts.creditors]),
    }


def ente_page(facts: Facts) -> str:
    """An ente's report."""
    return str(
        environment()
        .get_template("ente.html.j2")
        .render(
            f=facts,
            pictures={name: pictures.svg(picture) for name, picture in drawn(facts).items()},
            indicators=indicator_rows(facts),
            buckets=italian.BUCKETS,
            views=italian.VIEWS,
            suspensions=italian.SUSPENSIONS,
        )
    )


def provider_page(enti: Sequence[Facts]) -> str:
    """The provider's report: a line an ente."""
    totals: dict[str, Decimal] = {view: sum((f.stock[view] for f in enti), ZERO) for view in VIEWS}
    return str(environment().get_template("provider.html.j2").render(enti=enti, totals=totals))


@cache
def environment() -> Any:
    """The templates, with the Italian ways of writing as filters; everything that is not said to be safe is escaped."""
    from jinja2 import Environment, PackageLoader

    made = Environment(loader=PackageLoader("pcc_pipeline.reports"), autoescape=True, trim_blocks=False)
    for name in ("number", "euro", "day", "moment", "period", "anomaly"):
        made.filters[name] = getattr(italian, name)
    return made
