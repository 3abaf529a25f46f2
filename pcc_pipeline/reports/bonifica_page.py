"""The bonifica as one HTML file that needs nothing else."""

from __future__ import annotations

from itertools import groupby

from pcc_pipeline import italian
from pcc_pipeline.reports import pictures
from pcc_pipeline.reports.bonifica import Bonifica
from pcc_pipeline.reports.page import environment


def bonifica_page(found: Bonifica) -> str:
    """The page, in Italian; every text from the data is escaped."""
    parts = [(italian.anomaly(step.code), step.settled, step.remaining) for step in found.steps]
    waterfall = pictures.settled_waterfall(found.stocks["pcc"], parts, found.stocks["right"])
    asked = {addressee: list(groups) for addressee, groups in groupby(found.asked, key=lambda group: group.addressee)}
    return str(
        environment()
        .get_template("bonifica.html.j2")
        .render(b=found, waterfall=pictures.svg(waterfall), asked=asked, colours=pictures)
    )
