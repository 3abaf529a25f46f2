"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from pcc_pipeline.bonifica.facts import Report
from pcc_pipeline.bonifica.waterfall import bars, euro, svg

#: Rows of the work list on the page; the workbook has all.
SHOWN = 50


def html(report: Report) -> str:
    """The page, in Italian; every text from the data is escaped."""
    environment = Environment(
        loader=PackageLoader("pcc_pipeline.bonifica", "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters["euro"] = euro
    grouped = {
        addressee: {code: list(rows) for code, rows in groupby(mine, key=lambda row: row["code"])}
        for addressee, mine in groupby(report.questions, key=lambda row: row["addressee"])
    }
    return environment.get_template("report.html").render(
        report=report,
        waterfall=svg(bars(report.stocks["pcc"], report.stocks["right"], report.steps)),
        work=report.work[:SHOWN],
        questions=grouped,
    )
